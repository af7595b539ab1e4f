#include "compare/compared_methods.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/describe.h"
#include "neurontune/base/error.h"
#include "neurontune/baselines/last_layer_retraining.h"
#include "neurontune/data/split.h"
#include "neurontune/repair/anchored_retraining.h"
#include "neurontune/repair/bias_shift.h"
#include "neurontune/repair/tuned_head.h"
#include "neurontune/shortcut/rebalanced_retraining.h"
#include "neurontune/shortcut/shortcut_search.h"
#include "pipeline/config_json.h"

namespace neurontune {
namespace {

/// The two halves of a split, or of a part of one.
std::pair<std::string, std::string> halves(const std::string& selector) {
  const auto split = SplitSelector::parse(selector);
  const auto part = [&](int64_t index) {
    return split.name + ":" + std::to_string(index) + "/" + std::to_string(2 * split.parts);
  };
  return {part(split.part), part(split.part + split.parts)};
}

/// "train_labels", "val_labels", …, each once.
std::vector<std::string> labels_of(const std::vector<std::string>& selectors) {
  std::set<std::string> names;
  for (const auto& selector : selectors)
    names.insert(SplitSelector::parse(selector).name + "_labels");
  return {names.begin(), names.end()};
}

std::vector<std::string> labels_and_attributes_of(const std::vector<std::string>& selectors) {
  auto names = labels_of(selectors);
  for (std::size_t i = 0, labels = names.size(); i < labels; ++i)
    names.push_back(names[i].substr(0, names[i].rfind("_labels")) + "_attributes");
  return names;
}

std::string list(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(describe(value));
  return listed(texts);
}

/// "recipe paper", and whether flags or a config file changed what it sets.
std::string recipe_of(const Config& config) {
  const auto used = config_json(config);
  const auto own = config_json(with_settings(Config{}, {{"compare", "recipe", config.recipe}}));
  for (const auto* part : {"identify", "tune", "select"})
    if (used.at(part) != own.at(part)) return "recipe " + config.recipe + " with other settings";
  return "recipe " + config.recipe;
}

ComparedMethod erm() {
  return {.name = "erm",
          .seeded = false,
          .sees = {"train_labels"},
          .selection = "the model as it came",
          .run = [](ComparisonData& data, uint64_t, const ProgressFn&) {
            return MethodOutcome{data.erm(), ""};
          }};
}

/// @param split data that retrains
ComparedMethod llr(const std::string& name, const Config& config, const std::string& split) {
  return {.name = name,
          .sees = labels_of({split}),
          .selection = "fixed: class-balanced retraining on " + split + " as in " +
                       recipe_of(config) + ", without a mask, the last epoch",
          .run = [config, split](ComparisonData& data, uint64_t seed, const ProgressFn& progress) {
            return MethodOutcome{
                retrain_last_layer(data.labelled(split), data.erm(), config.tune, seed, progress),
                ""};
          }};
}

ComparedMethod bias_shift(const Config& config) {
  const auto& split = config.splits.identify;
  return {.name = "bias_shift",
          .seeded = false,
          .sees = labels_of({split}),
          .selection =
              "fixed: the ERM head's biases, until classes of " + split + " are equally accurate",
          .run = [split](ComparisonData& data, uint64_t, const ProgressFn&) {
            return MethodOutcome{shift_biases(data.labelled(split), data.erm()), ""};
          }};
}

ComparedMethod anchored(const Config& config) {
  const auto& split = config.splits.identify;
  return {.name = "anchored",
          .sees = labels_of({split}),
          .selection = "λ of " + list(config.anchored.penalties) + " and γ of " +
                       list(config.anchored.gammas) + " by worst-class accuracy on " +
                       std::to_string(config.shortcut.folds) + " folds of " + split,
          .run = [config, split](ComparisonData& data, uint64_t seed, const ProgressFn&) {
            auto options = config.anchored;
            options.seed = seed;
            options.folds = config.shortcut.folds;
            const auto result = neurontune::anchored(data.labelled(split), data.erm(), options);
            return MethodOutcome{result.head, "λ = " + describe(result.setting.penalty) +
                                                  ", γ = " + describe(result.setting.gamma)};
          }};
}

/// @param tune   data that fits the regressions C is chosen by
/// @param choose data that chooses C
/// @param refit  data that fits the head
ComparedMethod dfr(const std::string& name, const std::string& tune, const std::string& choose,
                   const std::string& refit, const DfrOptions& options) {
  const bool apart = refit != tune;
  return {.name = name,
          .oracle = true,
          .sees = labels_and_attributes_of({tune, choose, refit}),
          .selection = "on " + refit + "; C of " + list(options.inverse_penalties) +
                       " by worst-group accuracy on " + choose +
                       (apart ? " of fits to " + tune : "") + "; " +
                       std::to_string(options.refits) + " refits averaged",
          .run = [=](ComparisonData& data, uint64_t seed, const ProgressFn&) {
            auto seeded = options;
            seeded.seed = seed;
            std::vector<std::string> warnings, of_parts;
            const auto fitted = data.grouped(refit, warnings);
            const auto held_out = data.grouped(choose, apart ? of_parts : warnings);
            const auto classes = data.erm().classes();
            const auto values = data.folder().attribute_values();
            const auto result = apart ? neurontune::dfr(data.grouped(tune, of_parts), held_out,
                                                        fitted, classes, values, seeded)
                                      : neurontune::dfr(fitted, held_out, classes, values, seeded);
            return MethodOutcome{result.head, "C = " + describe(result.inverse_penalty),
                                 std::move(warnings)};
          }};
}

/// How the methods that use held-out data alone choose: on the half that they do not learn from.
std::string by_worst_class(const std::string& half) {
  return " by worst-class accuracy on " + half;
}

ComparedMethod afr(const Config& config, const AfrOptions& options) {
  const auto [fit, judge] = halves(config.splits.identify);
  return {.name = "afr",
          .seeded = false,
          .sees = labels_of({fit, judge}),
          .selection = "on " + fit + "; γ of " + list(options.gammas) + " and λ of " +
                       list(options.penalties) + by_worst_class(judge),
          .run = [fit = fit, judge = judge, options](ComparisonData& data, uint64_t,
                                                     const ProgressFn&) {
            const auto result =
                neurontune::afr(data.labelled(fit), data.labelled(judge), data.erm(), options);
            return MethodOutcome{
                result.head, "γ = " + describe(result.gamma) + ", λ = " + describe(result.penalty)};
          }};
}

ComparedMethod shortcut_probe(const Config& config, const ShortcutProbeOptions& options) {
  const auto [fit, judge] = halves(config.splits.identify);
  return {.name = "shortcut_probe",
          .sees = labels_of({fit, judge}),
          .selection = "on " + fit + "; fixed: K = " + std::to_string(options.prompts) +
                       ", r = " + describe(options.probe_share) +
                       ", η = " + describe(options.similarity_weight) + ", λ = " +
                       describe(options.shortcut_weight) + "; the epoch" + by_worst_class(judge),
          .run = [fit = fit, judge = judge, options](ComparisonData& data, uint64_t seed,
                                                     const ProgressFn& progress) {
            auto seeded = options;
            seeded.seed = seed;
            const auto result = neurontune::shortcut_probe(data.labelled(fit), data.labelled(judge),
                                                           data.erm(), seeded, progress);
            return MethodOutcome{result.head, "epoch " + std::to_string(result.selected_epoch)};
          }};
}

ComparedMethod self(const Config& config, const SelfOptions& options) {
  const auto [fit, judge] = halves(config.splits.identify);
  return {.name = "self",
          .sees = labels_of({fit, judge}),
          .selection = "on the mistakes in " + fit + " and as many others; learning rate of " +
                       list(options.learning_rates) + by_worst_class(judge),
          .run = [fit = fit, judge = judge, options](ComparisonData& data, uint64_t seed,
                                                     const ProgressFn&) {
            auto seeded = options;
            seeded.seed = seed;
            const auto result =
                neurontune::self(data.labelled(fit), data.labelled(judge), data.erm(), seeded);
            return MethodOutcome{result.head, "learning rate " + describe(result.learning_rate) +
                                                  ", " + std::to_string(result.samples) +
                                                  " samples"};
          }};
}

/// "epoch 7" of the paper's method, or what `repair` picked.
std::string picked(const TunedHead& tuned) {
  const auto settings = tuned.settings();
  if (!tuned.repair() && settings.epoch) return "epoch " + std::to_string(*settings.epoch);
  return describe(settings);
}

ComparedMethod neurontune_method(const std::string& name, const Config& config) {
  const auto& splits = config.splits;
  const auto criterion = config.select.criterion;
  const std::string selection = "fixed by " + recipe_of(config) + "; the head by " +
                                neurontune::name(criterion) + " on " + splits.identify;
  const bool sees_groups = criterion == Criterion::worst_group;
  auto sees = labels_of({splits.identify, splits.tune});
  if (sees_groups) sees.push_back(SplitSelector::parse(splits.identify).name + "_attributes");
  return {.name = name,
          .oracle = sees_groups,
          .sees = sees,
          .selection = selection,
          .run = [config](ComparisonData& data, uint64_t seed, const ProgressFn& progress) {
            auto options = repair_options(config);
            options.neurontune.seed = seed;
            const auto& held_out = config.splits.identify;
            const auto tuned = tune_head(data.labelled(held_out), data.labelled(config.splits.tune),
                                         data.erm(), options, data.attributes(held_out), progress);
            return MethodOutcome{tuned.head(), picked(tuned), tuned.warnings()};
          }};
}

/// Rebalanced retraining on inferred groups, whatever the evidence; with the mask of the
/// identification or without.
ComparedMethod rebalanced(const Config& config, bool masked) {
  const auto& splits = config.splits;
  return {.name = masked ? "rebalanced_masked" : "rebalanced",
          .sees = labels_of({splits.identify, splits.tune}),
          .selection = std::string("fixed: groups inferred from ") + splits.identify +
                       (masked ? ", behind the mask of " + recipe_of(config) : ""),
          .run = [config, masked](ComparisonData& data, uint64_t seed, const ProgressFn&) {
            const auto tuning = data.labelled(config.splits.tune);
            const auto held_out = data.labelled(config.splits.identify);
            const auto& erm = data.erm();
            const auto search = search_shortcut(held_out, tuning, erm, config.shortcut, seed);
            if (!search.found_groups()) throw Error(search.reason);
            auto mask = at::ones({erm.embedding_dim()}, erm.weight.options());
            if (masked) mask = identify(held_out, erm, config.identify).biased.mask;
            RebalancedRetrainer retrainer(tuning, erm, config.shortcut.retraining);
            const auto weights = rebalancing_weights(tuning, search.groups);
            auto head = retrainer.fit(weights, mask, search.groups.effects());
            auto warnings = search.warnings;
            if (!retrainer.shortfall().empty()) warnings.push_back(retrainer.shortfall());
            return MethodOutcome{std::move(head), "", std::move(warnings)};
          }};
}

/// NeuronTune†: one half of the held-out data identifies, the other tunes.
Config half_and_half(Config config) {
  std::tie(config.splits.identify, config.splits.tune) = halves(config.splits.identify);
  return config;
}

}  // namespace

std::vector<ComparedMethod> compared_methods(const CompareOptions& options) {
  const auto& config = options.config;
  const auto paper = with_settings(config, {{"compare", "recipe", "paper"}});
  const auto& [identify, tune] = config.splits;
  const auto [first_half, second_half] = halves(identify);
  return {erm(),
          llr("llr", config, tune),
          llr("llr_val", config, identify),
          bias_shift(config),
          anchored(config),
          dfr("dfr", tune, identify, tune, options.dfr),
          dfr("dfr_val", first_half, second_half, identify, options.dfr),
          afr(config, options.afr),
          shortcut_probe(config, options.shortcut_probe),
          self(config, options.self),
          neurontune_method("neurontune", paper),
          neurontune_method("neurontune_half", half_and_half(paper)),
          rebalanced(config, /*masked=*/false),
          rebalanced(config, /*masked=*/true),
          neurontune_method("neurontune_default", config)};
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& method : compared_methods({})) names.push_back(method.name);
  return names;
}

}  // namespace neurontune
