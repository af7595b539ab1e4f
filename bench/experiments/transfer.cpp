// A mask found on one data set, used on another with the same extractor.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "agreement.h"
#include "experiment_data.h"
#include "neurontune/base/error.h"
#include "retrain_behind.h"
#include "setting_flags.h"
#include "subcommands.h"

namespace neurontune::experiments {
namespace {

using Json = nlohmann::ordered_json;

Flags flags_on_val(const ExperimentData& data) {
  const LabelledEmbeddings val = data.labelled("val");
  return flag(val.embeddings, val.labels, predictions(data.erm, val.embeddings), data.erm.classes(),
              data.options.identify);
}

/// In place of the ERM head one of the data's own: fresh, trained on its train without a mask.
void train_own_head(ExperimentData& data) {
  NeuronTuneOptions options = data.options;
  options.tune.start = Start::fresh;
  const at::Tensor all = at::ones({data.erm.embedding_dim()});
  data.erm = retrain_behind(all, data.labelled("train"), data.erm, options).back();
}

void check_same_extractor(const ExperimentData& source, const ExperimentData& target) {
  if (source.erm.embedding_dim() != target.erm.embedding_dim()) {
    throw Error(source.folder.path().string() + ": embeddings have " +
                std::to_string(source.erm.embedding_dim()) + " dimensions, expected the " +
                std::to_string(target.erm.embedding_dim()) + " of " +
                target.folder.path().string());
  }
}

Json transfer_json(const ExperimentData& source, const ExperimentData& target) {
  const Flags found = flags_on_val(source), own = flags_on_val(target);
  const LabelledEmbeddings val = target.labelled("val");
  Json json = {{"dimensions", target.erm.embedding_dim()},
               {"erm", picked_json({}, std::nullopt, target)},
               {"own_biased", own.biased.count()}};
  json.update(agreement_json(found, own, target.options.identify.aggregate));
  json["masks"] = {{"none", retrained_json(at::ones_like(own.biased.mask), val, target)},
                   {"own", retrained_json(own.biased.mask, val, target)},
                   {"transferred", retrained_json(found.biased.mask, val, target)}};
  return json;
}

}  // namespace

void add_transfer(CLI::App& app) {
  struct Command {
    explicit Command(CLI::App& command) : settings(command) {}
    SettingFlags settings;
    std::string from, to;
    bool own_head = false;
  };
  auto* command = app.add_subcommand("transfer", "The mask of one data set on another");
  auto state = std::make_shared<Command>(*command);
  command->add_option("--from", state->from, "embeddings the mask is found on")->required();
  command->add_option("--to", state->to, "embeddings of the same extractor")->required();
  command->add_flag("--own-head", state->own_head,
                    "the target's labels mean something else: train a head on its train first");
  command->callback([state] {
    const Config config = state->settings.resolve();
    const ExperimentData source(state->from, config);
    ExperimentData target(state->to, config);
    check_same_extractor(source, target);
    if (state->own_head) train_own_head(target);
    std::cout << transfer_json(source, target).dump() << '\n';
  });
}

}  // namespace neurontune::experiments
