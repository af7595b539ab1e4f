#include "neurontune/compare/ablate.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/log_message.h"
#include "compare/comparison_data.h"
#include "compare/sweep_effects.h"
#include "io/file_io.h"
#include "io/output_folder.h"
#include "neurontune/base/error.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/repair/tuned_head.h"
#include "pipeline/open_embeddings.h"
#include "report/html_files.h"

namespace neurontune {
namespace {

constexpr std::size_t kMostPoints = 10'000;

bool may_be_swept(const std::string& key) {
  for (const auto* prefix : {"identify.", "tune.", "select.", "shortcut.", "splits."})
    if (key.starts_with(prefix)) return true;
  return key == "recipe";
}

/// "3/12", then a point's own progress.
ProgressFn of_run(std::size_t done, std::size_t total, const ProgressFn& progress) {
  if (!progress) return {};
  const auto stage = "ablate " + std::to_string(done + 1) + "/" + std::to_string(total);
  return [=](std::string_view, int64_t epoch, int64_t epochs) { progress(stage, epoch, epochs); };
}

class Ablation {
 public:
  Ablation(const EmbeddingFolder& folder, at::Device device, bool trajectory)
      : folder_(folder),
        data_(folder, device),
        test_(folder.split("test")),
        space_(group_space(folder)),
        trajectory_(trajectory) {}

  SplitMetrics erm() const { return evaluate(data_.erm(), test_, space_); }

  /// One run of the method, and what it reaches on test.
  std::pair<AblationRun, SplitMetrics> run(const Config& config, uint64_t seed,
                                           const ProgressFn& progress) {
    auto options = repair_options(config);
    options.neurontune.seed = seed;
    const auto result =
        tune_head(data_.labelled(config.splits.identify), data_.labelled(config.splits.tune),
                  data_.erm(), options, data_.attributes(config.splits.identify), progress);
    AblationRun run{seed,
                    result.settings().source,
                    result.epoch(),
                    result.masked().count(),
                    result.sfit(),
                    result.warnings(),
                    {}};
    if (trajectory_) run.trajectory = with_true_figures(result.neurontune(), config);
    return {std::move(run), evaluate(result.head(), test_, space_)};
  }

 private:
  std::vector<EpochReport> with_true_figures(const NeuronTuneResult& result, const Config& config) {
    const auto identification = folder_.select(SplitSelector::parse(config.splits.identify));
    std::vector<EpochReport> epochs;
    for (const auto& checkpoint : result.trajectory)
      epochs.push_back({checkpoint.epoch, *checkpoint.loss, checkpoint.sfit,
                        checkpoint.biased.count(),
                        evaluate(checkpoint.head, identification, space_),
                        evaluate(checkpoint.head, test_, space_)});
    return epochs;
  }

