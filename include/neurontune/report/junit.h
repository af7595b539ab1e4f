#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "neurontune/export.h"
#include "neurontune/report/check.h"

namespace neurontune {

/// What every text of `junit_xml` begins with.
inline constexpr std::string_view kJunitBeginning =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"neurontune\"";

/// Checks as test cases in JUnit's XML, as Jenkins, GitLab and Maven's Surefire read it: those that
/// do not hold are failures.
/// @param suite what was checked, "eval.test"; bytes that XML cannot hold are escaped
NEURONTUNE_EXPORT std::string junit_xml(const std::string& suite, const std::vector<Check>& checks);

}  // namespace neurontune
