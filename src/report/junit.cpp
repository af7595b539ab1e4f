#include "neurontune/report/junit.h"

#include <algorithm>

#include "base/byte_escapes.h"
#include "base/describe.h"

namespace neurontune {
namespace {

/// Text of one line for an attribute or an element: UTF-8 without control characters and the two
/// characters of it that XML 1.0 has not.
std::string xml(const std::string& text) {
  std::string written;
  for (const char c : escaped_line(text)) {
    switch (c) {
      case '&':
        written += "&amp;";
        break;
      case '<':
        written += "&lt;";
        break;
      case '>':
        written += "&gt;";
        break;
      case '"':
        written += "&quot;";
        break;
      default:
        written += c;
    }
  }
  for (const char* const none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"})  // U+FFFE, U+FFFF
    for (std::size_t at = 0; (at = written.find(none, at)) != std::string::npos;)
      written.replace(at, 3, "\xEF\xBF\xBD");  // the replacement character
  return written;
}

std::string attribute(const std::string& name, const std::string& value) {
  return " " + name + "=\"" + xml(value) + "\"";
}

std::string test_case(const std::string& suite, const Check& check) {
  const auto start = "    <testcase" + attribute("classname", "neurontune." + suite) +
                     attribute("name", check.name) + attribute("time", "0");
  if (check.findings.empty()) return start + "/>\n";
  return start + ">\n      <failure" + attribute("message", check.findings.front()) +
         attribute("type", "NotAsRequired") + ">" + xml(joined(check.findings, "; ")) +
         "</failure>\n    </testcase>\n";
}

}  // namespace

std::string junit_xml(const std::string& suite, const std::vector<Check>& checks) {
  const auto failures = std::count_if(checks.begin(), checks.end(),
                                      [](const Check& check) { return !check.findings.empty(); });
  const auto counts = attribute("tests", std::to_string(checks.size())) +
                      attribute("failures", std::to_string(failures)) + attribute("errors", "0");
  auto text = std::string(kJunitBeginning) + counts + ">\n  <testsuite" +
              attribute("name", "neurontune." + suite) + counts + attribute("skipped", "0") +
              attribute("time", "0") + ">\n";
  for (const auto& check : checks) text += test_case(suite, check);
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace neurontune
