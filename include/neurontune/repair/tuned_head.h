#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "neurontune/base/progress.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/method/neuron_tune.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/repair/candidate.h"
#include "neurontune/repair/repair.h"

namespace neurontune {

/// What the method of a criterion gave: the paper's alone, or `repair`.
struct NEURONTUNE_EXPORT TunedHead {
  std::variant<NeuronTuneResult, RepairResult> result;  ///< of the method that ran

  /// Null where the paper's method ran alone.
  const RepairResult* repair() const { return std::get_if<RepairResult>(&result); }
  /// The paper's method, which `repair` runs too.
  const NeuronTuneResult& neurontune() const;

  const Head& head() const;              ///< the selected one
  CandidateSettings settings() const;    ///< which one that is
  std::optional<int64_t> epoch() const;  ///< of it; 0 is the ERM head, none of other heads
  BiasedDimensions masked() const;       ///< in it
  std::optional<double> sfit() const;    ///< of it, where it has one
  const std::vector<std::string>& warnings() const;  ///< what a user should know, one sentence each
};

/// Runs the method that the criterion names; see `neuron_tune` and `repair`.
/// @param attributes as `repair` takes them; used by criterion worst_group alone
NEURONTUNE_EXPORT TunedHead tune_head(const LabelledEmbeddings& held_out,
                                      const LabelledEmbeddings& tuning, const Head& erm,
                                      const RepairOptions& options, const at::Tensor& attributes,
                                      const ProgressFn& progress = {});

}  // namespace neurontune
