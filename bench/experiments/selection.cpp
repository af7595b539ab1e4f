// Every head that can be picked, by what picks it and by what it is worth on test.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "experiment_data.h"
#include "neurontune/repair/repair.h"
#include "repair/contest.h"
#include "report/nullable.h"
#include "setting_flags.h"
#include "subcommands.h"

namespace neurontune::experiments {
namespace {

using Json = nlohmann::ordered_json;

/// Null where its head cannot be fitted to all of the data.
Json candidate_json(Contest& contest, std::size_t index, const ExperimentData& data) {
  const auto head = contest.fitted(index);
  if (!head) return {};
  const auto& candidate = contest.judgements()[index].candidate;
  const SplitMetrics test = data.on_test(*head);
  return {{"source", name(candidate.settings.source)},
          {"fitted_to", name(candidate.settings.fitted_to)},
          {"epoch", nullable(candidate.settings.epoch)},
          {"penalty", nullable(candidate.settings.penalty)},
          {"gamma", nullable(candidate.settings.gamma)},
          {"acceptance", name(candidate.acceptance)},
          {"sfit", nullable(candidate.sfit)},
          {"balanced_accuracy", candidate.accuracy.balanced_accuracy},
          {"worst_class_accuracy", candidate.accuracy.worst_class_accuracy},
          {"worst_lower", candidate.worst_lower},
          {"inferred_worst_group",
           candidate.inferred ? Json(candidate.inferred->worst_lower()) : Json()},
          {"repairability", candidate.repairability},
          {"worst_group_accuracy", test.groups->worst_group_accuracy},
          {"mean_accuracy", test.accuracy.mean_accuracy},
          {"test_balanced_accuracy", test.accuracy.balanced_accuracy}};
}

}  // namespace

void add_selection(CLI::App& app) {
  struct Command {
    explicit Command(CLI::App& command) : settings(command) {}
    SettingFlags settings;
    std::string embeddings;
  };
  auto* command = app.add_subcommand("selection", "Each candidate of a run, and its truth on test");
  auto state = std::make_shared<Command>(*command);
  command->add_option("--embeddings", state->embeddings, "folder of embeddings")->required();
  command->callback([state] {
    const auto config = state->settings.resolve();
    const ExperimentData data(state->embeddings, config);
    const auto options = repair_options(config);
    const auto held_out = data.labelled("val"), tuning = data.labelled("train");
    const auto result = repair(held_out, tuning, data.erm, options);
    Contest contest(held_out, tuning, data.erm, options, result.shortcut, result.neurontune, {});
    contest.run();
    Json json = {{"selected", name(result.settings.source)},
                 {"fitted_to", name(result.settings.fitted_to)},
                 {"acceptance", name(result.acceptance)},
                 {"verdict", name(result.shortcut.verdict)},
                 {"evidence", nullable(result.shortcut.evidence())},
                 {"worst_group_accuracy", data.on_test(result.head).groups->worst_group_accuracy},
                 {"candidates", Json::array()}};
    for (std::size_t i = 0; i < contest.judgements().size(); ++i)
      json["candidates"].push_back(candidate_json(contest, i, data));
    std::cout << json.dump() << '\n';
  });
}

}  // namespace neurontune::experiments
