#include "neurontune/method/spuriousness.h"
