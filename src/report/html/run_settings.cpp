#include "report/html/markup.h"
#include "report/html/run_sections.h"
#include "report/html/settings_table.h"

namespace neurontune::html {

Section settings_section(const RunSources& run) {
  Section section{"settings", "Settings and versions"};
  const auto& result = run.result;
  Table versions;
  versions.head = {"", ""};
  for (const auto* key : {"recipe", "criterion", "device"})
    versions.rows.push_back({key, result.at(key).get<std::string>()});
  versions.rows.push_back({"seed", result.at("seed").dump()});
  for (const auto& [name, version] : result.at("versions").items())
    versions.rows.push_back({name, version.get<std::string>()});
  if (result.contains("verified"))
    versions.rows.push_back({"the split model differs from the whole one by at most",
                             plain(result["verified"].at("max_abs_difference").get<double>())});
  section.tables.push_back(std::move(versions));
  section.tables.push_back(seconds_table(result.at("seconds")));
  section.paragraphs.emplace_back(
      "This makes the run again, from the folder where it was started; OUT is the folder of this "
      "page:");
  section.commands.emplace_back("neurontune run --config OUT/config.json --out AGAIN");
  section.tables.push_back(settings_table(run.config));
  return section;
}

}  // namespace neurontune::html
