#include "report/model_card.h"

#include <torch/version.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/byte_escapes.h"
#include "base/describe.h"
#include "base/number_text.h"
#include "io/yaml_text.h"
#include "neurontune/data/split.h"
#include "neurontune/report/conclusion.h"
#include "neurontune/version.h"
#include "report/text_rows.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

std::string fraction(std::optional<double> value) { return value ? fixed(*value, 3) : "–"; }

/// A figure by the name of its key in a metric block.
struct Figure {
  const char *key, *name;
  std::optional<double> before, after;
};

std::vector<Figure> figures(const SplitMetrics& before, const SplitMetrics& after) {
  const auto &of_before = before.accuracy, &of_after = after.accuracy;
  const Figure mean = {"accuracy", "Accuracy", of_before.mean_accuracy, of_after.mean_accuracy};
  const Figure balanced = {"balanced_accuracy", "Class-balanced accuracy",
                           of_before.balanced_accuracy, of_after.balanced_accuracy};
  const Figure worst_class = {"worst_class_accuracy", "Worst-class accuracy",
                              of_before.worst_class_accuracy, of_after.worst_class_accuracy};
  if (!before.groups || !after.groups) return {mean, balanced, worst_class};
  const Figure worst_group = {"worst_group_accuracy", "Worst-group accuracy",
                              before.groups->worst_group_accuracy,
                              after.groups->worst_group_accuracy};
  const Figure adjusted = {"adjusted_mean_accuracy", "Adjusted mean accuracy",
                           before.groups->adjusted_mean_accuracy,
                           after.groups->adjusted_mean_accuracy};
  return {worst_group, mean, adjusted, balanced, worst_class};
}

Json metrics(const RunReport& report, const std::string& split) {
  Json json = Json::array();
  for (const auto& [key, name, before, after] :
       figures(report.erm.at(split), report.tuned.at(split))) {
    if (!before || !after) continue;
    json.push_back({{"type", key}, {"name", name}, {"value", *after}});
    json.push_back(
        {{"type", key}, {"name", std::string(name) + " before the repair"}, {"value", *before}});
  }
  return json;
}

/// https://huggingface.co/docs/hub/model-cards#evaluation-results
Json front_matter(const RunReport& report, const CardSource& source) {
  const auto split = shown_split(report), data = escaped_line(source.data);
  Json result;
  result["task"] = {{"type", "other"}, {"name", "Classification"}};
  result["dataset"] = {{"type", data}, {"name", data}, {"split", escaped_line(split)}};
  result["metrics"] = metrics(report, split);
  Json model;
  model["name"] = escaped_line(source.model);
  model["results"] = Json::array({result});
  Json json;
  json["library_name"] = "neurontune";
  json["tags"] = {"neurontune", "spurious-correlations", "group-robustness"};
  json["model-index"] = Json::array({model});
  return json;
}

std::string heading_row(const std::vector<std::string>& heading) {
  return markdown_row(heading) + markdown_row(std::vector<std::string>(heading.size(), "---"));
}

std::string accuracy_table(const SplitMetrics& before, const SplitMetrics& after) {
  auto text = heading_row({"", "before", "after"});
  for (const auto& figure : figures(before, after))
    text += markdown_row({figure.name, fraction(figure.before), fraction(figure.after)});
  return text;
}

/// The groups of both, which are those of the same samples.
std::string group_table(const GroupMetrics& before, const GroupMetrics& after, const Names& names) {
  auto text = heading_row({"label", "attribute", "samples", "before", "after"});
  for (std::size_t i = 0; i < after.groups.size(); ++i) {
    const auto& group = after.groups[i];
    text +=
        markdown_row({markdown_text(names.label(group.label)),
                      markdown_text(names.attribute(group.attribute)), std::to_string(group.count),
                      fraction(before.groups[i].accuracy), fraction(group.accuracy)});
  }
  return text;
}

std::string class_table(const AccuracyMetrics& before, const AccuracyMetrics& after,
                        const Names& names) {
  auto text = heading_row({"class", "before", "after"});
  for (std::size_t label = 0; label < after.class_accuracy.size(); ++label)
    text += markdown_row({markdown_text(names.label(static_cast<int64_t>(label))),
                          fraction(before.class_accuracy[label]),
                          fraction(after.class_accuracy[label])});
  return text;
}

