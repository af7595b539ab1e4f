#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

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
  explicit EvalCommand(CLI::App& command)
      : settings(command, {SettingGroup::model, SettingGroup::head_name, SettingGroup::embeddings,
                           SettingGroup::machine}),
        output(command) {
    command.add_option("--head", head_file, "a head to evaluate instead of the model's own")
        ->option_text("FILE");
    command.add_option("--split", split, "split, or a part of one")->option_text("SPLIT [test]");
    command
        .add_option("--require", requirements,
                    "exits 1 where a figure is not so: 'worst_group_accuracy>=0.8'; any key of the "
                    "metric block, and again for another")
        ->option_text("KEY>=NUMBER ...");
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
      std::cout << metrics_table({{split, metrics}}, names);
    if (!findings.empty()) throw DataError(split, std::move(findings));
  }

  Head chosen_head(const Head& own) const {
    return head_file.empty() ? own : read_head(head_file, own);
  }

  SplitMetrics of_embeddings(const Config& config, const SplitSelector& selector,
                             Names& names) const {
    if (!config.model.path.empty() || !config.data.path.empty())
      throw OptionError("--embeddings stands beside --model or --data; expected one or the other");
    const auto folder = open_configured_embeddings(config);
    print_warnings(folder.warnings(), output);
    print_warnings(class_warnings(folder), output);
    names = folder.names();
    const auto chosen = folder.select(selector);
    const auto head = to(chosen_head(folder.head()), resolve_device(config.device), at::kFloat);
    return evaluate(head, chosen, group_space(folder));
  }

  SplitMetrics of_model(const Config& config, const SplitSelector& selector, Names& names) const {
    if (config.model.path.empty() || config.data.path.empty())
      throw OptionError("nothing to evaluate; expected --model and --data, or --embeddings");
    if (!config.embeddings.arrays.empty())
      throw OptionError("--arrays stands beside --model and --data; expected it with --embeddings");
    const auto model = open_model(config);
    const auto data = open_configured_data(config);
    print_warnings(data.warnings, output);
    print_warnings(class_warnings(data, model.head().classes()), output);
    names = data.names;
    const auto& dataset = data.split(selector.name);
    ProgressBar progress(output.quiet);
    const auto predicted = predict(model, chosen_head(model.head()), dataset,
                                   config.data.extraction, progress.callback());
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

void add_eval(CLI::App& app) {
  auto* command = app.add_subcommand("eval", "Accuracy of a model or head over classes and groups");
  auto eval = std::make_shared<EvalCommand>(*command);
  command->callback([eval] { eval->execute(); });
}

}  // namespace neurontune::cli
