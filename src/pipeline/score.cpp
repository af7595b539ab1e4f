#include "neurontune/pipeline/score.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/computing_type.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/pipeline/open_model.h"
#include "pipeline/open_embeddings.h"
#include "pipeline/score_json.h"
#include "report/identification_json.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

/// Where each dimension is flagged: bool [C, M].
at::Tensor flags_by_class(const ScoreOutcome& outcome) {
  const auto& flags = outcome.biased.biased;
  return flags.dim() == 2 ? flags : flags.unsqueeze(0).expand_as(outcome.scores.scores);
}

std::vector<std::string> most_activating(const EmbeddingSplit& split, const at::Tensor& column,
                                         int64_t count) {
  const auto rows = std::get<1>(column.topk(std::min(count, column.size(0))));
  std::vector<std::string> names;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const auto row = rows[i].item<int64_t>();
    names.push_back(split.ids.empty() ? "row " + std::to_string(row) : split.ids[row]);
  }
  return names;
}

std::vector<BiasedDimension> strongest(const ScoreOutcome& outcome, const EmbeddingSplit& split,
                                       const Config& config, int64_t samples) {
  const auto lowest = -std::numeric_limits<double>::infinity();
  const auto flagged =
      outcome.scores.scores.masked_fill(flags_by_class(outcome).logical_not(), lowest);
  const auto [best, labels] = flagged.max(0);
  std::vector<BiasedDimension> dimensions;
  const auto order = best.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  for (int64_t i = 0; i < order.size(0); ++i) {
    const auto index = order[i].item<int64_t>();
    const double score = best[index].item<double>();
    if (score == lowest) break;
    auto column = split.embeddings.select(1, index).to(at::kDouble);
    if (config.identify.activation == Activation::magnitude) column = column.abs();
    dimensions.push_back(
        {index, score, labels[index].item<int64_t>(), most_activating(split, column, samples)});
  }
  return dimensions;
}

Json rows_json(const at::Tensor& matrix) {
  const auto host = matrix.cpu().to(at::kDouble).contiguous();
  const auto* const data = host.const_data_ptr<double>();
  Json rows = Json::array();
  for (int64_t row = 0; row < host.size(0); ++row)
    rows.push_back(std::vector<double>(data + row * host.size(1), data + (row + 1) * host.size(1)));
  return rows;
}

}  // namespace

ScoreOutcome score(const Config& config, int64_t samples, const LogFn& log) {
  config.validate();
  if (config.embeddings.path.empty()) throw OptionError("embeddings.path is empty");
  const auto folder = open_configured_embeddings(config, log);
  const auto split = folder.select(SplitSelector::parse(config.splits.identify));
  const auto device = resolve_device(config.device, log);
  const auto dtype = computing_type(split.embeddings);
  auto found =
      identify({split.embeddings.to(device), split.labels.to(device), /*known_finite=*/true},
               to(folder.head(), device, dtype), config.identify);
  ScoreOutcome outcome{std::move(found.scores),   std::move(found.biased),
                       std::move(found.test),     found.sfit,
                       std::move(found.warnings), {}};
  const auto warnings = warnings_of(folder);
  outcome.warnings.insert(outcome.warnings.begin(), warnings.begin(), warnings.end());
  outcome.strongest = strongest(outcome, split, config, samples);
  return outcome;
}

nlohmann::ordered_json score_json(const ScoreOutcome& outcome) {
  Json json;
  json["classes"] = classes_json(outcome.scores);
  json["biased_dimensions"] = biased_dimensions_json(outcome.biased);
  if (outcome.test) json["mistake_test"] = mistake_test_json(*outcome.test);
  json["sfit"] = outcome.sfit ? Json(*outcome.sfit) : Json();
  json["warnings"] = outcome.warnings;
  json["strongest"] = Json::array();
  for (const auto& dimension : outcome.strongest)
    json["strongest"].push_back({{"dimension", dimension.index},
                                 {"score", dimension.score},
                                 {"label", dimension.label},
                                 {"samples", dimension.samples}});
  json["scores"] = rows_json(outcome.scores.scores);
  return json;
}

std::string json_text(const ScoreOutcome& outcome) { return json_text(score_json(outcome)); }

}  // namespace neurontune
