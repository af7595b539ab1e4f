#include "neurontune/data/dataset.h"
