#pragma once

#include <filesystem>
#include <string>

namespace neurontune {

inline constexpr const char* kPageFile = "report.html";
inline constexpr const char* kPageDataFile = "report.json";

/// The page of the result whose files lie in a folder, given the text of the one that is written
/// last: result.json, compare.json or ablate.json.
///
/// @throws Error naming the file that is not as it was written
std::string html_of_run(const std::filesystem::path& out, const std::string& result);
std::string html_of_comparison(const std::string& comparison);
std::string html_of_ablation(const std::string& ablation);

}  // namespace neurontune
