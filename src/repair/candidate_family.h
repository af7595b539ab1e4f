#pragma once

#include <memory>
#include <string>
#include <vector>

#include "neurontune/base/progress.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/repair/candidate.h"
#include "neurontune/repair/repair.h"
#include "neurontune/shortcut/inferred_groups.h"

namespace neurontune {

/// What heads are fitted to.
struct FittingData {
  LabelledEmbeddings held_out;                          ///< all of it, or what a fold leaves
  LabelledEmbeddings tuning;                            ///< all of it
  LabelledEmbeddings some_of_held_out, some_of_tuning;  ///< the same, as `thinned` leaves them
  Head erm;
  /// Of held-out data and of tuning, which fits share; null where the head is not linear.
  std::shared_ptr<const Curvature> of_held_out = nullptr, of_tuning = nullptr;
  const InferredGroups* groups = nullptr;  ///< inferred from `held_out`; null for none
  at::Tensor mask;  ///< of the dimensions that `held_out` identifies; undefined where it cannot
  /// The paper's method on `held_out` and `tuning`, where it was run already.
  const NeuronTuneResult* neurontune = nullptr;
};

/// Heads that are fitted together.
class CandidateFamily {
 public:
  virtual ~CandidateFamily() = default;

  /// The heads and what they are called, in one order. There may be fewer in one fold than in
  /// another, of which the first have the same names.
  struct Fitted {
    std::vector<CandidateSettings> settings;
    std::vector<Head> heads;
    std::vector<std::string> warnings;

    void add(const CandidateSettings& of, Head head) {
      settings.push_back(of);
      heads.push_back(std::move(head));
    }
  };
  virtual Fitted fit(const FittingData& data) = 0;
};

/// The families there are for a head, and for groups that were inferred or not; the simplest first.
std::vector<std::unique_ptr<CandidateFamily>> candidate_families(const Head& erm, bool has_groups,
                                                                 const RepairOptions& options);

/// At most so many evenly spaced samples of each class: more change a fit less than chance does.
LabelledEmbeddings thinned(const LabelledEmbeddings& data, int64_t classes,
                           int64_t most_of_a_class = 4096);

/// Held-out data and as many samples of tuning, evenly spaced, or all where it has fewer; of both
/// what `thinned` leaves.
LabelledEmbeddings both(const FittingData& data);

}  // namespace neurontune
