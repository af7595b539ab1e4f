#include "neurontune/method/class_balanced_sampler.h"
