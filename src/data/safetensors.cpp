#include "neurontune/data/safetensors.h"
