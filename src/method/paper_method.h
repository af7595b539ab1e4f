#pragma once

#include "neurontune/method/neuron_tune.h"

namespace neurontune {

/// @throws OptionError if masks of the classes' own are asked for, but the head has several layers
void check_aggregate(const Head& erm, const NeuronTuneOptions& options);

/// As `neuron_tune`, of checked options and data on one device and a head in the dtype of the
/// result, and without a warning of what the pick costs.
NeuronTuneResult paper_method(const LabelledEmbeddings& identification,
                              const LabelledEmbeddings& tuning, const Head& erm,
                              const NeuronTuneOptions& options, const ProgressFn& progress);

}  // namespace neurontune
