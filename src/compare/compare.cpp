#include "neurontune/compare/compare.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include "base/describe.h"
#include "base/edit_distance.h"
#include "base/log_message.h"
#include "compare/compared_methods.h"
#include "io/file_io.h"
#include "io/output_folder.h"
#include "neurontune/base/error.h"
#include "neurontune/compare/compare_in_memory.h"
#include "neurontune/pipeline/evaluate.h"
#include "pipeline/embedding_output.h"
#include "pipeline/open_embeddings.h"
#include "report/html_files.h"

namespace neurontune {
namespace {

/// A standard deviation over seeds from which NeuronTune's pick is called unstable.
constexpr double kUnstable = 0.05;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// "train and val": the splits whose attributes a method sees, but of which none is known.
std::string splits_without_attributes(const ComparedMethod& method, const EmbeddingFolder& folder) {
  constexpr std::string_view kAttributes = "_attributes";
  std::vector<std::string> lacking;
  for (const auto& seen : method.sees) {
    if (!seen.ends_with(kAttributes)) continue;
    const auto split = seen.substr(0, seen.size() - kAttributes.size());
    if (!folder.split(split).attributes.defined()) lacking.push_back(split);
  }
  return joined(lacking, " and ");
}

/// The methods to run. Oracles are left out where no one asked for them and their splits have no
/// attributes.
std::vector<ComparedMethod> wanted(const CompareOptions& options, const EmbeddingFolder& folder,
                                   std::vector<std::string>& warnings) {
  std::vector<ComparedMethod> methods;
  for (auto& method : compared_methods(options)) {
    const bool named = std::count(options.methods.begin(), options.methods.end(), method.name) > 0;
    if (!options.methods.empty() && !named) continue;
    const auto lacking = splits_without_attributes(method, folder);
    if (!named && !lacking.empty())
      warnings.push_back(method.name + " is left out, since " +
                         (folder.attribute_values() > 0
                              ? "it sees the attributes of " + lacking + ", which has none"
                              : "the data has no attributes"));
    else
      methods.push_back(std::move(method));
  }
  return methods;
}

/// The paper's third sign of failure: the pick depends on the seed.
void warn_of_instability(const MethodReport& method, std::vector<std::string>& warnings) {
  const auto* figure = find(method.test, "worst_group_accuracy");
  const char* what = figure ? "worst-group" : "worst-class";
  if (!figure) figure = find(method.test, "worst_class_accuracy");
  if (!method.method.starts_with("neurontune") || !figure ||
      figure->standard_deviation <= kUnstable)
    return;
  const auto [least, most] = std::minmax_element(figure->values.begin(), figure->values.end());
  warnings.push_back(method.method + ": the selected head varies with the seed: " + what +
                     " accuracy " + as_percent(*least) + " to " + as_percent(*most) +
                     " (selected: " + listed(method.chosen) + "); do not trust a single run");
}

/// A head that training has thrown to infinity predicts one class and would pass for a result.
void check_trained(const Head& head) {
  if (!is_finite(head)) throw Error("its head has become infinite; a lower learning rate may help");
}

class Comparison {
 public:
  Comparison(const EmbeddingFolder& folder, at::Device device, ComparisonReport& report)
      : data_(folder, device),
        test_(folder.split("test")),
        space_(group_space(folder)),
        report_(report) {}

  const MethodReport& add(const ComparedMethod& method, const ProgressFn& progress) {
    MethodReport result{.method = method.name,
                        .oracle = method.oracle,
                        .sees = method.sees,
                        .selection = method.selection,
                        .chosen = {},
                        .test = {},
                        .failure = {}};
    try {
      run_seeds(method, result, progress);
      warn_of_instability(result, report_.warnings);
    } catch (const Error& error) {
      result.failure = error.what();
      result.chosen.clear();
      report_.warnings.push_back(method.name + " could not be run: " + error.what());
    }
    report_.methods.push_back(std::move(result));
    return report_.methods.back();
  }

