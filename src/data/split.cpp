#include "neurontune/data/split.h"
