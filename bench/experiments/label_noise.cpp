// Labels of the identification split are made wrong at random: what becomes of the flags, and of
// the head that is retrained behind them?
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "agreement.h"
#include "experiment_data.h"
#include "retrain_behind.h"
#include "setting_flags.h"
#include "subcommands.h"

namespace neurontune::experiments {
namespace {

using Json = nlohmann::ordered_json;

/// Wrong labels at every level of noise; those of a level are wrong at the higher ones too.
class NoisyLabels {
 public:
  NoisyLabels(const at::Tensor& labels, int64_t classes, uint64_t seed) : labels_(labels) {
    at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    draw_ = at::rand({labels.size(0)}, generator, at::TensorOptions(at::kDouble));
    const at::Tensor steps =
        at::randint(1, classes, {labels.size(0)}, generator, at::TensorOptions(at::kLong));
    wrong_ = (labels + steps) % classes;
  }

  /// int64 [N], of which about the fraction `noise` is wrong.
  at::Tensor at_level(double noise) const { return at::where(draw_ < noise, wrong_, labels_); }

 private:
  at::Tensor labels_, wrong_;
  at::Tensor draw_;  ///< of 0…1, a sample each
};

Json level_json(double noise, const LabelledEmbeddings& clean, const at::Tensor& labels,
                const ExperimentData& data) {
  const auto& identify = data.options.identify;
  const at::Tensor predicted = predictions(data.erm, clean.embeddings);
  const int64_t classes = data.erm.classes();
  const Flags reference = flag(clean.embeddings, clean.labels, predicted, classes, identify);
  const Flags flags = flag(clean.embeddings, labels, predicted, classes, identify);
  const at::Tensor mistakes = predicted != labels;
  Json json = {{"noise", noise},
               {"mistakes", mistakes.sum().item<int64_t>()},
               {"mistakes_by_noise", (mistakes & (labels != clean.labels)).sum().item<int64_t>()}};
  json.update(agreement_json(flags, reference, identify.aggregate));

  const auto heads =
      retrain_behind(flags.biased.mask, data.labelled("train"), data.erm, data.options);
  const LabelledEmbeddings noisy = {clean.embeddings, labels};
  json["selected"] = picked_json(heads, select_head(heads, noisy, data.options), data);
  json["selected_on_clean"] = picked_json(heads, select_head(heads, clean, data.options), data);
  json["last"] = picked_json(heads, heads.size() - 1, data);
  return json;
}

}  // namespace

void add_label_noise(CLI::App& app) {
  struct Command {
    explicit Command(CLI::App& command) : settings(command) {}
    SettingFlags settings;
    std::string embeddings;
    std::vector<double> levels = {0, 0.1, 0.2, 0.3, 0.4};
  };
  auto* command = app.add_subcommand("label-noise", "Wrong labels in the identification split");
  auto state = std::make_shared<Command>(*command);
  command->add_option("--embeddings", state->embeddings, "folder of embeddings")->required();
  command->add_option("--levels", state->levels, "fractions of val's labels that are made wrong")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0));
  command->callback([state] {
    const ExperimentData data(state->embeddings, state->settings.resolve());
    const LabelledEmbeddings val = data.labelled("val");
    const NoisyLabels noisy(val.labels, data.erm.classes(), data.options.seed);
    Json json = {{"dimensions", data.erm.embedding_dim()},
                 {"erm", picked_json({}, std::nullopt, data)},
                 {"levels", Json::array()}};
    for (const double noise : state->levels)
      json["levels"].push_back(level_json(noise, val, noisy.at_level(noise), data));
    std::cout << json.dump() << '\n';
  });
}

}  // namespace neurontune::experiments
