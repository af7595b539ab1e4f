#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "add_subcommand.h"
#include "base/log_message.h"
#include "exit_code.h"
#include "groups_table.h"
#include "help.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "io/result_file.h"
#include "metrics_table.h"
#include "neurontune/base/error.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/pipeline/extract.h"
#include "neurontune/pipeline/open_model.h"
#include "neurontune/report/junit.h"
#include "neurontune/report/predictions_csv.h"
#include "neurontune/report/requirement.h"
#include "output.h"
#include "pipeline/image_input.h"
#include "progress_bar.h"
#include "report/metric_block.h"
#include "setting_options.h"
#include "subcommands.h"
#include "wrapped.h"

namespace neurontune::cli {
namespace {

/// What was evaluated, a row a sample.
struct Evaluated {
  std::vector<std::string> ids;
  at::Tensor labels, attributes;
  ClassPredictions predictions;
  GroupSpace space;
  Names names;

  SplitMetrics metrics() const { return split_metrics(predictions, labels, attributes, space); }
};

struct EvalCommand {
  EvalCommand(CLI::App& command, Log& log)
      : settings(command, log,
                 {SettingGroup::model, SettingGroup::head_name, SettingGroup::embeddings,
                  SettingGroup::machine}),
        output(command, log) {
    put(command.add_option("--head", head_file,
                           "File of a head to evaluate instead of the model's own."),
        group::kModel, "FILE");
    put(command.add_option("--split", split,
                           "Data to evaluate on: a split, or a part of one, such as test:1/2."),
        group::kSplits, "SPLIT [test]");
    put(command.add_option(
            "--require", requirements,
            "The least that a figure must be, 'worst_group_accuracy>=0.8', or the "
            "program exits with 3. Any key of --json's metrics. May be given several "
            "times."),
        group::kOutput, "KEY>=NUMBER");
    put(command.add_option("--junit", junit,
                           "With --require: also write what was checked to this file, in JUnit's "
                           "XML."),
        group::kOutput, "FILE");
    put(command.add_option("--predictions", predictions,
                           "Also write each sample's prediction to this CSV file."),
        group::kOutput, "FILE.csv");
  }

  void execute() const {
    std::vector<Requirement> required;
    for (const auto& text : requirements) required.push_back(Requirement::parse(text));
    if (!junit.empty() && required.empty())
      throw OptionError("--junit has nothing to write; expected --require with it");
    const auto config = settings.resolve();
    const auto selector = SplitSelector::parse(split);
    const ResultFile junit_file(junit, kJunitBeginning);
    const ResultFile predictions_file(predictions, kPredictionsHeader);

    const auto evaluated = config.embeddings.path.empty() ? of_model(config, selector)
                                                          : of_embeddings(config, selector);
    const auto metrics = evaluated.metrics();
    const auto checks = check(required, metrics);
    if (!predictions.empty())
      predictions_file.write(predictions_csv(evaluated.ids, evaluated.labels, evaluated.attributes,
                                             evaluated.predictions));
    if (!junit.empty()) junit_file.write(junit_xml("eval." + split, checks));
    if (output.json)
      std::cout << json_text({{"split", split}, {"metrics", metrics_json(metrics)}}) << '\n';
    else
      print(metrics, evaluated.names);
    auto findings = all_findings(checks);
    if (!findings.empty()) throw NotAsRequired(split, std::move(findings));
  }

  void print(const SplitMetrics& metrics, const Names& names) const {
    std::cout << metrics_table({{split, metrics}}, names, output.screen());
    if (metrics.groups) std::cout << '\n' << groups_table(*metrics.groups, names, output.screen());
    std::cout << '\n' << wrapped(other_figures(metrics), output.screen().text_columns()) << '\n';
  }

  Head chosen_head(const Head& own) const {
    if (head_file.empty()) return own;
    log_debug(output.log.callback(), "head: ", sized(head_file));
    return read_head(head_file, own);
  }

  Evaluated of_embeddings(const Config& config, const SplitSelector& selector) const {
    if (!config.model.path.empty() || !config.data.path.empty())
      throw OptionError("--embeddings stands beside --model or --data; expected one or the other");
    const auto folder = open_configured_embeddings(config, output.log.callback());
    print_warnings(folder.warnings(), output);
    print_warnings(class_warnings(folder), output);
    const auto chosen = folder.select(selector);
    const auto head = to(chosen_head(folder.head()),
                         resolve_device(config.device, output.log.callback()), at::kFloat);
    return {chosen.ids.empty() ? numbered(selector.name, rows_of(folder, selector)) : chosen.ids,
            chosen.labels,
            chosen.attributes,
            class_predictions(head, chosen),
            group_space(folder),
            folder.names()};
  }

  static at::Tensor rows_of(const EmbeddingFolder& folder, const SplitSelector& selector) {
    return part_rows(folder.split(selector.name).labels, selector);
  }

  /// "test[17]", as samples of tensors without ids are called.
  static std::vector<std::string> numbered(const std::string& of, const at::Tensor& rows) {
    std::vector<std::string> ids;
    const auto* const row = rows.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < rows.numel(); ++i)
      ids.push_back(of + "[" + std::to_string(row[i]) + "]");
    return ids;
  }

  Evaluated of_model(const Config& config, const SplitSelector& selector) const {
    if (config.model.path.empty() || config.data.path.empty())
      throw OptionError("nothing to evaluate; expected --model and --data, or --embeddings");
    if (!config.embeddings.arrays.empty())
      throw OptionError("--arrays stands beside --model and --data; expected it with --embeddings");
    const auto model = open_model(config, output.log.callback());
    const auto data = open_configured_data(config, output.log.callback());
    print_warnings(data.warnings, output);
    print_warnings(class_warnings(data, model.head().classes()), output);
    const auto& dataset = data.split(selector.name);
    const auto predicted = [&] {
      ProgressBar progress(output.log);
      ClassPredictions of_all;
      with_size_advice(model, data, config, [&] {
        of_all = predict(model, chosen_head(model.head()), dataset, config.data.extraction,
                         progress.callback(), output.log.callback());
      });
      return of_all;
    }();
    print_warnings(enlargement_warnings(model, data, config), output);
    const auto labels = dataset.labels(), attributes = dataset.attributes();
    const auto rows = part_rows(labels, selector);
    return {ids_of(dataset, rows),
            labels.index_select(0, rows),
            attributes.defined() ? attributes.index_select(0, rows) : attributes,
            predicted.rows(rows),
            group_space(data, model.head().classes()),
            data.names};
  }

  static std::vector<std::string> ids_of(const Dataset& dataset, const at::Tensor& rows) {
    const auto all = dataset.ids();
    std::vector<std::string> ids;
    const auto* const row = rows.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < rows.numel(); ++i)
      ids.push_back(all.at(static_cast<std::size_t>(row[i])));
    return ids;
  }

  SettingOptions settings;
  OutputOptions output;
  std::string head_file;
  std::string split = "test";
  std::vector<std::string> requirements;
  std::string junit, predictions;
};

}  // namespace

void add_eval(CLI::App& app, Log& log) {
  add_subcommand<EvalCommand>(app, log, "eval",
                              "Accuracy of a model or head over classes and groups");
}

}  // namespace neurontune::cli
