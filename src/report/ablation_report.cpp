#include "neurontune/report/ablation_report.h"

#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "neurontune/report/comparison_report.h"
#include "neurontune/report/metrics_json.h"
#include "neurontune/version.h"
#include "report/nullable.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

Json epoch_json(const EpochReport& epoch) {
  return {{"epoch", epoch.epoch},
          {"loss", epoch.loss},
          {"sfit", nullable(epoch.sfit)},
          {"biased", epoch.biased},
          {"identify", metrics_json(epoch.identify)},
          {"test", metrics_json(epoch.test)}};
}

Json run_json(const AblationRun& run) {
  Json json = {{"seed", run.seed},
               {"selected_epoch", run.selected_epoch},
               {"biased", run.biased},
               {"sfit", nullable(run.sfit)}};
  for (const auto& epoch : run.trajectory) json["trajectory"].push_back(epoch_json(epoch));
  return json;
}

Json point_json(const AblationPoint& point) {
  Json json = {{"settings", Json::object()},
               {"test", summaries_json(point.test)},
               {"seconds", point.seconds},
               {"runs", Json::array()}};
  for (const auto& [key, value] : point.settings) json["settings"][key] = value;
  for (const auto& run : point.runs) json["runs"].push_back(run_json(run));
  if (!point.failure.empty()) json["failure"] = point.failure;
  return json;
}

/// Text as a field of a CSV.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
  return field + "\"";
}

}  // namespace

nlohmann::ordered_json ablation_json(const AblationReport& report) {
  Json json = {{"embeddings", report.embeddings},
               {"dimensions", report.dimensions},
               {"seeds", report.seeds},
               {"device", report.device},
               {"versions", {{"neurontune", kVersion}, {"libtorch", TORCH_VERSION}}},
               {"erm", metrics_json(report.erm)},
               {"points", Json::array()}};
  for (const auto& point : report.points) json["points"].push_back(point_json(point));
  return json;
}

std::string ablation_csv(const AblationReport& report) {
  std::vector<std::string> figures;
  for (const auto& point : report.points)
    if (figures.empty())
      for (const auto& [name, summary] : point.test) figures.push_back(name);
  std::string text;
  for (const auto& [key, value] : report.points.front().settings) text += quoted(key) + ",";
  text += "biased";
  for (const auto& figure : figures) text += "," + figure + "_mean," + figure + "_std";
  text += ",failure\n";
  for (const auto& point : report.points) {
    for (const auto& [key, value] : point.settings) text += quoted(value) + ",";
    if (!point.runs.empty()) text += std::to_string(point.runs.front().biased);
    for (const auto& name : figures) {
      const auto* const figure = find(point.test, name);
      text += figure
                  ? "," + Json(figure->mean).dump() + "," + Json(figure->standard_deviation).dump()
                  : ",,";
    }
    text += "," + quoted(point.failure) + "\n";
  }
  return text;
}

}  // namespace neurontune