 private:
  /// A method without randomness runs once, and its result stands for every seed.
  void run_seeds(const ComparedMethod& method, MethodReport& result, const ProgressFn& progress) {
    std::vector<SplitMetrics> metrics;
    double seconds = 0;
    int64_t runs = 0;
    for (const auto seed : report_.seeds) {
      if (metrics.empty() || method.seeded) {
        MethodOutcome outcome;
        seconds += seconds_of([&] {
          outcome = method.run(data_, seed, [&](std::string_view, int64_t done, int64_t total) {
            if (progress) progress(method.name + " " + std::to_string(seed), done, total);
          });
        });
        ++runs;
        check_trained(outcome.head);
        if (runs == 1)  // those of the other seeds say the same in other figures
          for (const auto& warning : outcome.warnings)
            report_.warnings.push_back(method.name + ": " + warning);
        metrics.push_back(evaluate(outcome.head, test_, space_));
        result.chosen.push_back(outcome.chosen);
      } else {
        metrics.push_back(metrics.front());
        result.chosen.push_back(result.chosen.front());
      }
    }
    result.seconds = seconds / static_cast<double>(runs);
    result.test = summarise(metrics);
  }

  ComparisonData data_;
  const EmbeddingSplit& test_;
  GroupSpace space_;
  ComparisonReport& report_;
};

const std::vector<std::string> kFiles = {"config.json", "compare.csv", "compare.md", kPageFile,
                                         "compare.json"};

std::vector<std::string> written_files(const PageOptions& page) {
  auto files = kFiles;
  if (!page.written) std::erase(files, kPageFile);
  return files;
}

void write_results(const CompareOptions& options, const ComparisonReport& report,
                   OutputFolder& out) {
  const auto files = written_files(options.page);
  const auto comparison = json_text(report) + "\n";
  if (!options.page.written) out.remove(kPageFile);
  out.begin(files);
  write_file(out / "config.json", json_text(options.config) + "\n");
  write_file(out / "compare.csv", comparison_csv(report));
  write_file(out / "compare.md", comparison_markdown(report));
  if (options.page.written) write_file(out / kPageFile, html_of_comparison(comparison));
  write_file(out / "compare.json", comparison);
  out.finish(files);
}

ComparisonReport started_report(const CompareOptions& options, at::Device device) {
  const auto& config = options.config;
  ComparisonReport report;
  report.identify = config.splits.identify;
  report.tune = config.splits.tune;
  report.recipe = config.recipe;
  report.device = device.str();
  for (int64_t i = 0; i < options.seeds; ++i)
    report.seeds.push_back(config.seed + static_cast<uint64_t>(i));
  return report;
}

/// Adds every wanted method to the report.
void compare_methods(const CompareOptions& options, const EmbeddingFolder& folder,
                     ComparisonReport& report, const ProgressFn& progress, const LogFn& log) {
  Comparison comparison(folder, at::Device(report.device), report);
  for (const auto& method : wanted(options, folder, report.warnings))
    log_info(log, method.name, ": ", comparison.add(method, progress).seconds, " s a seed");
  if (std::all_of(report.methods.begin(), report.methods.end(),
                  [](const MethodReport& method) { return !method.failure.empty(); }))
    throw Error("no method could be run, the first because " + report.methods.front().failure);
}

}  // namespace

void CompareOptions::validate() const {
  config.validate();
  check_seeds(seeds);
  const auto known = method_names();
  for (const auto& method : methods)
    if (std::find(known.begin(), known.end(), method) == known.end())
      throw OptionError("unknown method " + method + nearest_known(method, known));
  afr.validate();
  dfr.validate();
  self.validate();
  shortcut_probe.validate();
}

ComparisonReport compare(const CompareOptions& options, const std::filesystem::path& out,
                         const ProgressFn& progress, const LogFn& log) {
  options.validate();
  const auto& config = options.config;
  const auto device = resolve_device(config.device, log);
  check_holds_no_other(out, {"result.json", "ablate.json", kCacheFile});
  OutputFolder output(out, written_files(options.page));
  auto report = started_report(options, device);
  std::map<std::string, double> seconds;
  StepClock clock(seconds, log);
  const auto splits = {SplitSelector::parse(config.splits.identify).name,
                       SplitSelector::parse(config.splits.tune).name, std::string("test")};
  const auto [folder, model, extraction, data_warnings, data] =
      open_embeddings(config, splits, out, clock, progress, log);
  report.warnings = data_warnings;
  report.embeddings = folder.path().string();

  compare_methods(options, folder, report, progress, log);
  write_results(options, report, output);
  return report;
}

ComparisonReport compare_in_memory(const CompareOptions& options, const EmbeddingFolder& data,
                                   const ProgressFn& progress, const LogFn& log) {
  options.validate();
  auto report = started_report(options, data.split("test").embeddings.device());
  report.embeddings = data.path().string();
  report.warnings = warnings_of(data);
  compare_methods(options, data, report, progress, log);
  return report;
}

}  // namespace neurontune
