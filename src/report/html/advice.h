#pragma once

#include <string>

namespace neurontune::html {

/// What to try about a warning of a run, a comparison or an ablation; nothing where the warning
/// says all there is.
std::string advice(const std::string& warning, const std::string& criterion = "");

}  // namespace neurontune::html
