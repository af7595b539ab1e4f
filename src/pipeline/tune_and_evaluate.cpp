#include "pipeline/tune_and_evaluate.h"

#include <ATen/ATen.h>

#include "base/log_message.h"
#include "neurontune/data/split.h"
#include "neurontune/pipeline/evaluate.h"
#include "pipeline/open_embeddings.h"

namespace neurontune {
namespace {

TunedHead tuned(const Config& config, const EmbeddingFolder& folder, const ProgressFn& progress) {
  const auto held_out = folder.select(SplitSelector::parse(config.splits.identify));
  const auto tuning = folder.select(SplitSelector::parse(config.splits.tune));
  return tune_head(labelled(held_out), labelled(tuning), folder.head(), repair_options(config),
                   held_out.attributes, progress);
}

std::vector<std::string> all_warnings(const Config& config, std::vector<std::string> of_data,
                                      const TunedHead& tuned) {
  auto& warnings = of_data;
  warnings.insert(warnings.end(), tuned.warnings().begin(), tuned.warnings().end());
  const auto tune = SplitSelector::parse(config.splits.tune);
  if (SplitSelector::parse(config.splits.identify).overlaps(tune))
    warnings.push_back("the identification and tuning splits share samples of " + tune.name +
                       ": figures on held-out data are too optimistic");
  return warnings;
}

}  // namespace

RunReport started_report(const Config& config, at::Device device) {
  RunReport report;
  report.recipe = config.recipe;
  report.criterion = name(config.select.criterion);
  report.seed = config.seed;
  report.device = device.str();
  return report;
}

void tune_and_evaluate(const Config& config, const EmbeddingFolder& folder,
                       const std::vector<std::string>& data_warnings, RunReport& report,
                       StepClock& clock, const ProgressFn& progress, const LogFn& log) {
  report.result = tuned(config, folder, progress);
  report.warnings = all_warnings(config, data_warnings, report.result);
  clock.finish("tune");
  log_info(log, "masked ", report.result.masked().count(), " of ",
           report.result.masked().biased.numel(), " dimensions");
  report.erm = evaluate(to(folder.head(), at::Device(report.device), at::kFloat), folder);
  report.tuned = evaluate(report.result.head(), folder);
  clock.finish("evaluate");
}

}  // namespace neurontune
