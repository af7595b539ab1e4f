#include "metrics_table.h"

#include "base/number_text.h"
#include "table.h"

namespace neurontune::cli {

std::string accuracy_text(double value) { return fixed(value, 3); }

std::string group_name(const GroupAccuracy& group, const Names& names) {
  return names.label(group.label) + " with " + names.attribute(group.attribute);
}

std::string worst_group_name(const GroupMetrics& metrics, const Names& names) {
  return group_name(metrics.groups[metrics.worst_group], names);
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
      rows.push_back({name, accuracy_text(accuracy.mean_accuracy),
                      accuracy_text(accuracy.balanced_accuracy),
                      accuracy_text(accuracy.worst_class_accuracy)});
      continue;
    }
    const auto& groups = *metrics.groups;
    for (const std::size_t column : {3, 4}) emphasised.insert({rows.size(), column});
    rows.push_back(
        {name, accuracy_text(accuracy.mean_accuracy),
         groups.adjusted_mean_accuracy ? accuracy_text(*groups.adjusted_mean_accuracy) : "–",
         accuracy_text(groups.worst_group_accuracy), worst_group_name(groups, names)});
  }
  return table(std::move(rows), screen, emphasised);
}

}  // namespace neurontune::cli
