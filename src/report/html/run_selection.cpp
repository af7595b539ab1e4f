#include <algorithm>

#include "base/describe.h"
#include "base/number_text.h"
#include "report/html/chart.h"
#include "report/html/markup.h"
#include "report/html/run_sections.h"

namespace neurontune::html {
namespace {

constexpr std::size_t kMostCandidates = 12;

const char* const kKinds =
    "Bias shift moves only the biases. Anchored is retrained near the model's own head: λ is how "
    "strongly it is held there, γ how much misclassified samples count. Balanced is retrained with "
    "classes balanced; neurontune is an epoch of that behind the mask of biased neurons; "
    "rebalanced "
    "is retrained with inferred groups balanced. In brackets stands the data that it was fitted "
    "to.";
const char* const kAcceptance =
    "A candidate is free if it costs no held-out accuracy. A trade costs some, and is allowed "
    "where "
    "there is evidence of a shortcut that it repairs.";

/// The lowest of those that are not null.
std::optional<double> lowest(const Json& values) {
  std::optional<double> found;
  for (const auto& value : values)
    if (value.is_number()) found = std::min(found.value_or(1), value.get<double>());
  return found;
}

/// The epoch of the selected head, where it is one of trajectory.jsonl.
std::optional<double> selected_epoch(const RunSources& run) {
  if (run.result.at("selected") != "neurontune" ||
      run.result.value("fitted_to", std::string("tuning")) != "tuning")
    return std::nullopt;
  return number(run.result, "selected_epoch");
}

/// A line of a figure of each epoch.
template <typename Value>
LineChart::Line line_of(const RunSources& run, const char* colour, const Value& value) {
  LineChart::Line line{colour, {}};
  for (std::size_t i = 0; i < run.epochs.size(); ++i)
    if (const auto y = value(i))
      line.points.push_back({run.epochs[i].at("epoch").get<double>(), {*y}});
  return line;
}

LineChart of_epochs(const RunSources& run, const std::string& description,
                    const std::string& y_title) {
  LineChart chart;
  chart.description = description;
  chart.x_title = "epoch";
  chart.y_title = y_title;
  chart.marked_x = selected_epoch(run);
  chart.mark = "chosen";
  return chart;
}

/// A figure of an epoch that report.json has for it; one of before may lack it.
std::optional<double> of_epoch(const RunSources& run, const char* key, std::size_t epoch) {
  if (!run.has_data()) return std::nullopt;
  const auto values = run.data.find(key);
  if (values == run.data.end() || epoch >= values->size()) return std::nullopt;
  return (*values)[epoch].get<double>();
}

std::optional<double> true_worst_group(const RunSources& run, std::size_t epoch) {
  return of_epoch(run, "worst_group_of_epochs", epoch);
}

std::optional<double> worst_inferred_group(const RunSources& run, std::size_t epoch) {
  if (run.knows_groups()) return std::nullopt;  // heads were compared by those
  return of_epoch(run, "worst_inferred_group_of_epochs", epoch);
}

Table epochs_table(const RunSources& run) {
  const bool with_truth = true_worst_group(run, 0).has_value();
  const bool with_groups = worst_inferred_group(run, 0).has_value();
  Table table;
  table.head = {"epoch", "SFit", "balanced accuracy", "worst class", "loss", "masked"};
  if (with_groups) table.head.emplace_back("worst inferred group");
  if (with_truth) table.head.push_back("true worst group of " + run.shown() + " (not used)");
  for (std::size_t i = 0; i < run.epochs.size(); ++i) {
    const auto& epoch = run.epochs[i];
    const auto sfit = number(epoch, "sfit"), loss = number(epoch, "loss");
    table.rows.push_back(
        {std::to_string(epoch.at("epoch").get<int64_t>()), sfit ? plain(*sfit) : "–",
         percent_or_dash(number(epoch, "balanced_accuracy")),
         percent_or_dash(lowest(epoch.at("class_accuracy"))), loss ? plain(*loss) : "–",
         std::to_string(epoch.at("biased").get<int64_t>())});
    if (with_groups) table.rows.back().push_back(percent_or_dash(worst_inferred_group(run, i)));
    if (with_truth) table.rows.back().push_back(percent_or_dash(true_worst_group(run, i)));
    if (selected_epoch(run) == epoch.at("epoch").get<double>()) table.marked = i;
  }
  return table;
}

Figure epoch_sfit(const RunSources& run) {
  auto chart = of_epochs(run, "SFit of each epoch", "SFit");
  chart.lines.push_back(
      line_of(run, "c0", [&](std::size_t i) { return number(run.epochs[i], "sfit"); }));
  Figure figure;
  figure.title = "Spuriousness fitness score (SFit) of each epoch of NeuronTune";
  figure.svg = drawn(chart);
  figure.numbers = epochs_table(run);
  return figure;
}

Figure epoch_accuracy(const RunSources& run) {
  auto chart = of_epochs(run, "Accuracy of each epoch", "accuracy");
  chart.percent = true;
  Figure figure;
  figure.title = "Accuracy of each epoch on the identification split";
  figure.legend = {{"c0", "balanced", ""}, {"c1", "worst class", ""}};
  chart.lines.push_back(line_of(
      run, "c0", [&](std::size_t i) { return number(run.epochs[i], "balanced_accuracy"); }));
  chart.lines.push_back(line_of(
      run, "c1", [&](std::size_t i) { return lowest(run.epochs[i].at("class_accuracy")); }));
  if (worst_inferred_group(run, 0)) {
    chart.lines.push_back(
        line_of(run, "c2", [&](std::size_t i) { return worst_inferred_group(run, i); }));
    figure.legend.push_back({"c2", "worst inferred group (an estimate)", ""});
  }
  if (true_worst_group(run, 0)) {
    chart.lines.push_back(
        line_of(run, "c7", [&](std::size_t i) { return true_worst_group(run, i); }));
    figure.legend.push_back(
        {"c7", "true worst group of " + run.shown() + ": not used for the choice", ""});
  }
  figure.svg = drawn(chart);
  figure.numbers = epochs_table(run);
  return figure;
}

std::string candidate_name(const Json& candidate) {
  auto text = candidate.at("source").get<std::string>();
  if (text == "erm") return "the model's own head";
  std::replace(text.begin(), text.end(), '_', ' ');
  if (const auto epoch = number(candidate, "epoch")) text += ", epoch " + fixed(*epoch, 0);
  if (const auto penalty = number(candidate, "penalty")) text += ", λ " + plain(*penalty);
  if (const auto gamma = number(candidate, "gamma")) text += ", γ " + plain(*gamma);
  auto data = candidate.value("fitted_to", std::string());
  std::replace(data.begin(), data.end(), '_', ' ');
  if (!data.empty() && data != "nothing") text += " (" + data + ")";
  return text;
}

std::optional<Estimate> inferred(const Json& candidate) {
  if (!candidate.contains("inferred")) return std::nullopt;
  const auto& worst = candidate.at("inferred");
  return Estimate{worst.at("worst_group_accuracy").get<double>(),
                  worst.at("interval").at(0).get<double>(),
                  worst.at("interval").at(1).get<double>()};
}

std::optional<Estimate> estimate(const Json& candidate, const char* key) {
  const auto value = number(candidate, key);
  return value ? std::optional(Estimate{*value}) : std::nullopt;
}

/// The accepted candidates, the chosen one first; behind them the ERM head, to compare with.
std::vector<const Json*> shown_candidates(const RunSources& run) {
  std::vector<const Json*> shown;
  bool erm = false;
  for (const auto& candidate : run.result.at("candidates")) {
    shown.push_back(&candidate);
    erm |= candidate.at("source") == "erm";
  }
  if (!erm && run.result.contains("held_out"))
    shown.push_back(&run.result.at("held_out").at("erm"));
  return shown;
}

Figure candidates(const RunSources& run) {
  const auto shown = shown_candidates(run);
  const bool groups = shown.front()->contains("inferred");
  const bool judged = shown.front()->contains("worst_class_accuracy");
  Figure figure;
  figure.legend = {{"c0", "balanced accuracy", ""}};
  figure.numbers.head = {"candidate", "balanced accuracy"};
  DotChart chart{"Accuracy of each candidate", {"c0", "c2", "c1"}, {}, false};
  if (judged) {
    figure.legend.push_back({"c2", "worst class", ""});
    figure.numbers.head.insert(
        figure.numbers.head.end(),
        {"worst class", "lower bound, worst group or class", "why accepted"});
  }
  if (groups) {
    const std::string worst = run.knows_groups() ? "worst group" : "worst inferred group";
    figure.legend.push_back({"c1", worst + ", with its 90 % interval", ""});
    figure.numbers.head.push_back(worst);
  }
  figure.numbers.head.emplace_back("SFit");
  figure.numbers.marked = 0;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto& candidate = *shown[i];
    const auto worst = inferred(candidate);
    if (i < kMostCandidates || i + 1 == shown.size())
      chart.rows.push_back({candidate_name(candidate),
                            i == 0 ? "chosen" : "",
                            {estimate(candidate, "balanced_accuracy"),
                             estimate(candidate, "worst_class_accuracy"), worst},
                            i == 0});
    const auto sfit = number(candidate, "sfit");
    std::vector<std::string> row = {candidate_name(candidate),
                                    percent_or_dash(number(candidate, "balanced_accuracy"))};
    if (judged)
      row.insert(row.end(), {percent_or_dash(number(candidate, "worst_class_accuracy")),
                             percent_or_dash(number(candidate, "worst_lower")),
                             candidate.value("acceptance", std::string("–"))});
    if (groups)
      row.push_back(worst ? as_percent(worst->value) + " (" + fixed(100 * *worst->lower, 1) + "–" +
                                fixed(100 * *worst->upper, 1) + ")"
                          : "–");
    row.push_back(sfit ? plain(*sfit) : "–");
    figure.numbers.rows.push_back(std::move(row));
  }
  figure.title = judged ? "Accuracy of the candidates on held-out data, the chosen one first"
                        : "Balanced accuracy of the epochs in their order, the chosen one first";
  if (shown.size() > kMostCandidates + 1)
    figure.title +=
        " (" + std::to_string(kMostCandidates + 1) + " of " + std::to_string(shown.size()) + ")";
  figure.svg = drawn(chart);
  return figure;
}

}  // namespace

Section selection_section(const RunSources& run) {
  Section section{"selection", "Selection"};
  const auto refused = run.result.at("refused_candidates").get<int64_t>();
  const bool judged = run.result.contains("held_out");
  section.paragraphs.push_back(
      judged ? "Every candidate was judged on held-out data that it was not fitted to. " +
                   counted(static_cast<int64_t>(run.result.at("candidates").size()), "candidate") +
                   " could be chosen, and " + counted(refused, "other") +
                   (refused == 1 ? " was" : " were") + " refused, since they cost too much."
             : "The epoch was chosen by the criterion " +
                   run.result.at("criterion").get<std::string>() + ".");
  if (judged) {
    section.paragraphs.emplace_back(kKinds);
    if (!run.knows_groups()) section.paragraphs.emplace_back(kAcceptance);
  }
  section.figures.push_back(candidates(run));
  if (!run.epochs.empty()) {
    section.figures.push_back(epoch_sfit(run));
    section.figures.push_back(epoch_accuracy(run));
  }
  return section;
}

}  // namespace neurontune::html
