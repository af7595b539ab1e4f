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

std::string worst_group_name(const GroupMetrics& metrics, const Names& names) {
  const auto& worst = metrics.groups[metrics.worst_group];
  return names.label(worst.label) + " with " + names.attribute(worst.attribute);
}

std::string metrics_table(const std::vector<std::pair<std::string, SplitMetrics>>& heads,
                          const Names& names, const Screen& screen) {
  const bool grouped = heads.front().second.groups.has_value();
  Rows rows;
  std::set<std::pair<std::size_t, std::size_t>> emphasised;
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
    for (const std::size_t column : {3, 4}) emphasised.insert({rows.size(), column});
    rows.push_back({name, fraction(accuracy.mean_accuracy),
                    groups.adjusted_mean_accuracy ? fraction(*groups.adjusted_mean_accuracy) : "–",
                    fraction(groups.worst_group_accuracy), worst_group_name(groups, names)});
  }
  return table(std::move(rows), screen, emphasised);
}

}  // namespace neurontune::cli
