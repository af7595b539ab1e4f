#pragma once

#include <string>

#include "neurontune/export.h"
#include "neurontune/metrics/split_metrics.h"
#include "neurontune/report/run_report.h"

namespace neurontune {

/// The text of result.json.
NEURONTUNE_EXPORT std::string result_text(const RunReport& report);

/// A metric block as JSON.
NEURONTUNE_EXPORT std::string metrics_text(const SplitMetrics& metrics);

/// The first screen of report.html as a page of its own: the verdict, the warnings and the accuracy
/// of each group.
///
/// @param result the text of result.json
/// @throws Error if it is no such text
NEURONTUNE_EXPORT std::string summary_page(const std::string& result);

}  // namespace neurontune
