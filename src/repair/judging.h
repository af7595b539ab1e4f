#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "neurontune/repair/candidate.h"

namespace neurontune {

/// What candidates are judged by, all on the CPU.
struct Judge {
  at::Tensor labels;  ///< int64 [N]
  at::Tensor of_erm;  ///< its predictions, int64 [N]
  int64_t classes = 0;

  at::Tensor rows;     ///< int64 [n]: the samples whose group is inferred or known; or undefined
  at::Tensor beliefs;  ///< in an attribute's values, of those: float64 [n, A]
  enum class Cells { classes, classes_and_groups, groups } cells = Cells::classes;
};

/// How well a candidate does, and which cell it is worst in.
struct Judgement {
  Candidate candidate;
  at::Tensor right;          ///< float64 [N]: 1 where it is
  at::Tensor in_worst_cell;  ///< how much each sample belongs to it: float64 [N]
};

/// @param predicted int64 [N] on the CPU, by heads that were not fitted to the samples
Judgement judged(const Judge& judge, const CandidateSettings& settings,
                 const at::Tensor& predicted);

/// The candidates in order of preference. The first is that of the best class-balanced accuracy
/// among those whose `worst_lower` is within one standard error of the highest one (of the paired
/// difference in the candidate's own worst cell); the others follow by `worst_lower`. Of equals the
/// earlier is first.
std::vector<std::size_t> ranked(const std::vector<Judgement>& candidates);

}  // namespace neurontune
