#include "neurontune/report/run_report.h"

#include <ATen/ATen.h>
#include <torch/version.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/tensor_values.h"
#include "io/json_text.h"
#include "neurontune/io/safetensors.h"
#include "neurontune/report/conclusion.h"
#include "neurontune/version.h"
#include "report/identification_json.h"
#include "report/metric_block.h"
#include "report/nullable.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

Json split_blocks(const std::map<std::string, SplitMetrics>& splits) {
  Json json = Json::object();
  for (const auto& [name, metrics] : splits) json[name] = metrics_json(metrics);
  return json;
}

/// The worst inferred group, which candidates are ranked by.
Json worst_json(const InferredAccuracy& accuracy) {
  return {
      {"worst_group_accuracy", accuracy.worst_accuracy()},
      {"interval", {accuracy.worst_lower(), accuracy.worst_upper()}},
      {"worst_group", {{"label", accuracy.worst_label}, {"attribute", accuracy.worst_attribute}}}};
}

Json candidates_json(const NeuronTuneResult& result) {
  Json json = Json::array();
  for (const auto& checkpoint : result.candidates)
    json.push_back({{"source", checkpoint.epoch == 0 ? "erm" : "neurontune"},
                    {"epoch", checkpoint.epoch},
                    {"sfit", nullable(checkpoint.sfit)},
                    {"balanced_accuracy", checkpoint.accuracy.balanced_accuracy},
                    {"biased", checkpoint.biased.count()}});
  return json;
}

/// Which head it is.
Json settings_json(const CandidateSettings& settings) {
  Json json = {{"source", name(settings.source)}, {"fitted_to", name(settings.fitted_to)}};
  json["epoch"] = settings.source == Source::erm ? Json(0) : nullable(settings.epoch);
  if (settings.penalty) json["penalty"] = *settings.penalty;
  if (settings.gamma) json["gamma"] = *settings.gamma;
  return json;
}

Json candidate_json(const Candidate& candidate) {
  auto json = settings_json(candidate.settings);
  json["acceptance"] = name(candidate.acceptance);
  json["sfit"] = nullable(candidate.sfit);
  json["balanced_accuracy"] = candidate.accuracy.balanced_accuracy;
  json["worst_class_accuracy"] = candidate.accuracy.worst_class_accuracy;
  json["worst_lower"] = candidate.worst_lower;
  json["repairability"] = candidate.repairability;
  if (candidate.inferred) json["inferred"] = worst_json(*candidate.inferred);
  return json;
}

Json candidates_json(const RepairResult& result) {
  Json json = Json::array();
  const auto masked = result.neurontune.biased.count();
  for (const auto& candidate : result.candidates) {
    json.push_back(candidate_json(candidate));
    json.back()["biased"] = candidate.settings.source == Source::neurontune ? masked : 0;
  }
  return json;
}

Json groups_json(const InferredAccuracy& accuracy) {
  Json json = worst_json(accuracy);
  json["groups"] = Json::array();
  const auto samples = accuracy.samples.accessor<double, 2>();
  const auto rate = accuracy.accuracy.accessor<double, 2>();
  const auto lower = accuracy.lower.accessor<double, 2>();
  const auto upper = accuracy.upper.accessor<double, 2>();
  for (int64_t label = 0; label < samples.size(0); ++label)
    for (int64_t value = 0; value < samples.size(1); ++value)
      json["groups"].push_back({{"label", label},
                                {"attribute", value},
                                {"samples", samples[label][value]},
                                {"accuracy", rate[label][value]},
                                {"interval", {lower[label][value], upper[label][value]}}});
  return json;
}

Json shortcut_json(const RepairResult& result) {
  const auto& shortcut = result.shortcut;
  Json json = {{"verdict", name(shortcut.verdict)},
               {"reason", shortcut.reason},
               {"evidence", nullable(shortcut.evidence())},
               {"separation", nullable(shortcut.separation)},
               {"reliance", nullable(shortcut.reliance)},
               {"suspected_labels", nullable(shortcut.suspected_labels)}};
  if (!shortcut.found_groups()) return json;
  json["trusted"] = shortcut.verdict == ShortcutVerdict::supported;
  if (result.erm.inferred) json["erm"] = groups_json(*result.erm.inferred);
  if (const auto& selected = result.candidates.front(); selected.inferred)
    json["tuned"] = groups_json(*selected.inferred);
  return json;
}

