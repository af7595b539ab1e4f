#include "neurontune/report/result_text.h"

#include <nlohmann/json.hpp>

#include "io/json_text.h"
#include "neurontune/base/error.h"
#include "neurontune/report/metrics_json.h"
#include "report/html/run_page.h"

namespace neurontune {

std::string result_text(const RunReport& report) { return json_text(result_json(report)) + "\n"; }

std::string metrics_text(const SplitMetrics& metrics) {
  return json_text(metrics_json(metrics)) + "\n";
}

std::string summary_page(const std::string& result) {
  html::RunSources sources;
  sources.result = parse_json_object(result);
  try {
    return html::summary_page(sources);
  } catch (const html::Json::exception& error) {
    throw Error("result: is not as neurontune writes it: " + json_reason(error));
  }
}

}  // namespace neurontune
