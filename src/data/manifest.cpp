#include "neurontune/data/manifest.h"
