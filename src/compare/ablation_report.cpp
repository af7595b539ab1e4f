#include "neurontune/compare/ablation_report.h"

#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "compare/summaries_json.h"
#include "io/csv_row.h"
#include "io/json_text.h"
#include "neurontune/version.h"
#include "report/metric_block.h"
#include "report/nullable.h"
#include "report/text_rows.h"

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
               {"selected", name(run.source)},
               {"selected_epoch", nullable(run.selected_epoch)},
               {"biased", run.biased},
               {"sfit", nullable(run.sfit)},
               {"warnings", run.warnings}};
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

}  // namespace

std::string json_text(const AblationReport& report) {
  Json json = {{"embeddings", report.embeddings},
               {"dimensions", report.dimensions},
               {"seeds", report.seeds},
               {"device", report.device},
               {"versions", {{"neurontune", kVersion}, {"libtorch", TORCH_VERSION}}},
               {"erm", metrics_json(report.erm)},
               {"warnings", report.warnings},
               {"points", Json::array()}};
  for (const auto& point : report.points) json["points"].push_back(point_json(point));
  return json_text(json);
}

std::string ablation_csv(const AblationReport& report) {
  std::vector<std::string> figures;
  for (const auto& point : report.points)
    if (figures.empty())
      for (const auto& [name, summary] : point.test) figures.push_back(name);
  std::vector<std::string> heading;
  for (const auto& [key, value] : report.points.front().settings) heading.push_back(key);
  heading.emplace_back("biased");
  for (const auto& name : figures) heading.insert(heading.end(), {name + "_mean", name + "_std"});
  heading.emplace_back("failure");
  auto text = csv_row(heading);
  for (const auto& point : report.points) {
    std::vector<std::string> row;
    for (const auto& [key, value] : point.settings) row.push_back(value);
    row.push_back(point.runs.empty() ? "" : std::to_string(point.runs.front().biased));
    for (const auto& name : figures) {
      const auto* const figure = find(point.test, name);
      row.push_back(figure ? Json(figure->mean).dump() : "");
      row.push_back(figure ? Json(figure->standard_deviation).dump() : "");
    }
    row.push_back(point.failure);
    text += csv_row(row);
  }
  return text;
}

}  // namespace neurontune
