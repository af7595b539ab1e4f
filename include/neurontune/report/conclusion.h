#pragma once

#include <string>

#include "neurontune/method/neuron_tune.h"

namespace neurontune {

/// What a run did and how sure it is, in a few plain sentences: which head was picked of how many,
/// why, and the worst group's accuracy before and after, with 90 % intervals where groups were
/// inferred.
std::string conclusion(const NeuronTuneResult& result);

}  // namespace neurontune
