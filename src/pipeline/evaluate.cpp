#include "neurontune/pipeline/evaluate.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace neurontune {
namespace {

int64_t classes_of(const at::Tensor& labels) {
  return labels.numel() == 0 ? 0 : labels.max().item<int64_t>() + 1;
}

std::vector<std::string> class_warnings(int64_t classes, int64_t labelled) {
  if (classes <= labelled) return {};
  const auto last = std::to_string(labelled - 1);
  return {"the head has " + std::to_string(classes) + " classes, but the data has only " +
          (labelled == 1 ? "the label 0" : "labels 0 to " + last) +
          "; if its outputs are a yes or no for each of " + std::to_string(classes) +
          " labels, which is not supported, export the model with the one output that the data's "
          "labels are of: a single logit serves as two classes"};
}

}  // namespace

GroupSpace group_space(const EmbeddingFolder& folder) {
  GroupSpace space{folder.head().classes(), folder.attribute_values(), {}};
  const auto train = folder.splits().find("train");
  if (train != folder.splits().end() && train->second.attributes.defined())
    space.train_counts = group_counts(train->second.labels, train->second.attributes, space.classes,
                                      space.attribute_values);
  return space;
}

GroupSpace group_space(const DataFolder& data, int64_t classes) {
  GroupSpace space{classes, 0, {}};
  for (const auto& split : data.splits)
    if (const auto attributes = split.dataset->attributes(); attributes.defined())
      space.attribute_values =
          std::max(space.attribute_values, attributes.max().item<int64_t>() + 1);
  for (const auto& split : data.splits)
    if (const auto attributes = split.dataset->attributes();
        split.name == "train" && attributes.defined())
      space.train_counts =
          group_counts(split.dataset->labels(), attributes, classes, space.attribute_values);
  return space;
}

std::vector<std::string> class_warnings(const EmbeddingFolder& folder) {
  int64_t labelled = 0;
  for (const auto& [name, split] : folder.splits())
    labelled = std::max(labelled, classes_of(split.labels));
  return class_warnings(folder.head().classes(), labelled);
}

std::vector<std::string> class_warnings(const DataFolder& data, int64_t classes) {
  int64_t labelled = 0;
  for (const auto& split : data.splits)
    labelled = std::max(labelled, classes_of(split.dataset->labels()));
  return class_warnings(classes, labelled);
}

ClassPredictions class_predictions(const Head& head, const EmbeddingSplit& split) {
  return class_predictions(logits(head, split.embeddings.to(head.weight.device())));
}

SplitMetrics evaluate(const Head& head, const EmbeddingSplit& split, const GroupSpace& space) {
  return split_metrics(class_predictions(head, split), split.labels, split.attributes, space);
}

std::map<std::string, SplitMetrics> evaluate(const Head& head, const EmbeddingFolder& folder) {
  const auto space = group_space(folder);
  std::map<std::string, SplitMetrics> metrics;
  for (const auto& [name, split] : folder.splits()) metrics[name] = evaluate(head, split, space);
  return metrics;
}

}  // namespace neurontune
