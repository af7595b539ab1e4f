#include "neurontune/model/linear_head.h"
