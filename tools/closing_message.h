#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/metrics/split_metrics.h"
#include "neurontune/pipeline/run.h"
#include "screen.h"

namespace neurontune::cli {

/// Accuracies of heads on the same split, by name.
using NamedMetrics = std::vector<std::pair<std::string, SplitMetrics>>;

/// A finished run, told to a person: how the worst group and the mean have changed, what was done
/// and why, the table of accuracies, and which files were written.
///
/// @param out  the folder of the results
/// @param rows of the table, on the shown split
std::string closing_message(const RunOutcome& outcome, const std::filesystem::path& out,
                            const NamedMetrics& rows, const Screen& screen);

}  // namespace neurontune::cli
