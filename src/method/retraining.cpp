#include "neurontune/method/retraining.h"
