#pragma once

#include "neurontune/method/neuron_tune.h"

namespace neurontune {

/// As `neuron_tune`, of checked options and data on one device and a head in the dtype of the
/// result, and without a warning of what the pick costs.
NeuronTuneResult paper_method(const LabelledEmbeddings& identification,
                              const LabelledEmbeddings& tuning, const Head& erm,
                              const NeuronTuneOptions& options, const ProgressFn& progress);

}  // namespace neurontune
