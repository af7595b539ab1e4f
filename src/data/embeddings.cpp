#include "neurontune/data/embeddings.h"
