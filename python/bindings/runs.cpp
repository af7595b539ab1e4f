#include <neurontune/compare/compare_in_memory.h>
#include <neurontune/pipeline/run_in_memory.h>
#include <neurontune/report/html_report.h>
#include <neurontune/report/run_report.h>

#include "bindings.h"
#include "conversions.h"
#include "groups.h"

namespace neurontune::python {
namespace {

using Splits = std::map<std::string, SplitTuple>;

py::dict tune(const Splits& splits, const HeadTuple& head, const std::string& settings,
              const py::object& progress) {
  const auto config = method_config(settings);
  const auto report = unlocked([&, on_progress = progress_of(progress)] {
    return run_in_memory(config, data_of(splits, head), on_progress);
  });
  const auto& found = report.result.neurontune();
  const auto* const repaired = report.result.repair();
  py::dict result;
  result["head"] = tuple_of(report.result.head());
  result["scores"] = found.scores.scores;
  result["mask"] = report.result.masked().mask;
  result["groups"] = repaired ? groups_dict(repaired->shortcut) : py::object(py::none());
  result["figures"] = json_text(report);
  result["trajectory"] = trajectory_jsonl(found);
  result["settings"] = method_settings(config);
  return result;
}

std::string compare(const Splits& splits, const HeadTuple& head, const std::string& settings,
                    const std::vector<std::string>& methods, int64_t seeds,
                    const py::object& progress) {
  CompareOptions options;
  options.config = method_config(settings);
  options.methods = methods;
  options.seeds = seeds;
  return json_text(unlocked([&, on_progress = progress_of(progress)] {
    return compare_in_memory(options, data_of(splits, head), on_progress);
  }));
}

}  // namespace

void bind_runs(py::module_& module) {
  module.def("tune", &tune);
  module.def("compare", &compare);
  module.def("method_names", &method_names);
  module.def("summary_page", &summary_page);
}

}  // namespace neurontune::python
