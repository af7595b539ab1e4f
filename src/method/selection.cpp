#include "neurontune/method/selection.h"
