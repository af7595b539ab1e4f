#include <ATen/ATen.h>
#include <neurontune/method/identification.h>
#include <neurontune/method/single_steps.h>
#include <neurontune/metrics/class_predictions.h>
#include <neurontune/metrics/split_metrics.h>
#include <neurontune/pipeline/run_in_memory.h>
#include <neurontune/report/metrics_json.h>

#include "bindings.h"
#include "conversions.h"
#include "groups.h"

namespace neurontune::python {
namespace {

py::dict scores_dict(const SpuriousnessScores& scores) {
  py::dict found;
  found["scores"] = scores.scores;
  found["median_correct"] = scores.median_correct;
  found["median_misclassified"] = scores.median_misclassified;
  found["correct"] = scores.correct;
  found["misclassified"] = scores.misclassified;
  found["sfit"] = spuriousness_fitness(scores);
  return found;
}

py::dict spuriousness(const at::Tensor& embeddings, const at::Tensor& labels,
                      const at::Tensor& predictions, int64_t classes, const std::string& settings) {
  const auto activation = method_config(settings).identify.activation;
  const auto data = labelled_of({embeddings, labels, std::nullopt});
  return scores_dict(unlocked([&] {
    return spuriousness_scores(data.embeddings, data.labels, predictions.to(data.labels.options()),
                               classes, activation);
  }));
}

py::dict identify_biased(const SplitTuple& held_out, const HeadTuple& head,
                         const std::string& settings) {
  const auto config = method_config(settings);
  const auto found = unlocked([&] {
    const auto data = labelled_of(held_out);
    return identify(data, head_beside(head, data.embeddings), config.identify);
  });
  auto result = scores_dict(found.scores);
  result["mask"] = found.biased.mask;
  result["biased"] = found.biased.biased;
  result["warnings"] = found.warnings;
  return result;
}

py::list retrain_head(const SplitTuple& tuning, const HeadTuple& head,
                      const std::optional<at::Tensor>& mask, const std::string& settings,
                      const py::object& progress) {
  const auto config = method_config(settings);
  const auto epochs = unlocked([&, on_progress = progress_of(progress)] {
    const auto data = labelled_of(tuning);
    return retrain(data, head_beside(head, data.embeddings), mask.value_or(at::Tensor()),
                   config.tune, config.seed, on_progress);
  });
  py::list list;
  for (const auto& epoch : epochs) list.append(py::make_tuple(epoch.loss, tuple_of(epoch.head)));
  return list;
}

py::dict select_head(const SplitTuple& held_out, const std::vector<HeadTuple>& heads,
                     const std::string& settings) {
  const auto config = method_config(settings);
  const auto figures = unlocked([&] {
    const auto data = labelled_of(held_out);
    std::vector<Head> beside;
    for (const auto& head : heads) beside.push_back(head_beside(head, data.embeddings));
    return checkpoint_figures(data, beside, config.identify.activation);
  });
  py::list sfit, accuracies;
  for (const auto& of : figures) {
    sfit.append(of.sfit);
    accuracies.append(of.balanced_accuracy);
  }
  py::dict result;
  result["order"] = ranked_candidates(figures, config.select);
  result["sfit"] = sfit;
  result["balanced_accuracy"] = accuracies;
  return result;
}

py::dict find_groups(const SplitTuple& held_out, const SplitTuple& tuning, const HeadTuple& head,
                     const std::string& settings) {
  const auto config = method_config(settings);
  return groups_dict(unlocked([&] {
    const auto data = labelled_of(held_out);
    return search_shortcut(data, labelled_of(tuning), head_beside(head, data.embeddings),
                           config.shortcut, config.seed);
  }));
}

/// @param predicted int64 [N], or logits [N, C]
/// @param train     labels and attributes of the training split, or none
std::string accuracy(const at::Tensor& predicted, const at::Tensor& labels,
                     const std::optional<at::Tensor>& attributes, int64_t classes,
                     const std::optional<std::pair<at::Tensor, at::Tensor>>& train) {
  const auto known = attributes.value_or(at::Tensor());
  GroupSpace space{classes, 0, {}};
  const auto widen = [&](const at::Tensor& values) {
    if (values.defined() && values.numel() > 0)
      space.attribute_values = std::max(space.attribute_values, values.max().item<int64_t>() + 1);
  };
  widen(known);
  if (train) {
    widen(train->second);
    space.train_counts = group_counts(train->first, train->second, classes, space.attribute_values);
  }
  return unlocked([&] {
    if (predicted.dim() == 1) return json_text(split_metrics(predicted, labels, known, space));
    return json_text(split_metrics(class_predictions(predicted), labels, known, space));
  });
}

}  // namespace

void bind_steps(py::module_& module) {
  module.def("spuriousness_scores", &spuriousness);
  module.def("identify", &identify_biased);
  module.def("retrain", &retrain_head);
  module.def("select", &select_head);
  module.def("infer_groups", &find_groups);
  module.def("group_accuracy", &accuracy);
}

}  // namespace neurontune::python
