#include "neurontune/report/check.h"

namespace neurontune {

std::vector<std::string> all_findings(const std::vector<Check>& checks) {
  std::vector<std::string> findings;
  for (const auto& check : checks)
    findings.insert(findings.end(), check.findings.begin(), check.findings.end());
  return findings;
}

}  // namespace neurontune
