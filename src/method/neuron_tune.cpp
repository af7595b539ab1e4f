#include "neurontune/method/neuron_tune.h"
