#include "neurontune/model/erm_model.h"
