#pragma once

#include <string>

#include "neurontune/export.h"
#include "neurontune/method/neuron_tune.h"
#include "neurontune/repair/repair.h"
#include "neurontune/repair/tuned_head.h"

namespace neurontune {

/// What was done and how sure it is, in a few plain sentences: which head was picked of how many,
/// on what grounds, and what it does on held-out data. Accuracies in inferred groups are called
/// estimates, with 90 % intervals.
NEURONTUNE_EXPORT std::string conclusion(const NeuronTuneResult& result);
NEURONTUNE_EXPORT std::string conclusion(const RepairResult& result);
NEURONTUNE_EXPORT std::string conclusion(const TunedHead& tuned);

}  // namespace neurontune
