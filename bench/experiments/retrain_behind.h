#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "experiment_data.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/method/neuron_tune.h"

namespace neurontune::experiments {

/// NeuronTune's retraining behind a mask that comes from anywhere: the head after every epoch, the
/// mask folded in. With a mask of `identify` these are the heads of `neuron_tune`, bit for bit.
///
/// @param mask  [M], 1 where kept
/// @param start where retraining starts from, unless options.tune says fresh
std::vector<Head> retrain_behind(const at::Tensor& mask, const LabelledEmbeddings& tuning,
                                 const Head& start, const NeuronTuneOptions& options);

/// The head that the criterion of `options` picks, as an index; none where no epoch has an SFit.
std::optional<std::size_t> select_head(const std::vector<Head>& heads,
                                       const LabelledEmbeddings& identification,
                                       const NeuronTuneOptions& options);

/// What a picked head reaches on test: `epoch` (0: the ERM head), `worst_group_accuracy` (null
/// without attributes), `mean_accuracy`.
nlohmann::ordered_json picked_json(const std::vector<Head>& heads,
                                   std::optional<std::size_t> picked, const ExperimentData& data);

/// The whole: retrains on train, selects on `identification`; {`selected`, `last`}, each as
/// `picked_json`.
nlohmann::ordered_json retrained_json(const at::Tensor& mask,
                                      const LabelledEmbeddings& identification,
                                      const ExperimentData& data);

}  // namespace neurontune::experiments
