#include "report/html/run_page.h"

#include "base/number_text.h"
#include "io/json_text.h"
#include "report/html/advice.h"
#include "report/html/page.h"
#include "report/html/run_sections.h"

namespace neurontune::html {

namespace {

std::vector<Warning> warnings_of(const RunSources& run) {
  std::vector<Warning> warnings;
  for (const auto& warning : run.result.at("warnings")) {
    const auto text = warning.get<std::string>();
    warnings.push_back({text, advice(text, run.result.at("criterion").get<std::string>())});
  }
  if (run.result.contains("skipped"))
    warnings.push_back(
        {counted(static_cast<int64_t>(run.result["skipped"].size()), "sample") +
             " could not be read and took no part (--skip-bad)",
         "repair or remove these files; `skipped` in result.json names them with the reasons."});
  return warnings;
}

/// A page without its sections.
Page beginning(const RunSources& run) {
  Page page;
  page.title = "Repair of a classifier";
  page.verdict = run_verdict(run);
  page.tiles = run_tiles(run);
  page.grounds = run_grounds(run);
  page.warnings = warnings_of(run);
  return page;
}

}  // namespace

std::string run_page(const RunSources& run) {
  Page page = beginning(run);
  page.sections = {groups_section(run), samples_section(run),   neurons_section(run),
                   scores_section(run), selection_section(run), settings_section(run)};
  page.footer = "Made by NeuronTune " +
                run.result.at("versions").at("neurontune").get<std::string>() +
                " from result.json, report.json, trajectory.jsonl and config.json.";
  return rendered(page);
}

std::string summary_page(const RunSources& run) {
  Page page = beginning(run);
  page.sections = {groups_section(run)};
  return rendered(page);
}

std::vector<Json> parsed_lines(std::string_view text) {
  std::vector<Json> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(parse_json_object(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace neurontune::html
