#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "add_subcommand.h"
#include "help.h"
#include "io/json_text.h"
#include "metrics_table.h"
#include "neurontune/base/error.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/pipeline/extract.h"
#include "neurontune/pipeline/open_model.h"
#include "neurontune/report/metrics_json.h"
#include "neurontune/report/requirement.h"
#include "output.h"
#include "progress_bar.h"
#include "setting_options.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

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
            "program exits with 1. Any key of --json's metrics. May be given several "
            "times."),
        group::kOutput, "KEY>=NUMBER");
  }

  void execute() const {
    std::vector<Requirement> required;
    for (const auto& text : requirements) required.push_back(Requirement::parse(text));
    const auto config = settings.resolve();
    const auto selector = SplitSelector::parse(split);
    Names names;
    const auto metrics = config.embeddings.path.empty() ? of_model(config, selector, names)
                                                        : of_embeddings(config, selector, names);
    const auto block = metrics_json(metrics);
    auto findings = unmet(required, block);
    if (output.json)
      std::cout << json_text({{"split", split}, {"metrics", block}}) << '\n';
    else
      std::cout << metrics_table({{split, metrics}}, names, output.screen());
    if (!findings.empty()) throw DataError(split, std::move(findings));
  }

  Head chosen_head(const Head& own) const {
    return head_file.empty() ? own : read_head(head_file, own);
  }

  SplitMetrics of_embeddings(const Config& config, const SplitSelector& selector,
                             Names& names) const {
    if (!config.model.path.empty() || !config.data.path.empty())
      throw OptionError("--embeddings stands beside --model or --data; expected one or the other");
    const auto folder = open_configured_embeddings(config, output.log.callback());
    print_warnings(folder.warnings(), output);
    print_warnings(class_warnings(folder), output);
    names = folder.names();
    const auto chosen = folder.select(selector);
    const auto head = to(chosen_head(folder.head()),
                         resolve_device(config.device, output.log.callback()), at::kFloat);
    return evaluate(head, chosen, group_space(folder));
  }

  SplitMetrics of_model(const Config& config, const SplitSelector& selector, Names& names) const {
    if (config.model.path.empty() || config.data.path.empty())
      throw OptionError("nothing to evaluate; expected --model and --data, or --embeddings");
    if (!config.embeddings.arrays.empty())
      throw OptionError("--arrays stands beside --model and --data; expected it with --embeddings");
    const auto model = open_model(config, output.log.callback());
    const auto data = open_configured_data(config, output.log.callback());
    print_warnings(data.warnings, output);
    print_warnings(class_warnings(data, model.head().classes()), output);
    names = data.names;
    const auto& dataset = data.split(selector.name);
    ProgressBar progress(output.log);
    const auto predicted =
        predict(model, chosen_head(model.head()), dataset, config.data.extraction,
                progress.callback(), output.log.callback());
    const auto labels = dataset.labels(), attributes = dataset.attributes();
    const auto rows = part_rows(labels, selector);
    return split_metrics(predicted.index_select(0, rows), labels.index_select(0, rows),
                         attributes.defined() ? attributes.index_select(0, rows) : attributes,
                         group_space(data, model.head().classes()));
  }

  SettingOptions settings;
  OutputOptions output;
  std::string head_file;
  std::string split = "test";
  std::vector<std::string> requirements;
};

}  // namespace

void add_eval(CLI::App& app, Log& log) {
  add_subcommand<EvalCommand>(app, log, "eval",
                              "Accuracy of a model or head over classes and groups");
}

}  // namespace neurontune::cli
