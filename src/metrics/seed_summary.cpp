#include "neurontune/metrics/seed_summary.h"

#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

namespace neurontune {
namespace {

using Figure = std::function<std::optional<double>(const SplitMetrics&)>;

const std::vector<std::pair<std::string, Figure>>& figures() {
  static const std::vector<std::pair<std::string, Figure>> all = {
      {"mean_accuracy", [](const SplitMetrics& of) { return of.accuracy.mean_accuracy; }},
      {"adjusted_mean_accuracy",
       [](const SplitMetrics& of) {
         return of.groups ? of.groups->adjusted_mean_accuracy : std::nullopt;
       }},
      {"worst_group_accuracy",
       [](const SplitMetrics& of) {
         return of.groups ? std::optional(of.groups->worst_group_accuracy) : std::nullopt;
       }},
      {"worst_class_accuracy",
       [](const SplitMetrics& of) { return of.accuracy.worst_class_accuracy; }},
  };
  return all;
}

}  // namespace

SeedSummary summarise(std::vector<double> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, values.size() > 1 ? std::sqrt(squares / (count - 1)) : 0, std::move(values)};
}

MetricSummaries summarise(const std::vector<SplitMetrics>& metrics) {
  MetricSummaries summaries;
  for (const auto& [name, figure] : figures()) {
    std::vector<double> values;
    for (const auto& of_seed : metrics)
      if (const auto value = figure(of_seed)) values.push_back(*value);
    if (!values.empty() && values.size() == metrics.size())
      summaries.emplace_back(name, summarise(std::move(values)));
  }
  return summaries;
}

const SeedSummary* find(const MetricSummaries& summaries, const std::string& name) {
  for (const auto& [candidate, summary] : summaries)
    if (candidate == name) return &summary;
  return nullptr;
}

}  // namespace neurontune
