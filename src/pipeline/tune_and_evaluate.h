#pragma once

#include <string>
#include <vector>

#include "neurontune/base/log.h"
#include "neurontune/base/progress.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/pipeline/config.h"
#include "neurontune/report/run_report.h"
#include "pipeline/step_clock.h"

namespace neurontune {

/// A report that says which settings it is of, and nothing more yet.
RunReport started_report(const Config& config, at::Device device);

/// What a run does between reading and writing: tunes the head on the splits that the config names,
/// and measures it and the ERM head on every split.
///
/// @param folder        on its device
/// @param data_warnings what is to be said of the data, before what is to be said of the result
/// @param report        gets the result, the figures and the warnings
void tune_and_evaluate(const Config& config, const EmbeddingFolder& folder,
                       const std::vector<std::string>& data_warnings, RunReport& report,
                       StepClock& clock, const ProgressFn& progress, const LogFn& log);

}  // namespace neurontune
