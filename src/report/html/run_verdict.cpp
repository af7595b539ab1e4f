#include <map>

#include "base/describe.h"
#include "base/number_text.h"
#include "report/html/markup.h"
#include "report/html/run_sections.h"

namespace neurontune::html {
namespace {

/// "an estimated 23.3 % (17.1 % to 30.9 %)"
std::string estimated(const Json& inferred) {
  return "an estimated " + as_percent(inferred.at("worst_group_accuracy").get<double>()) + " (" +
         as_percent(inferred.at("interval").at(0).get<double>()) + " to " +
         as_percent(inferred.at("interval").at(1).get<double>()) + ")";
}

std::string worst_inferred_group(const RunSources& run, const Json& inferred) {
  const auto& worst = inferred.at("worst_group");
  return run.inferred_group(worst.at("label").get<int64_t>(), worst.at("attribute").get<int64_t>());
}

/// The index of the class of lowest accuracy.
int64_t worst_class(const Json& metrics) {
  const auto& accuracies = metrics.at("class_accuracy");
  std::optional<std::size_t> worst;
  for (std::size_t i = 0; i < accuracies.size(); ++i)
    if (!accuracies[i].is_null() && (!worst || accuracies[i] < accuracies[*worst])) worst = i;
  return static_cast<int64_t>(worst.value_or(0));
}

/// Where the model failed, in figures. @param model what it is called here
std::string failure(const RunSources& run, const std::string& model = "it") {
  const auto& metrics = run.before();
  if (run.has_groups()) {
    const auto adjusted = number(metrics, "adjusted_mean_accuracy");
    return model + " was right on " + as_percent(metrics.at("worst_group_accuracy").get<double>()) +
           " of “" + run.group(metrics.at("worst_group")) + "”, its worst group, against " +
           as_percent(adjusted.value_or(metrics.at("mean_accuracy").get<double>())) +
           (adjusted ? " with groups weighted as in training" : " on average") + " (" +
           run.shown() + ")";
  }
  if (run.trusts_inferred()) {
    const auto& inferred = run.result.at("shortcut").at("erm");
    return "in the worst inferred group, “" + worst_inferred_group(run, inferred) + "”, " + model +
           " was right on " + estimated(inferred) + " of held-out samples";
  }
  return (model == "it" ? "its" : model + "'s") + " worst class, “" +
         run.label(worst_class(metrics)) + "”, had an accuracy of " +
         as_percent(metrics.at("worst_class_accuracy").get<double>()) + ", against " +
         as_percent(metrics.at("mean_accuracy").get<double>()) + " on average (" + run.shown() +
         ")";
}

std::string what_was_wrong(const RunSources& run) {
  if (!run.has_shortcut()) return "What was wrong: " + failure(run, "the model") + ".";
  const auto verdict = run.result["shortcut"].at("verdict").get<std::string>();
  if (verdict == "supported")
    return "There is evidence that the model relied on something other than the class: " +
           failure(run) + ".";
  if (verdict == "unsupported")
    return "There is too little evidence that a shortcut is behind the model's mistakes: " +
           failure(run) + ".";
  return "The held-out data are too few to tell whether a shortcut is behind the model's "
         "mistakes: " +
         failure(run) + ".";
}

std::string fitted_to(const RunSources& run) {
  static const std::map<std::string, std::string> kData = {
      {"tuning", " on the tuning split"},
      {"held_out", " on held-out data"},
      {"both", " on held-out data and as many samples of the tuning split"}};
  const auto found = kData.find(run.result.value("fitted_to", std::string()));
  return found == kData.end() ? "" : found->second;
}

std::string what_was_done(const RunSources& run) {
  const auto selected = run.result.at("selected").get<std::string>();
  const auto& masked = run.result.at("biased_dimensions");
  if (selected == "erm") return "Nothing was changed: the model's own last layer was kept.";
  if (selected == "bias_shift")
    return "The biases of the last layer were moved" + fitted_to(run) + ".";
  if (selected == "neurontune")
    return std::to_string(masked.at("count").get<int64_t>()) + " of " +
           counted(masked.at("total").get<int64_t>(), "neuron") +
           " were masked and the last layer was retrained with classes balanced" + fitted_to(run) +
           ".";
  static const std::map<std::string, std::string> kHow = {
      {"anchored", "near the original one"},
      {"balanced", "with classes balanced"},
      {"rebalanced", "with the inferred groups balanced"}};
  const auto how = kHow.find(selected);
  return "The last layer was retrained" + (how == kHow.end() ? "" : " " + how->second) +
         fitted_to(run) + "; the rest of the model is the same.";
}

Tile tile(const std::string& name, const Json& before, const Json& after, const char* key,
          const std::string& note = "") {
  return {name, percent_or_dash(number(before, key)), percent_or_dash(number(after, key)), note};
}

std::string same_or_both(const std::string& before, const std::string& after) {
  return before == after ? before : before + "; now " + after;
}

}  // namespace

std::vector<std::string> run_verdict(const RunSources& run) {
  return {what_was_wrong(run), what_was_done(run)};
}

std::string run_grounds(const RunSources& run) {
  auto text = run.result.at("conclusion").get<std::string>();
  if (run.result.at("selected") == "erm") return text;
  const auto end = text.find(". ");  // the first sentence says what was done
  if (end == std::string::npos) return "";
  const auto why = text.substr(end + 2);
  return why.starts_with("It ") ? "The new head " + why.substr(3) : why;
}

std::vector<Tile> run_tiles(const RunSources& run) {
  const auto &before = run.before(), &after = run.after();
  std::vector<Tile> tiles;
  if (run.has_groups())
    tiles.push_back(tile(
        "Worst group (" + run.shown() + ")", before, after, "worst_group_accuracy",
        same_or_both(run.group(before.at("worst_group")), run.group(after.at("worst_group")))));
  else if (run.has_inferred()) {
    const auto &erm = run.result["shortcut"]["erm"], &tuned = run.result["shortcut"]["tuned"];
    tiles.push_back(
        tile(std::string("Worst inferred group, an estimate") +
                 (run.trusts_inferred() ? "" : " (too little evidence for the groups)"),
             erm, tuned, "worst_group_accuracy",
             same_or_both(worst_inferred_group(run, erm), worst_inferred_group(run, tuned))));
  }
  if (!run.has_groups())
    tiles.push_back(
        tile("Worst class (" + run.shown() + ")", before, after, "worst_class_accuracy",
             same_or_both(run.label(worst_class(before)), run.label(worst_class(after)))));
  tiles.push_back(tile("Mean (" + run.shown() + ")", before, after, "mean_accuracy",
                       counted(before.at("samples").get<int64_t>(), "sample")));
  if (number(before, "adjusted_mean_accuracy"))
    tiles.push_back(tile("Adjusted mean (" + run.shown() + ")", before, after,
                         "adjusted_mean_accuracy", "groups weighted as in training"));
  if (run.has_groups())
    tiles.push_back(
        tile("Worst class (" + run.shown() + ")", before, after, "worst_class_accuracy",
             same_or_both(run.label(worst_class(before)), run.label(worst_class(after)))));
  return tiles;
}

}  // namespace neurontune::html
