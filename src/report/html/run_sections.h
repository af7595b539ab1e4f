#pragma once

#include <string>
#include <vector>

#include "report/html/page.h"
#include "report/html/run_sources.h"

namespace neurontune::html {

// The parts of the page of a run, in their order. A part for which a run has nothing says so.

/// What was wrong, what was done: a sentence each.
std::vector<std::string> run_verdict(const RunSources& run);

/// Why it could be done, and how sure that is: the conclusion of result.json.
std::string run_grounds(const RunSources& run);

/// The accuracies that matter, before and after.
std::vector<Tile> run_tiles(const RunSources& run);

/// Accuracy in groups, classes and inferred groups, before and after, the worst first.
Section groups_section(const RunSources& run);

/// Samples of each inferred group, or of each class.
Section samples_section(const RunSources& run);

/// The strongest dimensions.
Section neurons_section(const RunSources& run);

/// The scores of all dimensions, and how many could be chance.
Section scores_section(const RunSources& run);

/// Epochs and candidates, and the chosen one.
Section selection_section(const RunSources& run);

/// Settings, versions, wall times, and the command that makes the run again.
Section settings_section(const RunSources& run);

}  // namespace neurontune::html
