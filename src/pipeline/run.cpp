#include "neurontune/pipeline/run.h"

#include <ATen/ATen.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "data/file_io.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/error.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/pipeline/extract.h"
#include "neurontune/pipeline/open_model.h"

namespace neurontune {
namespace {

/// Wall time of the steps, one after the other.
class StepClock {
 public:
  explicit StepClock(std::map<std::string, double>& seconds) : seconds_(seconds) {}

  void finish(const std::string& step) {
    const auto now = std::chrono::steady_clock::now();
    seconds_[step] = std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  std::map<std::string, double>& seconds_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

void check_sources(const Config& config) {
  const bool from_model = !config.model.path.empty() && !config.data.path.empty();
  const bool from_embeddings = !config.embeddings.path.empty();
  const bool any_model = !config.model.path.empty() || !config.data.path.empty();
  if (from_embeddings && any_model)
    throw OptionError("embeddings.path is " + config.embeddings.path +
                      " beside a model or data; expected one or the other");
  if (!from_embeddings && !from_model)
    throw OptionError("no data to run on; expected model.path and data.path, or embeddings.path");
}

/// A head is trained in float32 whatever the model's dtype: there is no use for float64 here.
LabelledEmbeddings on_device(const EmbeddingSplit& split, at::Device device) {
  const auto stored = split.embeddings.scalar_type();
  return {split.embeddings.to(device, stored == at::kDouble ? at::kFloat : stored),
          split.labels.to(device)};
}

NeuronTuneResult tune(const Config& config, const EmbeddingFolder& folder, at::Device device,
                      const ProgressFn& progress) {
  const auto identification = folder.select(SplitSelector::parse(config.splits.identify));
  const auto tuning = folder.select(SplitSelector::parse(config.splits.tune));
  return neuron_tune(on_device(identification, device), on_device(tuning, device), folder.head(),
                     neuron_tune_options(config), progress);
}

void write_results(const Config& config, const RunReport& report,
                   const std::optional<ErmModel>& model, const std::filesystem::path& out) {
  if (model) model->save_with_head(report.result.head, out / "model.pt");
  write_head(out / "head.safetensors", report.result.head);
  write_spuriousness(out / "spuriousness.safetensors", report.result.scores, report.result.biased);
  write_file(out / "trajectory.jsonl", trajectory_jsonl(report.result));
  write_file(out / "config.json", config_json(config).dump(2) + "\n");
  write_file(out / "result.json", result_json(report).dump(2) + "\n");
}

}  // namespace

RunOutcome run(const Config& config, const std::filesystem::path& out, const ProgressFn& progress) {
  config.validate();
  check_sources(config);
  const auto device = resolve_device(config.device);
  RunOutcome outcome;
  auto& report = outcome.report;
  report.recipe = config.recipe;
  report.criterion = name(config.select.criterion);
  report.seed = config.seed;
  report.device = device.str();
  StepClock clock(report.seconds);

  std::filesystem::path embeddings = config.embeddings.path;
  std::optional<ErmModel> model;
  if (embeddings.empty()) {
    model = open_model(config);
    const auto data = open_configured_data(config);
    for (const auto& split : {config.splits.identify, config.splits.tune})
      data.split(SplitSelector::parse(split).name);  // before hours of extraction
    embeddings = out / "embeddings";
    const auto extraction =
        extract_embeddings(*model, data, config.data.extraction, embeddings, progress);
    report.verified = extraction.verified;
    for (const auto& [name, split] : extraction.splits)
      if (!split.skipped.empty()) report.skipped[name] = split.skipped;
    clock.finish("extract");
  }
  const auto folder = model ? EmbeddingFolder::open(embeddings, model->head())
                            : EmbeddingFolder::open(embeddings);
  clock.finish("load");
  report.result = tune(config, folder, device, progress);
  clock.finish("tune");
  report.erm = evaluate(to(folder.head(), device, at::kFloat), folder);
  report.tuned = evaluate(report.result.head, folder);
  clock.finish("evaluate");

  outcome.names = folder.names();
  make_folder(out);
  write_results(config, report, model, out);
  return outcome;
}

}  // namespace neurontune
