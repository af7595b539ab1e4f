#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/repair/repair.h"
#include "repair/candidate_family.h"
#include "repair/judging.h"

namespace neurontune {

/// Fits every candidate to folds of the held-out data and judges it on what they leave out.
class Contest {
 public:
  /// @param held_out, tuning checked, on one device
  /// @param erm              on it too
  /// @param attributes       of held-out samples, under worst_group
  Contest(LabelledEmbeddings held_out, LabelledEmbeddings tuning, Head erm,
          const RepairOptions& options, const ShortcutSearch& shortcut,
          const NeuronTuneResult& neurontune, at::Tensor attributes);

  void run(const ProgressFn& progress = {});

  /// All candidates, the ERM head first; those of a family, and families, in order.
  const std::vector<Judgement>& judgements() const { return judgements_; }

  /// The head of a candidate, fitted to all of the held-out data; none where that fails, as
  /// NeuronTune may.
  std::optional<Head> fitted(std::size_t candidate);

  /// Of all fits, each once.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Place {
    std::size_t family, member;
  };
  using Folded = std::vector<at::Tensor>;  ///< of a family's members: int64 [N] on the CPU

  bool can_judge();
  FittingData fitting_data(const LabelledEmbeddings& held_out, const InferredGroups* groups);
  at::Tensor mask_of(const LabelledEmbeddings& held_out);
  void run_fold(int64_t fold, const at::Tensor& fold_of, std::vector<Folded>& predicted,
                const ProgressFn& progress);
  void predict(std::size_t family, const CandidateFamily::Fitted& fitted,
               const at::Tensor& left_out, const at::Tensor& rows, Folded& predicted);
  void judge(const std::vector<Folded>& predicted);
  Judge judge_of(const at::Tensor& of_erm) const;
  std::optional<double> sfit_of(const CandidateSettings& settings) const;
  void warn(const std::vector<std::string>& warnings);

  LabelledEmbeddings held_out_, tuning_, some_of_tuning_;
  Head erm_;
  const RepairOptions& options_;
  const ShortcutSearch& shortcut_;
  const NeuronTuneResult& neurontune_;
  at::Tensor attributes_;
  std::shared_ptr<const Curvature> of_held_out_, of_tuning_;
  std::vector<std::unique_ptr<CandidateFamily>> families_;
  std::vector<std::vector<CandidateSettings>> settings_;  ///< of each family's members
  std::vector<Place> places_;                             ///< of each candidate
  std::vector<Judgement> judgements_;
  std::vector<std::string> warnings_;
};

}  // namespace neurontune
