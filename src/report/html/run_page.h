#pragma once

#include <string>
#include <string_view>

#include "report/html/run_sources.h"

namespace neurontune::html {

/// report.html of a run.
std::string run_page(const RunSources& run);

/// The first screen of it alone: the verdict, the warnings and the groups.
std::string summary_page(const RunSources& run);

/// The lines of a trajectory.jsonl.
std::vector<Json> parsed_lines(std::string_view text);

}  // namespace neurontune::html
