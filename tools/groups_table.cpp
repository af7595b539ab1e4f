#include "groups_table.h"

#include <algorithm>
#include <utility>

#include "metrics_table.h"
#include "neurontune/metrics/classification_metrics.h"
#include "neurontune/metrics/wilson_interval.h"
#include "table.h"

namespace neurontune::cli {
namespace {

constexpr std::size_t kMostGroups = 100;

std::string interval_text(double accuracy, int64_t samples) {
  const auto count = static_cast<double>(samples);
  const auto interval = wilson_interval(accuracy * count, count);
  return accuracy_text(interval.lower) + "–" + accuracy_text(interval.upper);
}

}  // namespace

std::string groups_table(const GroupMetrics& metrics, const Names& names, const Screen& screen) {
  auto groups = metrics.groups;
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.accuracy < b.accuracy; });
  Rows rows = {{"group", "samples", "accuracy", "95 % interval"}};
  for (const auto& group : groups) {
    if (rows.size() > kMostGroups) break;
    rows.push_back({group_name(group, names), std::to_string(group.count),
                    accuracy_text(group.accuracy), interval_text(group.accuracy, group.count)});
  }
  auto text = table(std::move(rows), screen, {{1, 0}, {1, 1}, {1, 2}, {1, 3}});
  if (groups.size() > kMostGroups)
    text += "and " + std::to_string(groups.size() - kMostGroups) + " more groups\n";
  return text;
}

std::string other_figures(const SplitMetrics& metrics) {
  const auto& accuracy = metrics.accuracy;
  auto text = "Mean accuracy is " + accuracy_text(accuracy.mean_accuracy) + ", 95 % interval " +
              interval_text(accuracy.mean_accuracy, accuracy.samples) + "; macro F1 is " +
              accuracy_text(metrics.macro_f1);
  if (metrics.auroc) text += "; AUROC is " + accuracy_text(*metrics.auroc);
  if (metrics.expected_calibration_error)
    text += "; the expected calibration error is " +
            accuracy_text(*metrics.expected_calibration_error) + " (" +
            std::to_string(kCalibrationBins) + " bins)";
  return text + ".";
}

}  // namespace neurontune::cli
