#include "neurontune/metrics/classification_metrics.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/checks.h"
#include "base/tensor_values.h"

namespace neurontune {
namespace {

at::Tensor counts(const at::Tensor& indices, int64_t classes) {
  return at::bincount(indices.cpu(), {}, classes);
}

}  // namespace

double macro_f1(const at::Tensor& predictions, const at::Tensor& labels, int64_t classes) {
  check_class_indices(labels, "labels", classes, labels.numel());
  check_class_indices(predictions, "predictions", classes, labels.numel());
  const auto correct =
      counts(labels.masked_select(predictions.eq(labels)), classes).to(at::kDouble);
  // F1 = 2 TP / (2 TP + FP + FN), and the denominator is how often the class is named.
  const auto named = (counts(labels, classes) + counts(predictions, classes)).to(at::kDouble);
  const auto present = named.gt(0);
  return (2 * correct / named).masked_select(present).mean().item<double>();
}

std::optional<double> auroc(const at::Tensor& scores, const at::Tensor& labels) {
  if (scores.isnan().any().item<bool>()) return std::nullopt;
  const auto order = std::get<1>(scores.sort(/*stable=*/true, 0, /*descending=*/false));
  const auto score = values_of<double>(scores.index_select(0, order));
  const auto label = values_of<int64_t>(labels.cpu().index_select(0, order));
  int64_t below = 0, positives = 0;
  double pairs = 0;  // whole numbers of halves: exact
  for (std::size_t first = 0; first < score.size();) {
    int64_t of_0 = 0, of_1 = 0;
    auto last = first;
    for (; last < score.size() && score[last] == score[first]; ++last)
      ++(label[last] == 1 ? of_1 : of_0);
    pairs +=
        static_cast<double>(of_1) * (static_cast<double>(below) + static_cast<double>(of_0) / 2);
    below += of_0;
    positives += of_1;
    first = last;
  }
  if (below == 0 || positives == 0) return std::nullopt;
  return pairs / (static_cast<double>(below) * static_cast<double>(positives));
}

std::optional<double> expected_calibration_error(const at::Tensor& probability,
                                                 const at::Tensor& correct, int64_t bins) {
  struct Bin {
    double confidence = 0, correct = 0;
  };
  const auto confidence = values_of<double>(probability);
  const auto right = values_of<double>(correct);
  std::vector<Bin> filled(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < confidence.size(); ++i) {
    if (std::isnan(confidence[i])) return std::nullopt;
    const auto place = std::ceil(confidence[i] * static_cast<double>(bins)) - 1;
    auto& bin =
        filled[static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)))];
    bin.confidence += confidence[i];
    bin.correct += right[i];
  }
  double error = 0;
  for (const auto& bin : filled) error += std::abs(bin.correct - bin.confidence);
  return error / static_cast<double>(confidence.size());
}

}  // namespace neurontune
