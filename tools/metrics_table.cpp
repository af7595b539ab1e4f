#include "metrics_table.h"

#include <cstdio>

#include "table.h"

namespace neurontune::cli {
namespace {

std::string fraction(double value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

}  // namespace

std::string metrics_table(const std::vector<std::pair<std::string, SplitMetrics>>& heads,
                          const Names& names) {
  const bool grouped = heads.front().second.groups.has_value();
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"", "mean", "balanced", "worst class"});
  if (grouped) rows.back() = {"", "mean", "adjusted mean", "worst group", ""};
  for (const auto& [name, metrics] : heads) {
    const auto& accuracy = metrics.accuracy;
    if (!grouped) {
      rows.push_back({name, fraction(accuracy.mean_accuracy), fraction(accuracy.balanced_accuracy),
                      fraction(accuracy.worst_class_accuracy)});
      continue;
    }
    const auto& groups = *metrics.groups;
    const auto& worst = groups.groups[groups.worst_group];
    rows.push_back({name, fraction(accuracy.mean_accuracy),
                    groups.adjusted_mean_accuracy ? fraction(*groups.adjusted_mean_accuracy) : "–",
                    fraction(groups.worst_group_accuracy),
                    names.label(worst.label) + " with " + names.attribute(worst.attribute)});
  }
  return table(rows);
}

}  // namespace neurontune::cli
