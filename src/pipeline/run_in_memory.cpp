#include "neurontune/pipeline/run_in_memory.h"

#include "neurontune/data/split.h"
#include "pipeline/open_embeddings.h"
#include "pipeline/tune_and_evaluate.h"

namespace neurontune {

RunReport run_in_memory(const Config& config, const EmbeddingFolder& data,
                        const ProgressFn& progress, const LogFn& log) {
  config.validate();
  const auto& held_out = data.split(SplitSelector::parse(config.splits.identify).name);
  auto report = started_report(config, held_out.embeddings.device());
  StepClock clock(report.seconds, log);
  tune_and_evaluate(config, data, warnings_of(data), report, clock, progress, log);
  return report;
}

}  // namespace neurontune
