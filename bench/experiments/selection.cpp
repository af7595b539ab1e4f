// Every head that can be picked, by what picks it and by what it is worth on test.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "experiment_data.h"
#include "neurontune/method/neuron_tune.h"
#include "report/nullable.h"
#include "setting_flags.h"
#include "subcommands.h"

namespace neurontune::experiments {
namespace {

using Json = nlohmann::ordered_json;

Json candidate_json(const Checkpoint& candidate, const ExperimentData& data) {
  const SplitMetrics test = data.on_test(candidate.head);
  return {{"source", name(candidate.source)},
          {"epoch", nullable(candidate.epoch)},
          {"sfit", nullable(candidate.sfit)},
          {"balanced_accuracy", candidate.accuracy.balanced_accuracy},
          {"worst_class_accuracy", candidate.accuracy.worst_class_accuracy},
          {"inferred_worst_group",
           candidate.inferred ? Json(candidate.inferred->worst_lower()) : Json()},
          {"worst_group_accuracy", test.groups->worst_group_accuracy},
          {"mean_accuracy", test.accuracy.mean_accuracy}};
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
    const ExperimentData data(state->embeddings, state->settings.resolve());
    const NeuronTuneResult result =
        neuron_tune(data.labelled("val"), data.labelled("train"), data.erm, data.options);
    Json json = {{"selected", name(result.source)},
                 {"verdict", result.shortcut ? Json(name(result.shortcut->verdict)) : Json()},
                 {"candidates", Json::array()}};
    for (const Checkpoint& candidate : result.candidates)
      json["candidates"].push_back(candidate_json(candidate, data));
    std::cout << json.dump() << '\n';
  });
}

}  // namespace neurontune::experiments
