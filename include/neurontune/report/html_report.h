#pragma once

#include <filesystem>
#include <string>

#include "neurontune/export.h"

namespace neurontune {

/// Makes OUT/report.html again from the files that `run`, `compare` or `ablate` left in a folder:
/// the same bytes as they wrote.
///
/// @return the page's path
/// @throws Error if the folder holds no results, a file is not as it was written, or the page is
///         somebody else's
NEURONTUNE_EXPORT std::filesystem::path write_html_report(const std::filesystem::path& out);

/// The first screen of a run's report.html as a page of its own: the verdict, the warnings and the
/// accuracy of each group.
///
/// @param result the text of result.json
/// @throws Error if it is no such text
NEURONTUNE_EXPORT std::string summary_page(const std::string& result);

}  // namespace neurontune
