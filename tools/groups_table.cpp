#include "groups_table.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "neurontune/metrics/classification_metrics.h"
#include "neurontune/metrics/wilson_interval.h"
#include "table.h"

namespace neurontune::cli {
namespace {

constexpr std::size_t kMostGroups = 100;

std::string fraction(double value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

std::string interval_text(double accuracy, int64_t samples) {
  const auto count = static_cast<double>(samples);
  const auto interval = wilson_interval(accuracy * count, count);
  return fraction(interval.lower) + "–" + fraction(interval.upper);
}

}  // namespace

std::string groups_table(const GroupMetrics& metrics, const Names& names, const Screen& screen) {
  auto groups = metrics.groups;
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.accuracy < b.accuracy; });
  Rows rows = {{"group", "samples", "accuracy", "95 % interval"}};
  for (const auto& group : groups) {
    if (rows.size() > kMostGroups) break;
    rows.push_back({names.label(group.label) + " with " + names.attribute(group.attribute),
                    std::to_string(group.count), fraction(group.accuracy),
                    interval_text(group.accuracy, group.count)});
  }
  auto text = table(std::move(rows), screen, {{1, 0}, {1, 1}, {1, 2}, {1, 3}});
  if (groups.size() > kMostGroups)
    text += "and " + std::to_string(groups.size() - kMostGroups) + " more groups\n";
  return text;
}

std::string other_figures(const SplitMetrics& metrics) {
  const auto& accuracy = metrics.accuracy;
  auto text = "Mean accuracy is " + fraction(accuracy.mean_accuracy) + ", 95 % interval " +
              interval_text(accuracy.mean_accuracy, accuracy.samples) + "; macro F1 is " +
              fraction(metrics.macro_f1);
  if (metrics.auroc) text += "; AUROC is " + fraction(*metrics.auroc);
  if (metrics.expected_calibration_error)
    text += "; the expected calibration error is " + fraction(*metrics.expected_calibration_error) +
            " (" + std::to_string(kCalibrationBins) + " bins)";
  return text + ".";
}

}  // namespace neurontune::cli
