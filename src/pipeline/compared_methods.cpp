#include "pipeline/compared_methods.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "describe.h"
#include "neurontune/baselines/last_layer_retraining.h"
#include "neurontune/data/split.h"
#include "neurontune/error.h"
#include "neurontune/method/neuron_tune.h"

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

ComparedMethod llr(const Config& config) {
  return {.name = "llr",
          .sees = labels_of({config.splits.tune}),
          .selection = "fixed: class-balanced retraining as in " + recipe_of(config) +
                       ", without a mask, the last epoch",
          .run = [config](ComparisonData& data, uint64_t seed, const ProgressFn& progress) {
            return MethodOutcome{retrain_last_layer(data.labelled(config.splits.tune), data.erm(),
                                                    config.tune, seed, progress),
                                 ""};
          }};
}

ComparedMethod dfr(const Config& config, const DfrOptions& options) {
  const auto& splits = config.splits;
  return {.name = "dfr",
          .oracle = true,
          .sees = labels_and_attributes_of({splits.tune, splits.identify}),
          .selection = "C of " + list(options.inverse_penalties) + " by worst-group accuracy on " +
                       splits.identify + "; " + std::to_string(options.refits) + " refits averaged",
          .run = [splits, options](ComparisonData& data, uint64_t seed, const ProgressFn&) {
            auto seeded = options;
            seeded.seed = seed;
            std::vector<std::string> warnings;
            const auto tuning = data.grouped(splits.tune, warnings);
            const auto held_out = data.grouped(splits.identify, warnings);
            const auto result = neurontune::dfr(tuning, held_out, data.erm().classes(),
                                                data.folder().attribute_values(), seeded);
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

ComparedMethod neurontune_method(const std::string& name, Config config) {
  const auto& splits = config.splits;
  const std::string selection = "fixed by " + recipe_of(config) + "; the head by " +
                                neurontune::name(config.select.criterion) + " on " +
                                splits.identify;
  return {
      .name = name,
      .sees = labels_of({splits.identify, splits.tune}),
      .selection = selection,
      .run = [config](ComparisonData& data, uint64_t seed, const ProgressFn& progress) {
        auto options = neuron_tune_options(config);
        options.seed = seed;
        auto result = neuron_tune(data.labelled(config.splits.identify),
                                  data.labelled(config.splits.tune), data.erm(), options, progress);
        auto chosen = result.source == Source::neurontune
                          ? "epoch " + std::to_string(*result.selected_epoch)
                          : std::string(neurontune::name(result.source));
        return MethodOutcome{std::move(result.head), std::move(chosen), std::move(result.warnings)};
      }};
}

/// Rebalanced retraining on inferred groups, whatever the evidence; with the mask of the
/// identification or without.
ComparedMethod rebalanced(const Config& config, bool masked) {
  const auto& splits = config.splits;
  return {.name = masked ? "rebalanced_masked" : "rebalanced",
          .seeded = false,
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
  return {erm(),
          llr(config),
          dfr(config, options.dfr),
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
