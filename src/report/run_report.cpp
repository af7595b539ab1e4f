#include "neurontune/report/run_report.h"

#include <ATen/ATen.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "neurontune/data/safetensors.h"
#include "neurontune/report/metrics_json.h"
#include "neurontune/version.h"
#include "report/nullable.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

Json split_blocks(const std::map<std::string, SplitMetrics>& splits) {
  Json json = Json::object();
  for (const auto& [name, metrics] : splits) json[name] = metrics_json(metrics);
  return json;
}

Json candidates_json(const NeuronTuneResult& result) {
  Json json = Json::array();
  for (const auto index : result.candidates) {
    const auto& checkpoint = result.trajectory[index];
    json.push_back({{"epoch", checkpoint.epoch},
                    {"sfit", nullable(checkpoint.sfit)},
                    {"balanced_accuracy", checkpoint.accuracy.balanced_accuracy},
                    {"biased", checkpoint.biased.count()}});
  }
  return json;
}

std::vector<int64_t> indices_of(const at::Tensor& flags) {
  const auto indices = flags.nonzero().squeeze(1).cpu().contiguous();
  const auto* const data = indices.const_data_ptr<int64_t>();
  return {data, data + indices.numel()};
}

}  // namespace

nlohmann::ordered_json biased_dimensions_json(const BiasedDimensions& biased) {
  Json indices = Json::array();
  if (biased.biased.dim() == 1)
    indices = indices_of(biased.biased);
  else
    for (int64_t label = 0; label < biased.biased.size(0); ++label)
      indices.push_back(indices_of(biased.biased[label]));
  return {{"count", biased.count()}, {"total", biased.biased.numel()}, {"indices", indices}};
}

nlohmann::ordered_json classes_json(const SpuriousnessScores& scores) {
  Json json = Json::array();
  for (int64_t label = 0; label < scores.classes(); ++label)
    json.push_back({{"label", label},
                    {"correct", scores.correct[label]},
                    {"misclassified", scores.misclassified[label]},
                    {"usable", scores.usable(label)}});
  return json;
}

nlohmann::ordered_json result_json(const RunReport& report) {
  const auto& result = report.result;
  Json json;
  json["method"] = "neurontune";
  json["recipe"] = report.recipe;
  json["criterion"] = report.criterion;
  json["seed"] = report.seed;
  json["device"] = report.device;
  json["versions"] = {{"neurontune", kVersion}, {"libtorch", TORCH_VERSION}};
  json["warnings"] = result.warnings;
  json["selected_epoch"] = result.selected_epoch;
  json["sfit"] = nullable(result.sfit);
  json["biased_dimensions"] = biased_dimensions_json(result.biased);
  json["classes"] = classes_json(result.scores);
  json["erm"] = split_blocks(report.erm);
  json["tuned"] = split_blocks(report.tuned);
  json["candidates"] = candidates_json(result);
  if (report.verified)
    json["verified"] = {{"max_abs_difference", report.verified->max_abs_difference}};
  for (const auto& [name, samples] : report.skipped)
    for (const auto& [sample, reason] : samples)
      json["skipped"].push_back({{"split", name}, {"sample", sample}, {"reason", reason}});
  json["seconds"] = report.seconds;
  return json;
}

std::string trajectory_jsonl(const NeuronTuneResult& result) {
  std::string lines;
  for (const auto& checkpoint : result.trajectory) {
    const Json line = {{"epoch", checkpoint.epoch},
                       {"loss", checkpoint.loss},
                       {"sfit", nullable(checkpoint.sfit)},
                       {"balanced_accuracy", checkpoint.accuracy.balanced_accuracy},
                       {"class_accuracy", nullable(checkpoint.accuracy.class_accuracy)},
                       {"biased", checkpoint.biased.count()}};
    lines += line.dump() + "\n";
  }
  return lines;
}

void write_spuriousness(const std::filesystem::path& path, const SpuriousnessScores& scores,
                        const BiasedDimensions& biased) {
  const auto stored = [](const at::Tensor& tensor) { return tensor.cpu().to(at::kFloat); };
  write_safetensors(path, {{"scores", stored(scores.scores)},
                           {"mask", stored(biased.mask)},
                           {"median_correct", stored(scores.median_correct)},
                           {"median_misclassified", stored(scores.median_misclassified)}});
}

}  // namespace neurontune
