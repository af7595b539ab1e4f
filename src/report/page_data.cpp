#include "report/page_data.h"

#include <nlohmann/json.hpp>

#include "report/nullable.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

template <typename Items, typename Convert>
Json list(const Items& items, const Convert& convert) {
  Json json = Json::array();
  for (const auto& item : items) json.push_back(convert(item));
  return json;
}

Json sample_json(const PageData::Sample& sample) {
  Json json = {{"id", sample.id},
               {"label", sample.label},
               {"before", sample.before},
               {"after", sample.after},
               {"attribute", nullable(sample.attribute)},
               {"belief", nullable(sample.belief)}};
  if (!sample.image.empty()) json["image"] = sample.image;
  if (!sample.text.empty()) json["text"] = sample.text;
  return json;
}

Json sheet_json(const PageData::Sheet& sheet) {
  return {{"label", sheet.label},
          {"value", nullable(sheet.value)},
          {"count", sheet.count},
          {"samples", list(sheet.samples, sample_json)}};
}

Json activations_json(const PageData::Activations& activations) {
  return {{"label", activations.label},
          {"score", activations.score},
          {"median_misclassified", activations.median_misclassified},
          {"median_correct", activations.median_correct},
          {"low", activations.low},
          {"high", activations.high},
          {"misclassified", activations.misclassified},
          {"correct", activations.correct}};
}

Json neuron_json(const PageData::Neuron& neuron) {
  return {{"dimension", neuron.dimension},
          {"biased", neuron.biased},
          {"classes", list(neuron.classes, activations_json)},
          {"samples", list(neuron.samples, sample_json)}};
}

Json scores_json(const PageData::Scores& scores) {
  return {{"label", scores.label},
          {"over_threshold", scores.over_threshold},
          {"by_rank", scores.by_rank}};
}

}  // namespace

nlohmann::ordered_json page_data_json(const PageData& data) {
  return {{"names", {{"labels", data.labels}, {"attributes", data.attributes}}},
          {"shown", data.shown},
          {"identify", data.identify},
          {"samples", data.samples},
          {"dimensions", data.dimensions},
          {"threshold", data.threshold},
          {"sheets", list(data.sheets, sheet_json)},
          {"neurons", list(data.neurons, neuron_json)},
          {"scores", list(data.scores, scores_json)},
          {"worst_group_of_epochs", data.worst_group_of_epochs},
          {"worst_inferred_group_of_epochs", data.worst_inferred_group_of_epochs}};
}

}  // namespace neurontune