  const EmbeddingFolder& folder_;
  ComparisonData data_;
  const EmbeddingSplit& test_;
  GroupSpace space_;
  bool trajectory_;
};

AblationPoint run_point(Ablation& ablation, const SweepPoint& point, int64_t seeds,
                        const ProgressFn& progress) {
  AblationPoint report;
  for (const auto& setting : point.settings)
    report.settings.emplace_back(setting.key, setting.text);
  std::map<std::string, double> seconds;
  StepClock clock(seconds);
  std::vector<SplitMetrics> metrics;
  try {
    for (int64_t i = 0; i < seeds; ++i) {
      auto [run, test] =
          ablation.run(point.config, point.config.seed + static_cast<uint64_t>(i), progress);
      report.runs.push_back(std::move(run));
      metrics.push_back(std::move(test));
    }
    report.test = summarise(metrics);
    report.seconds = clock.finish("runs") / static_cast<double>(seeds);
  } catch (const Error& error) {
    report.failure = error.what();
    report.runs.clear();
  }
  return report;
}

}  // namespace

Sweep Sweep::parse(const std::string& text) {
  const auto equals = text.find('=');
  Sweep sweep{text.substr(0, equals), {}};
  if (equals != std::string::npos) {
    std::istringstream values(text.substr(equals + 1));
    for (std::string value; std::getline(values, value, ',');) sweep.values.push_back(value);
  }
  if (sweep.values.empty() || std::any_of(sweep.values.begin(), sweep.values.end(),
                                          [](const auto& v) { return v.empty(); }))
    throw OptionError("sweep is " + text + ", expected KEY=VALUE,VALUE,…");
  if (!may_be_swept(sweep.key))
    throw OptionError("sweep is " + text + ": the key is " + sweep.key +
                      ", expected one of identify.*, tune.*, select.*, shortcut.*, splits.* or "
                      "recipe");
  return sweep;
}

std::vector<std::vector<SettingFlag>> grid(const std::vector<Sweep>& sweeps) {
  std::vector<std::vector<SettingFlag>> points = {{}};
  for (const auto& sweep : sweeps) {
    std::vector<std::vector<SettingFlag>> longer;
    for (const auto& point : points) {
      for (const auto& setting : point)
        if (setting.key == sweep.key) throw OptionError("sweep: " + sweep.key + " is swept twice");
      for (const auto& value : sweep.values) {
        longer.push_back(point);
        auto& settings = longer.back();
        settings.insert(sweep.key == "recipe" ? settings.begin() : settings.end(),
                        {"--sweep", sweep.key, value});
      }
    }
    points = std::move(longer);
    if (points.size() > kMostPoints)
      throw OptionError("sweep: the values combine to over " + std::to_string(kMostPoints) +
                        " points, expected at most so many");
  }
  return points;
}

AblationReport ablate(const AblateOptions& options, const std::filesystem::path& out,
                      const ProgressFn& progress, const LogFn& log) {
  check_seeds(options.seeds);
  for (const auto& point : options.points) point.config.validate();
  const auto& config = options.points.at(0).config;
  const auto device = resolve_device(config.device, log);
  check_holds_no_other(out, {"result.json", "compare.json"});
  std::vector<std::string> files = {"ablate.csv", "ablate.json"};
  if (options.page.written) files.emplace_back(kPageFile);
  OutputFolder output(out, files);
  std::vector<std::string> splits = {"test"};
  for (const auto& point : options.points)
    for (const auto& split : {point.config.splits.identify, point.config.splits.tune})
      splits.push_back(SplitSelector::parse(split).name);

  std::map<std::string, double> seconds;
  StepClock clock(seconds, log);
  const auto [folder, model, extraction, data_warnings, data] =
      open_embeddings(config, splits, out, clock, progress, log);
  Ablation ablation(folder, device, options.trajectory);
  AblationReport report;
  report.embeddings = folder.path().string();
  report.device = device.str();
  report.dimensions = folder.head().embedding_dim();
  report.erm = ablation.erm();
  report.warnings = data_warnings;
  for (int64_t i = 0; i < options.seeds; ++i)
    report.seeds.push_back(config.seed + static_cast<uint64_t>(i));
  for (std::size_t i = 0; i < options.points.size(); ++i) {
    report.points.push_back(run_point(ablation, options.points[i], options.seeds,
                                      of_run(i, options.points.size(), progress)));
    log_info(log, "point ", i + 1, " of ", options.points.size(), ": ",
             report.points.back().seconds, " s a seed");
  }
  if (std::all_of(report.points.begin(), report.points.end(),
                  [](const AblationPoint& point) { return !point.failure.empty(); }))
    throw Error("no point could be run, the first because " + report.points.front().failure);
  for (auto& warning : sweeps_without_effect(options.points, report.points))
    report.warnings.push_back(std::move(warning));
  const auto stored = json_text(report) + "\n";
  if (!options.page.written) output.remove(kPageFile);
  output.begin(files);
  write_file(output / "ablate.csv", ablation_csv(report));
  if (options.page.written) write_file(output / kPageFile, html_of_ablation(stored));
  write_file(output / "ablate.json", stored);
  output.finish(files);
  return report;
}

}  // namespace neurontune