Json null_json(const NullTest& null) {
  Json json = Json::array();
  for (std::size_t label = 0; label < null.verdicts.size(); ++label) {
    const double least = null.minimal_effects[label];
    json.push_back(
        {{"label", label},
         {"verdict", name(null.verdicts[label])},
         {"significant", null.significant[static_cast<int64_t>(label)].sum().item<int64_t>()},
         {"minimal_effect", std::isfinite(least) ? Json(least) : Json()}});
  }
  return json;
}

std::vector<int64_t> indices_of(const at::Tensor& flags) {
  return values_of<int64_t>(flags.nonzero());
}

}  // namespace

std::string shown_split(const RunReport& report) {
  return report.tuned.contains("test") ? "test" : report.tuned.rbegin()->first;
}

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

nlohmann::ordered_json mistake_test_json(const MistakeTest& test) {
  return {{"plain", null_json(test.plain)}, {"given_margin", null_json(test.given_margin)}};
}

std::string json_text(const RunReport& report) {
  const auto& result = report.result;
  const auto& found = result.neurontune();
  const auto settings = result.settings();
  Json json;
  json["method"] = name(settings.source);
  json["recipe"] = report.recipe;
  json["criterion"] = report.criterion;
  json["seed"] = report.seed;
  json["device"] = report.device;
  json["versions"] = {{"neurontune", kVersion}, {"libtorch", TORCH_VERSION}};
  json["warnings"] = report.warnings;
  json["conclusion"] = conclusion(result);
  json["selected"] = name(settings.source);
  json["selected_epoch"] = nullable(result.epoch());
  if (const auto* repaired = result.repair()) {
    json["fitted_to"] = name(settings.fitted_to);
    json["acceptance"] = name(repaired->acceptance);
  }
  json["sfit"] = nullable(result.sfit());
  json["biased_dimensions"] = biased_dimensions_json(result.masked());
  json["identified_dimensions"] = biased_dimensions_json(found.biased);
  json["classes"] = classes_json(found.scores);
  if (found.test) json["mistake_test"] = mistake_test_json(*found.test);
  if (const auto* repaired = result.repair()) {
    json["shortcut"] = shortcut_json(*repaired);
    json["held_out"] = {{"erm", candidate_json(repaired->erm)},
                        {"tuned", candidate_json(repaired->candidates.front())}};
  }
  json["erm"] = split_blocks(report.erm);
  json["tuned"] = split_blocks(report.tuned);
  json["candidates"] = result.repair() ? candidates_json(*result.repair()) : candidates_json(found);
  json["refused_candidates"] = result.repair() ? result.repair()->refused : 0;
  if (report.verified)
    json["verified"] = {{"max_abs_difference", report.verified->max_abs_difference}};
  for (const auto& [name, samples] : report.skipped)
    for (const auto& [sample, reason] : samples)
      json["skipped"].push_back({{"split", name}, {"sample", sample}, {"reason", reason}});
  json["files"] = report.files;
  json["seconds"] = report.seconds;
  return json_text(json);
}

std::string trajectory_jsonl(const NeuronTuneResult& result) {
  std::string lines;
  for (const auto& checkpoint : result.trajectory) {
    const Json line = {{"epoch", checkpoint.epoch},
                       {"loss", nullable(checkpoint.loss)},
                       {"sfit", nullable(checkpoint.sfit)},
                       {"balanced_accuracy", checkpoint.accuracy.balanced_accuracy},
                       {"class_accuracy", nullable(checkpoint.accuracy.class_accuracy)},
                       {"biased", checkpoint.biased.count()}};
    lines += line.dump() + "\n";
  }
  return lines;
}

void write_spuriousness(const std::filesystem::path& path, const SpuriousnessScores& scores,
                        const BiasedDimensions& biased, const std::optional<MistakeTest>& test) {
  const auto stored = [](const at::Tensor& tensor) { return tensor.cpu().to(at::kFloat); };
  std::vector<std::pair<std::string, at::Tensor>> tensors = {
      {"scores", stored(scores.scores)},
      {"mask", stored(biased.mask)},
      {"median_correct", stored(scores.median_correct)},
      {"median_misclassified", stored(scores.median_misclassified)}};
  if (test) {
    tensors.emplace_back("effect", stored(test->plain.effects));
    tensors.emplace_back("effect_given_margin", stored(test->given_margin.effects));
    tensors.emplace_back("p_value", stored(test->plain.p_values));
    tensors.emplace_back("p_value_given_margin", stored(test->given_margin.p_values));
  }
  write_safetensors(path, tensors);
}

}  // namespace neurontune
