#include "neurontune/metrics/group_accuracy.h"
