#include "neurontune/report/metrics_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/json_text.h"
#include "neurontune/metrics/wilson_interval.h"
#include "report/metric_block.h"
#include "report/nullable.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

/// The 95 % interval of an accuracy.
Json interval_json(double accuracy, int64_t samples) {
  const auto count = static_cast<double>(samples);
  const auto interval = wilson_interval(accuracy * count, count);
  return {interval.lower, interval.upper};
}

/// Five decimals: those after them change with the last bits of the logits.
std::optional<double> rounded(const std::optional<double>& value) {
  constexpr double kScale = 1e5;
  return value ? std::optional(std::round(*value * kScale) / kScale) : value;
}

void add_groups(const GroupMetrics& metrics, Json& json) {
  const auto& worst = metrics.groups[metrics.worst_group];
  json["worst_group_accuracy"] = metrics.worst_group_accuracy;
  json["worst_group_interval"] = interval_json(worst.accuracy, worst.count);
  json["worst_group"] = {{"label", worst.label}, {"attribute", worst.attribute}};
  json["adjusted_mean_accuracy"] = nullable(metrics.adjusted_mean_accuracy);
  if (metrics.unknown > 0) json["attribute_unknown"] = metrics.unknown;
  json["groups"] = Json::array();
  for (const auto& group : metrics.groups)
    json["groups"].push_back({{"label", group.label},
                              {"attribute", group.attribute},
                              {"count", group.count},
                              {"accuracy", group.accuracy},
                              {"interval", interval_json(group.accuracy, group.count)}});
}

}  // namespace

nlohmann::ordered_json metrics_json(const SplitMetrics& metrics) {
  Json json;
  json["samples"] = metrics.accuracy.samples;
  json["mean_accuracy"] = metrics.accuracy.mean_accuracy;
  json["mean_accuracy_interval"] =
      interval_json(metrics.accuracy.mean_accuracy, metrics.accuracy.samples);
  json["class_accuracy"] = nullable(metrics.accuracy.class_accuracy);
  json["balanced_accuracy"] = metrics.accuracy.balanced_accuracy;
  json["worst_class_accuracy"] = metrics.accuracy.worst_class_accuracy;
  json["macro_f1"] = metrics.macro_f1;
  json["auroc"] = nullable(metrics.auroc);
  json["expected_calibration_error"] = nullable(rounded(metrics.expected_calibration_error));
  if (metrics.groups) add_groups(*metrics.groups, json);
  return json;
}

std::string json_text(const SplitMetrics& metrics) { return json_text(metrics_json(metrics)); }

}  // namespace neurontune