/// @param selected_on whether the split that is measured on is the one that selected the head
std::string accuracies(const RunReport& report, const Names& names, bool selected_on) {
  const auto split = shown_split(report);
  const auto &before = report.erm.at(split), &after = report.tuned.at(split);
  const auto on = " on " + markdown_text(split);
  auto text = "## Accuracy\n\nMeasured" + on + ", " + std::to_string(after.accuracy.samples) +
              " samples" + (selected_on ? ", which also selected the head" : "") + ".\n\n" +
              accuracy_table(before, after);
  if (before.groups && after.groups)
    text += "\nBy group" + on + ":\n\n" + group_table(*before.groups, *after.groups, names);
  return text + "\nBy class" + on + ":\n\n" + class_table(before.accuracy, after.accuracy, names);
}

std::string what_was_done(const RunReport& report) {
  const auto masked = report.result.masked();
  return "## What was done\n\n" + markdown_text(conclusion(report.result)) + " " +
         std::to_string(masked.count()) + " of " + std::to_string(masked.biased.numel()) +
         " dimensions masked.\n\nRecipe " + markdown_text(report.recipe) + ", criterion " +
         markdown_text(report.criterion) + ", seed " + std::to_string(report.seed) +
         "; NeuronTune " + kVersion + ", LibTorch " + TORCH_VERSION + ".\n";
}

std::string data(const RunReport& report, const CardSource& source) {
  std::vector<std::string> splits;
  for (const auto& [name, metrics] : report.tuned)
    splits.push_back(markdown_text(name) + " (" + std::to_string(metrics.accuracy.samples) + ")");
  auto text =
      "## Data\n\n" + markdown_text(source.data) + ", samples by split: " + joined(splits, ", ") +
      ". The identification split, on which heads are compared too, is " +
      markdown_text(source.identify) + "; the tuning split is " + markdown_text(source.tune) + ".";
  if (report.criterion == "worst_group")
    text += " The attributes of held-out samples selected the head.";
  else
    text += " Attributes, where there are any, are used in these figures alone.";
  return text + "\n";
}

constexpr const char* kNeuronTune =
    "[NeuronTune](https://arxiv.org/abs/2505.24048) finds the dimensions of the last embedding "
    "that are more active on a class's mistakes than on its correct predictions. It retrains only "
    "the last linear layer, with these dimensions set to zero and classes balanced.";

/// What was compared, and how the head was selected.
std::string method(const RunReport& report) {
  auto text = std::string("## Method\n\n") + kNeuronTune;
  if (report.result.repair() != nullptr) {
    text +=
        " Its heads are candidates beside those of simpler ways of retraining that layer. Each is "
        "judged on held-out data that it was not fitted to.";
    text += report.criterion == "worst_group"
                ? " The one with the best accuracy in the worst true group is selected."
                : " A loss of accuracy is accepted only with statistical evidence of a spurious "
                  "feature.";
  }
  return text + " The feature extractor does not change.\n";
}

constexpr const char* kLimits =
    "- Only the last layer was changed. What the embedding does not hold cannot be repaired.\n"
    "- A repair can trade accuracy in common groups for accuracy in rare ones. Compare the figures "
    "above with the shares of the groups where the model will be used.\n"
    "- With few held-out samples of a rare group the repair is partial, and some spurious features "
    "stay below the threshold of evidence.\n"
    "- Harm is possible: in tests with the group counts of MultiNLI, worst-group accuracy fell by "
    "0.01 to 0.10 on three of four kinds of data.\n"
    "- Accuracies in inferred groups are estimates, not measurements.\n";

std::string limits(const RunReport& report) {
  auto text = std::string("## Limits\n\n") + kLimits;
  if (!report.tuned.at(shown_split(report)).groups)
    text += "- The data has no attributes, so that accuracy in true groups is not known.\n";
  for (const auto& warning : report.warnings)
    text += "- Warning of this run: " + markdown_text(warning) + "\n";
  return text;
}

}  // namespace

std::string model_card(const RunReport& report, const CardSource& source) {
  const bool kept = report.result.settings().source == Source::erm;
  return "---\n" + yaml_text(front_matter(report, source)) + "---\n\n# " +
         markdown_text(source.model) + (kept ? ", examined by" : ", repaired by") +
         " NeuronTune\n\n" +
         accuracies(report, source.names,
                    SplitSelector::parse(source.identify).name == shown_split(report)) +
         "\n" + what_was_done(report) + "\n" + data(report, source) + "\n" + method(report) + "\n" +
         limits(report);
}

}  // namespace neurontune
