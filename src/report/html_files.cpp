#include "report/html_files.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "io/file_io.h"
#include "io/json_text.h"
#include "io/output_folder.h"
#include "neurontune/base/error.h"
#include "neurontune/report/html_report.h"
#include "report/html/ablation_page.h"
#include "report/html/comparison_page.h"
#include "report/html/run_page.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

/// Reads a file by `parse`; messages name it.
template <typename Parse>
auto parsed(const std::filesystem::path& path, const Parse& parse) {
  const auto text = read_file(path);
  try {
    return parse(text);
  } catch (const Error& error) {
    throw Error(path.string() + ": " + error.what());
  }
}

/// What a page needs is there, unless somebody changed a file.
std::string made(const std::string& file, const std::function<std::string()>& page) {
  try {
    return page();
  } catch (const Json::exception& error) {
    throw Error(file + ": is not as neurontune writes it: " + json_reason(error));
  }
}

}  // namespace

std::string html_of_run(const std::filesystem::path& out, const std::string& result) {
  html::RunSources sources;
  sources.result = parse_json_object(result);
  if (entry_exists(out / kPageDataFile))
    sources.data = parsed(out / kPageDataFile, parse_json_object);
  sources.config = parsed(out / "config.json", parse_json_object);
  sources.epochs = parsed(out / "trajectory.jsonl", html::parsed_lines);
  return made("result.json", [&] { return html::run_page(sources); });
}

std::string html_of_comparison(const std::string& comparison) {
  const auto json = parse_json_object(comparison);
  return made("compare.json", [&] { return html::comparison_page(json); });
}

std::string html_of_ablation(const std::string& ablation) {
  const auto json = parse_json_object(ablation);
  return made("ablate.json", [&] { return html::ablation_page(json); });
}

std::filesystem::path write_html_report(const std::filesystem::path& out) {
  const std::vector<std::pair<std::string, std::function<std::string(const std::string&)>>> kinds =
      {{"result.json", [&](const std::string& text) { return html_of_run(out, text); }},
       {"compare.json", html_of_comparison},
       {"ablate.json", html_of_ablation}};
  for (const auto& [file, page] : kinds) {
    if (!entry_exists(out / file)) continue;
    OutputFolder folder(out, {kPageFile});
    std::string html;
    try {
      html = page(read_file(out / file));
    } catch (const Error& error) {
      throw Error(out.string() + ": " + error.what());
    }
    folder.begin({kPageFile});
    write_file(folder / kPageFile, html);
    folder.finish({kPageFile});
    return folder / kPageFile;
  }
  throw Error(out.string() +
              ": holds no results; expected result.json, compare.json or ablate.json");
}

std::string summary_page(const std::string& result) {
  html::RunSources sources;
  sources.result = parse_json_object(result);
  return made("result.json", [&] { return html::summary_page(sources); });
}

}  // namespace neurontune
