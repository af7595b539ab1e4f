#include "neurontune/pipeline/run.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "base/log_message.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "io/output_folder.h"
#include "neurontune/base/error.h"
#include "pipeline/collect_page.h"
#include "pipeline/config_json.h"
#include "pipeline/embedding_output.h"
#include "pipeline/image_input.h"
#include "pipeline/open_embeddings.h"
#include "pipeline/tune_and_evaluate.h"
#include "report/html_files.h"
#include "report/model_card.h"

namespace neurontune {
namespace {

const std::vector<std::string> kFiles = {
    "result.json",      "model.pt",    "head.safetensors", "spuriousness.safetensors",
    "trajectory.jsonl", "config.json", "transform.json",   "MODEL_CARD.md",
    kPageDataFile,      kPageFile};

/// Nothing that is read is written over, and no other place is written into: said before the work.
void check_out(const Config& config, const std::filesystem::path& out) {
  std::error_code none;
  if (!config.embeddings.path.empty() &&
      std::filesystem::equivalent(config.embeddings.path, out, none))
    throw OptionError("out is the folder of the embeddings, " + out.string() +
                      ", whose head would be overwritten; expected another folder");
  check_holds_no_other(out, {kCacheFile, "compare.json", "ablate.json"});
  if (!config.data.path.empty()) check_outside_data(out, config.data.path);
  if (!config.model.path.empty() && is_file_of(config.model.path, out, kFiles))
    throw OptionError("model.path is " + config.model.path +
                      ", which the repaired model would overwrite; expected another folder");
}

/// What a run writes; one from embeddings has no model, and one without images no transform.
std::vector<std::string> written_files(const Config& config, const PageOptions& page) {
  auto files = kFiles;
  if (config.model.path.empty()) std::erase(files, "model.pt");
  if (!image_manifest(config)) std::erase(files, "transform.json");
  if (!page.written)
    std::erase_if(files,
                  [](const auto& file) { return file == kPageDataFile || file == kPageFile; });
  return files;
}

/// The last part of a path: the name of a folder or file.
std::string name_of(const std::filesystem::path& path) {
  const auto whole = path.lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

CardSource card_source(const Config& config, const Names& names) {
  const bool stored = config.model.path.empty();
  CardSource source;
  source.data = name_of(stored ? config.embeddings.path : config.data.path);
  source.model = stored ? source.data : std::filesystem::path(config.model.path).stem().string();
  source.identify = config.splits.identify;
  source.tune = config.splits.tune;
  source.names = names;
  return source;
}

PageSource page_source(const PageOptions& page) {
  PageSource source;
  source.images = page.images;
  if (!page.vocabulary.empty()) source.vocabulary = Vocabulary::read(page.vocabulary);
  return source;
}

/// Removes what an earlier run left and this one does not write. Without result.json a folder is
/// unfinished.
void remove_earlier(const std::vector<std::string>& files, OutputFolder& out) {
  out.remove("result.json");
  for (const auto& file : kFiles)
    if (std::find(files.begin(), files.end(), file) == files.end()) out.remove(file);
}

/// result.json comes last, with the digests of the files that belong to it.
void write_results(const Config& config, RunReport& report, const Names& names,
                   const std::optional<ErmModel>& model, const std::optional<PageData>& page,
                   OutputFolder& out) {
  auto files = written_files(config, {.written = page.has_value()});
  remove_earlier(files, out);
  out.begin(files);
  if (model) model->save_with_head(report.result.head(), out / "model.pt");
  write_head(out / "head.safetensors", report.result.head());
  const auto& found = report.result.neurontune();
  write_spuriousness(out / "spuriousness.safetensors", found.scores, report.result.masked(),
                     found.test);
  write_file(out / "trajectory.jsonl", trajectory_jsonl(found));
  write_file(out / "MODEL_CARD.md", model_card(report, card_source(config, names)));
  const auto settings = config_json(config);
  write_file(out / "config.json", json_text(settings) + "\n");
  if (std::find(files.begin(), files.end(), "transform.json") != files.end())
    write_file(out / "transform.json", json_text(settings.at("data").at("transform")) + "\n");
  if (page) write_file(out / kPageDataFile, json_text(page_data_json(*page), -1) + "\n");
  for (const auto* later : {"result.json", kPageFile}) std::erase(files, later);
  report.files = out.finish(files);
  for (const auto* file : {"config.json", "MODEL_CARD.md", kPageDataFile})
    report.files.erase(file);  // name paths, data and threads, which change no result
  const auto result = json_text(report) + "\n";
  if (page) {
    write_file(out / kPageFile, html_of_run(out.path(), result));
    out.finish({kPageFile});
  }
  write_file(out / "result.json", result);
  out.finish({"result.json"});
}

}  // namespace

RunOutcome run(const Config& config, const std::filesystem::path& out, const ProgressFn& progress,
               const LogFn& log, const PageOptions& page) {
  config.validate();
  check_out(config, out);
  auto source = page_source(page);
  OutputFolder output(out, written_files(config, page));
  RunOutcome outcome;
  auto& report = outcome.report;
  report = started_report(config, resolve_device(config.device, log));
  StepClock clock(report.seconds, log);

  const auto splits = {SplitSelector::parse(config.splits.identify).name,
                       SplitSelector::parse(config.splits.tune).name};
  const auto [folder, model, extraction, data_warnings, data] =
      open_embeddings(config, splits, out, clock, progress, log);
  if (extraction) {
    report.verified = extraction->verified;
    for (const auto& [name, split] : extraction->splits)
      if (!split.skipped.empty()) report.skipped[name] = split.skipped;
  }
  tune_and_evaluate(config, folder, data_warnings, report, clock, progress, log);
  if (!report.tuned.contains("test"))
    report.warnings.push_back("there is no split test: figures of " + shown_split(report) +
                              " are of data that the repair has seen, and too optimistic");

  std::optional<PageData> shown;
  if (page.written) {
    source.data = data ? &*data : nullptr;
    shown = collect_page(config, folder, report, source);
    clock.finish("report");
  }
  outcome.names = folder.names();
  write_results(config, report, outcome.names, model, shown, output);
  log_info(log, "results: ", (out / "result.json").string());
  return outcome;
}

}  // namespace neurontune
