#include "neurontune/data/names.h"
