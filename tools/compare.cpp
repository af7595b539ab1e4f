#include "neurontune/compare/compare.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "add_subcommand.h"
#include "base/describe.h"
#include "base/log_message.h"
#include "exit_code.h"
#include "help.h"
#include "io/file_io.h"
#include "io/output_folder.h"
#include "io/result_file.h"
#include "neurontune/base/error.h"
#include "neurontune/report/junit.h"
#include "output.h"
#include "page_flags.h"
#include "progress_bar.h"
#include "report/text_rows.h"
#include "setting_options.h"
#include "subcommands.h"
#include "table.h"

namespace neurontune::cli {
namespace {

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", seconds);
  return text;
}

void print_comparison(const ComparisonReport& report, const Screen& screen) {
  std::vector<std::vector<std::string>> rows = {
      {"", "mean", "adjusted mean", "worst group", "worst class", "time"}};
  std::set<std::pair<std::size_t, std::size_t>> emphasised;
  bool oracles = false;
  for (const auto& method : report.methods) {
    oracles |= method.oracle;
    emphasised.insert({rows.size(), 3});
    rows.push_back(
        {method.method + (method.oracle ? " *" : ""), summary_text(method.test, "mean_accuracy"),
         summary_text(method.test, "adjusted_mean_accuracy"),
         summary_text(method.test, "worst_group_accuracy"),
         summary_text(method.test, "worst_class_accuracy"), seconds_text(method.seconds)});
  }
  const auto note = accuracy_over_seeds(report.seeds.size()) +
                    (report.seeds.size() < 2 ? "" : "; time of one seed") +
                    (oracles ? "; * an oracle: sees attributes" : "");
  std::cout << table(rows, screen, emphasised) << screen.fitted(note) << "\n\n";
  constexpr std::size_t kIndent = 11;
  for (const auto& method : report.methods) {
    std::cout << method.method << "\n  saw      "
              << screen.fitted(joined(method.sees, " "), kIndent) << "\n  settings "
              << screen.fitted(method.selection, kIndent) << '\n';
    if (!method.failure.empty())
      std::cout << "  not run  " << screen.fitted(method.failure, kIndent) << '\n';
  }
}

/// The stored figures of the methods that will be run, before anything is.
StoredMeans read_baseline(const std::string& file, const std::vector<std::string>& methods) {
  const auto text = read_file(file);
  StoredMeans means;
  try {
    means = stored_means(text);
  } catch (const Error& error) {
    throw Error(file + ": " + error.what());
  }
  if (methods.empty()) return means;
  std::erase_if(means, [&](const auto& of) {
    return std::find(methods.begin(), methods.end(), of.first) == methods.end();
  });
  if (means.empty()) throw Error(file + ": has no figure of the methods that are compared");
  return means;
}

struct CompareCommand {
  CompareCommand(CLI::App& command, Log& log)
      : settings(command, log,
                 {SettingGroup::model, SettingGroup::head, SettingGroup::embeddings,
                  SettingGroup::splits, SettingGroup::identification, SettingGroup::tuning,
                  SettingGroup::machine}),
        output(command, log) {
    const auto known = method_names();
    put(command.add_option("--methods", options.methods,
                           "The methods to compare. By default all that the data allows."),
        group::kSelection, "NAME,… [all]", listed(known, known.size()))
        ->delimiter(',');
    put(command.add_option("--seeds", options.seeds,
                           "Random seeds that each method is run with, from --seed on."),
        group::kRetraining, "N [5]", "1 to 10000");
    put(command.add_option("--out", out,
                           "Folder for compare.json, compare.csv, compare.md and report.html."),
        group::kOutput, "OUT")
        ->required();
    add_report_flag(command, options.page);
    put(command.add_option("--baseline", baseline,
                           "An earlier compare.json. The program exits with 3 if a method's mean "
                           "accuracy is now lower by more than --tolerance."),
        group::kOutput, "FILE", "", Use::rare);
    tolerance_option =
        put(command.add_option("--tolerance", tolerance,
                               "With --baseline: by how much a mean may be lower than it was."),
            group::kOutput, "X [0.01]", "0 or more", Use::rare);
    put(command.add_option("--junit", junit,
                           "With --baseline: also write what was checked to this file, in JUnit's "
                           "XML."),
        group::kOutput, "FILE", "", Use::rare);
  }

  void execute() {
    if (!std::isfinite(tolerance) || tolerance < 0)
      throw OptionError("tolerance is " + describe(tolerance) + ", expected 0 or more");
    if (tolerance_option->count() > 0 && baseline.empty())
      output.log.write(LogLevel::warn, "--tolerance has no effect here: it needs --baseline");
    if (!junit.empty() && baseline.empty())
      throw OptionError("--junit has nothing to write; expected --baseline with it");
    options.config = settings.resolve();
    options.validate();
    print_warnings(settings.warnings(options.config), output);
    StoredMeans stored;
    if (!baseline.empty() && is_file_of(baseline, out, {"compare.json"}))
      throw OptionError("--baseline is " + baseline +
                        ", which this comparison would overwrite; expected another --out");
    if (!baseline.empty()) {
      log_debug(output.log.callback(), "baseline: ", sized(baseline));
      stored = read_baseline(baseline, options.methods);
    }
    const ResultFile junit_file(junit, kJunitBeginning);
    const auto report = [&] {
      ProgressBar progress(output.log);
      return compare(options, out, progress.callback(), output.log.callback());
    }();
    const auto checks = baseline_checks(report, stored, tolerance);
    if (!junit.empty()) junit_file.write(junit_xml("compare", checks));
    print_warnings(report.warnings, output);
    if (output.json)
      std::cout << json_text(report) << '\n';
    else
      print_comparison(report, output.screen());
    auto findings = all_findings(checks);
    if (!findings.empty()) throw NotAsRequired(baseline, std::move(findings));
  }

  SettingOptions settings;
  OutputOptions output;
  CompareOptions options;
  std::string out, baseline, junit;
  const CLI::Option* tolerance_option = nullptr;
  double tolerance = 0.01;
};

}  // namespace

void add_compare(CLI::App& app, Log& log) {
  add_subcommand<CompareCommand>(app, log, "compare",
                                 "Methods side by side on the same embeddings, over several seeds");
}

}  // namespace neurontune::cli
