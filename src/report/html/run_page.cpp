#include "report/html/run_page.h"

#include "io/json_text.h"
#include "report/html/advice.h"
#include "report/html/page.h"
#include "report/html/run_sections.h"

namespace neurontune::html {

std::string run_page(const RunSources& run) {
  Page page;
  page.title = "Repair of a classifier";
  page.verdict = run_verdict(run);
  page.tiles = run_tiles(run);
  for (const auto& warning : run.result.at("warnings")) {
    const auto text = warning.get<std::string>();
    page.warnings.push_back({text, advice(text)});
  }
  page.sections = {groups_section(run), samples_section(run),   neurons_section(run),
                   scores_section(run), selection_section(run), settings_section(run)};
  page.footer = "Made by NeuronTune " +
                run.result.at("versions").at("neurontune").get<std::string>() +
                " from result.json, report.json, trajectory.jsonl and config.json.";
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
