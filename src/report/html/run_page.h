#pragma once

#include <string>
#include <string_view>

#include "report/html/run_sources.h"

namespace neurontune::html {

/// report.html of a run.
std::string run_page(const RunSources& run);

/// The lines of a trajectory.jsonl.
std::vector<Json> parsed_lines(std::string_view text);

}  // namespace neurontune::html
