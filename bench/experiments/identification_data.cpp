// Where could identification data come from without a held-out split? Mistakes on train itself, on
// its samples of high loss, and of heads that did not see the sample, against those on val.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "agreement.h"
#include "experiment_data.h"
#include "neurontune/base/error.h"
#include "neurontune/data/split.h"
#include "retrain_behind.h"
#include "setting_flags.h"
#include "subcommands.h"

namespace neurontune::experiments {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kHighLoss = 0.1;  // the share of each class's samples
constexpr int64_t kFolds = 5;

/// Samples of a split, and predictions for them, whoever made them.
struct Source {
  std::string name;
  std::string split;       ///< the rows are of; also what selects
  at::Tensor rows;         ///< int64 [n], of the split
  at::Tensor predictions;  ///< int64 [n]
};

at::Tensor all_rows(const at::Tensor& labels) { return at::arange(labels.size(0), at::kLong); }

/// A class's samples of highest loss under the ERM head, for all classes: int64 [n].
at::Tensor high_loss_rows(const LabelledEmbeddings& train, const Head& erm) {
  const at::Tensor losses =
      at::cross_entropy_loss(logits(erm, train.embeddings), train.labels, {}, at::Reduction::None);
  std::vector<at::Tensor> rows;
  for (int64_t label = 0; label < erm.classes(); ++label) {
    const at::Tensor of_class = at::nonzero(train.labels == label).flatten();
    const auto count = static_cast<int64_t>(kHighLoss * static_cast<double>(of_class.size(0)));
    const at::Tensor order = at::argsort(losses.index_select(0, of_class), 0, /*descending=*/true);
    rows.push_back(of_class.index_select(0, order.narrow(0, 0, std::max<int64_t>(count, 1))));
  }
  return at::cat(rows);
}

/// A prediction for each sample by a fresh head that was trained, unmasked, on the other folds.
at::Tensor out_of_fold_predictions(const LabelledEmbeddings& train, const ExperimentData& data) {
  NeuronTuneOptions options = data.options;
  options.tune.start = Start::fresh;
  at::Tensor predicted = at::empty_like(train.labels);
  for (int64_t fold = 1; fold <= kFolds; ++fold) {
    const at::Tensor held_out = part_rows(train.labels, {"train", fold, kFolds});
    const at::Tensor is_other = at::ones_like(train.labels).index_fill(0, held_out, 0);
    const at::Tensor others = at::nonzero(is_other).flatten();
    const auto heads = retrain_behind(
        at::ones({data.erm.embedding_dim()}),
        {train.embeddings.index_select(0, others), train.labels.index_select(0, others)}, data.erm,
        options);
    predicted.index_copy_(0, held_out,
                          predictions(heads.back(), train.embeddings.index_select(0, held_out)));
  }
  return predicted;
}

std::vector<Source> sources(const ExperimentData& data) {
  const LabelledEmbeddings val = data.labelled("val"), train = data.labelled("train");
  const at::Tensor on_train = predictions(data.erm, train.embeddings);
  const at::Tensor high_loss = high_loss_rows(train, data.erm);
  // The next class is as wrong as any: scores only ask whether a prediction is right.
  const at::Tensor wrong = (train.labels + 1) % data.erm.classes();
  const at::Tensor high_loss_wrong =
      train.labels.index_copy(0, high_loss, wrong.index_select(0, high_loss));
  return {{"val", "val", all_rows(val.labels), predictions(data.erm, val.embeddings)},
          {"train", "train", all_rows(train.labels), on_train},
          {"high_loss", "train", high_loss, on_train.index_select(0, high_loss)},
          {"high_loss_as_mistakes", "train", all_rows(train.labels), high_loss_wrong},
          {"out_of_fold", "train", all_rows(train.labels), out_of_fold_predictions(train, data)}};
}

/// Of the samples that count as mistakes, those whose attribute is not their class's usual one:
/// what the method supposes of mistakes. Reported only; null without attributes.
Json minority_share(const at::Tensor& mistakes, const Source& source, const ExperimentData& data) {
  const EmbeddingSplit& split = data.folder.split(source.split);
  if (!split.attributes.defined() || data.space.train_counts.empty()) return nullptr;
  const at::Tensor usual = at::zeros({data.space.classes}, at::kLong);
  std::vector<int64_t> most(static_cast<std::size_t>(data.space.classes));
  for (const auto& [group, count] : data.space.train_counts) {
    auto& of_class = most[static_cast<std::size_t>(group.first)];
    if (count <= of_class) continue;
    of_class = count;
    usual[group.first] = group.second;
  }
  const at::Tensor rows = source.rows.index_select(0, at::nonzero(mistakes).flatten());
  if (rows.size(0) == 0) return nullptr;
  const at::Tensor of_minority = split.attributes.index_select(0, rows) !=
                                 usual.index_select(0, split.labels.index_select(0, rows));
  return of_minority.to(at::kDouble).mean().item<double>();
}

Flags flags_of(const Source& source, const ExperimentData& data) {
  const LabelledEmbeddings split = data.labelled(source.split);
  return flag(split.embeddings.index_select(0, source.rows),
              split.labels.index_select(0, source.rows), source.predictions, data.erm.classes(),
              data.options.identify);
}

Json source_json(const Source& source, const Flags& reference, const ExperimentData& data) {
  const LabelledEmbeddings split = data.labelled(source.split);
  const at::Tensor mistakes = source.predictions != split.labels.index_select(0, source.rows);
  Json json = {{"source", source.name},
               {"samples", source.rows.size(0)},
               {"mistakes", mistakes.sum().item<int64_t>()},
               {"minority_share", minority_share(mistakes, source, data)}};
  try {
    const Flags flags = flags_of(source, data);
    json.update(agreement_json(flags, reference, data.options.identify.aggregate));
    json.update(retrained_json(flags.biased.mask, split, data));
  } catch (const Error& error) {
    json["failure"] = error.what();
  }
  return json;
}

}  // namespace

void add_identification_data(CLI::App& app) {
  struct Command {
    explicit Command(CLI::App& command) : settings(command) {}
    SettingFlags settings;
    std::string embeddings;
  };
  auto* command = app.add_subcommand("identification-data", "Identification without held-out data");
  auto state = std::make_shared<Command>(*command);
  command->add_option("--embeddings", state->embeddings, "folder of embeddings")->required();
  command->callback([state] {
    const ExperimentData data(state->embeddings, state->settings.resolve());
    const auto all = sources(data);
    const Flags reference = flags_of(all.front(), data);
    Json json = {{"dimensions", data.erm.embedding_dim()},
                 {"erm", picked_json({}, std::nullopt, data)},
                 {"sources", Json::array()}};
    for (const Source& source : all)
      json["sources"].push_back(source_json(source, reference, data));
    std::cout << json.dump() << '\n';
  });
}

}  // namespace neurontune::experiments
