#include "neurontune/data/image.h"
