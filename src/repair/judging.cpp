#include "repair/judging.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

/// Mean of `values` over the classes' means, each weighted by `weights`: classes count alike.
double class_mean(const Judge& judge, const at::Tensor& values, const at::Tensor& weights) {
  double sum = 0;
  int64_t present = 0;
  for (int64_t label = 0; label < judge.classes; ++label) {
    const auto of_class = weights * judge.labels.eq(label);
    const double total = of_class.sum().item<double>();
    if (total == 0) continue;
    sum += (of_class * values).sum().item<double>() / total;
    ++present;
  }
  return present == 0 ? 0 : sum / static_cast<double>(present);
}

double repairability(const Judge& judge, const at::Tensor& right) {
  const auto erm_right = judge.of_erm.eq(judge.labels).to(at::kDouble);
  if (erm_right.min().item<double>() > 0) return 0.5;
  return (class_mean(judge, right, 1 - erm_right) + class_mean(judge, right, erm_right)) / 2;
}

InferredAccuracy by_classes(const Judge& judge, const at::Tensor& predicted) {
  const auto one_value = at::ones({judge.labels.size(0), 1}, at::kDouble);
  return inferred_accuracy(predicted, judge.labels, one_value, judge.classes);
}

InferredAccuracy by_groups(const Judge& judge, const at::Tensor& predicted) {
  return inferred_accuracy(predicted.index_select(0, judge.rows),
                           judge.labels.index_select(0, judge.rows), judge.beliefs, judge.classes);
}

/// How much each sample belongs to the groups' worst.
at::Tensor membership(const Judge& judge, const InferredAccuracy& groups) {
  auto all = at::zeros({judge.labels.size(0)}, at::kDouble);
  all.index_copy_(0, judge.rows, judge.beliefs.select(1, groups.worst_attribute).contiguous());
  return all * judge.labels.eq(groups.worst_label);
}

/// The standard error of the difference of two candidates' accuracy in a cell.
double standard_error(const at::Tensor& one, const at::Tensor& other, const at::Tensor& cell) {
  const double samples = cell.sum().item<double>();
  if (samples < 1) return 0;
  const auto difference = one - other;
  const double mean = (difference * cell).sum().item<double>() / samples;
  const double variance = ((difference - mean).square() * cell).sum().item<double>() / samples;
  return std::sqrt(variance / samples);
}

}  // namespace

Judgement judged(const Judge& judge, const CandidateSettings& settings,
                 const at::Tensor& predicted) {
  Judgement result;
  on_one_thread(at::kCPU, [&] {
    auto& candidate = result.candidate;
    candidate.settings = settings;
    candidate.accuracy = accuracy_metrics(predicted, judge.labels, judge.classes);
    result.right = predicted.eq(judge.labels).to(at::kDouble);
    candidate.repairability = repairability(judge, result.right);
    if (judge.beliefs.defined()) candidate.inferred = by_groups(judge, predicted);
    const auto classes = by_classes(judge, predicted);
    candidate.worst_lower = classes.worst_lower();
    result.in_worst_cell = judge.labels.eq(classes.worst_label).to(at::kDouble);
    if (judge.cells == Judge::Cells::classes || !candidate.inferred) return;
    const auto& groups = *candidate.inferred;
    if (judge.cells == Judge::Cells::groups || groups.worst_lower() < candidate.worst_lower) {
      candidate.worst_lower = groups.worst_lower();
      result.in_worst_cell = membership(judge, groups);
    }
  });
  return result;
}

std::vector<std::size_t> ranked(const std::vector<Judgement>& candidates) {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0);
  if (order.empty()) return order;
  const auto of = [&](std::size_t i) -> const Candidate& { return candidates[i].candidate; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return of(a).worst_lower > of(b).worst_lower;
  });
  const auto& best = candidates[order.front()];
  auto picked = order.begin();
  on_one_thread(at::kCPU, [&] {
    for (auto place = order.begin(); place != order.end(); ++place) {
      const auto& other = candidates[*place];
      const double behind = best.candidate.worst_lower - other.candidate.worst_lower;
      if (behind <= standard_error(best.right, other.right, other.in_worst_cell) &&
          of(*place).accuracy.balanced_accuracy > of(*picked).accuracy.balanced_accuracy)
        picked = place;
    }
  });
  std::rotate(order.begin(), picked, picked + 1);
  return order;
}

}  // namespace neurontune
