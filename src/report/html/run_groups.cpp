#include <algorithm>
#include <cmath>

#include "base/describe.h"
#include "base/number_text.h"
#include "neurontune/metrics/wilson_interval.h"
#include "report/html/chart.h"
#include "report/html/markup.h"
#include "report/html/run_sections.h"

namespace neurontune::html {
namespace {

constexpr std::size_t kMostRows = 24;         ///< of a chart
constexpr std::size_t kMostTableRows = 1000;  ///< result.json has all

/// Accuracy of some samples before and after.
struct GroupRow {
  std::string name;
  double samples = 0;
  Estimate before, after;
};

Estimate of_counts(double accuracy, double samples) {
  const auto [lower, upper] = wilson_interval(std::round(accuracy * samples), samples);
  return {accuracy, lower, upper};
}

std::string with_interval(const Estimate& estimate) {
  return as_percent(estimate.value) + " (" + fixed(100 * *estimate.lower, 1) + "–" +
         fixed(100 * *estimate.upper, 1) + ")";
}

std::string samples_text(double samples) {
  const auto rounded = static_cast<int64_t>(std::llround(samples));
  return (std::abs(samples - static_cast<double>(rounded)) > 1e-9 ? "about " : "") +
         counted(rounded, "sample");
}

Figure figure_of(std::string title, std::vector<GroupRow> rows, const std::string& interval) {
  std::stable_sort(rows.begin(), rows.end(), [](const GroupRow& left, const GroupRow& right) {
    return left.before.value < right.before.value;
  });
  DotChart chart;
  chart.description = title;
  chart.colours = {"before", "after"};
  chart.connected = true;
  Figure figure;
  figure.legend = {{"before", "before", ""}, {"after", "after, with " + interval, ""}};
  figure.numbers.head = {"group", "samples", "before (" + interval + ")",
                         "after (" + interval + ")", "change in points"};
  for (std::size_t i = 0; i < std::min(rows.size(), kMostTableRows); ++i) {
    const auto& row = rows[i];
    if (i < kMostRows)
      chart.rows.push_back({row.name, samples_text(row.samples), {row.before, row.after}});
    figure.numbers.rows.push_back({row.name, samples_text(row.samples), with_interval(row.before),
                                   with_interval(row.after),
                                   points(row.after.value - row.before.value)});
  }
  if (rows.size() > kMostRows)
    title +=
        " (the worst " + std::to_string(kMostRows) + " of " + std::to_string(rows.size()) + ")";
  figure.title = std::move(title);
  figure.svg = drawn(chart);
  return figure;
}

Figure true_groups(const RunSources& run) {
  std::vector<GroupRow> rows;
  const auto &before = run.before().at("groups"), &after = run.after().at("groups");
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto samples = before[i].at("count").get<double>();
    rows.push_back({run.group(before[i]), samples,
                    of_counts(before[i].at("accuracy").get<double>(), samples),
                    of_counts(after.at(i).at("accuracy").get<double>(), samples)});
  }
  return figure_of("Accuracy in each group of " + run.shown() + ", the worst first",
                   std::move(rows), "95 % interval");
}

Figure classes(const RunSources& run) {
  std::vector<GroupRow> rows;
  const auto &before = run.before().at("class_accuracy"), &after = run.after().at("class_accuracy");
  const auto samples = run.before().at("samples").get<double>();
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].is_null()) continue;
    const auto accuracy = before[i].get<double>(), tuned = after.at(i).get<double>();
    rows.push_back({run.label(static_cast<int64_t>(i)), samples, {accuracy}, {tuned}});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const GroupRow& left, const GroupRow& right) {
    return left.before.value < right.before.value;
  });
  DotChart chart{"Accuracy in each class", {"before", "after"}, {}, true};
  Figure figure;
  figure.title = "Accuracy in each class of " + run.shown() + ", the worst first";
  figure.legend = {{"before", "before", ""}, {"after", "after", ""}};
  figure.numbers.head = {"class", "before", "after", "change in points"};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    if (i < kMostRows) chart.rows.push_back({row.name, "", {row.before, row.after}});
    figure.numbers.rows.push_back({row.name, as_percent(row.before.value),
                                   as_percent(row.after.value),
                                   points(row.after.value - row.before.value)});
  }
  figure.svg = drawn(chart);
  return figure;
}

Estimate of_inferred(const Json& group) {
  return {group.at("accuracy").get<double>(), group.at("interval").at(0).get<double>(),
          group.at("interval").at(1).get<double>()};
}

/// The groups of held-out data that heads were compared by.
Figure held_out_groups(const RunSources& run) {
  std::vector<GroupRow> rows;
  const auto& shortcut = run.result.at("shortcut");
  const auto &before = shortcut.at("erm").at("groups"), &after = shortcut.at("tuned").at("groups");
  for (std::size_t i = 0; i < before.size(); ++i)
    rows.push_back(
        {run.knows_groups() ? run.group(before[i])
                            : run.inferred_group(before[i].at("label").get<int64_t>(),
                                                 before[i].at("attribute").get<int64_t>()),
         before[i].at("samples").get<double>(), of_inferred(before[i]), of_inferred(after.at(i))});
  return figure_of(run.knows_groups()
                       ? "Accuracy in each group of held-out data, the worst first"
                       : "Estimated accuracy in each inferred group of held-out data, the worst "
                         "first",
                   std::move(rows), "90 % interval");
}

}  // namespace

Section groups_section(const RunSources& run) {
  Section section{"groups", "Groups"};
  if (run.has_groups()) {
    section.paragraphs.emplace_back(
        "A group is the samples of one class with one value of the attribute. The interval says "
        "how sure an accuracy is: that of a group of few samples is wide.");
    section.figures.push_back(true_groups(run));
  } else {
    section.paragraphs.emplace_back(
        "The data have no attributes, so that the true groups are not known.");
  }
  section.figures.push_back(classes(run));
  if (run.has_inferred()) {
    section.paragraphs.push_back(
        std::string("Inferred groups are a guess from the model's own mistakes: “A that looks like "
                    "B” are samples of class A with the feature that the model takes for B. "
                    "No attribute was seen for that. ") +
        (run.trusts_inferred()
             ? "There is evidence that they are real: "
             : "There is too little evidence that they are real, and they were not used: ") +
        run.result["shortcut"].at("reason").get<std::string>() + ".");
    section.figures.push_back(held_out_groups(run));
  } else if (run.has_estimates()) {
    section.paragraphs.emplace_back(
        "Heads were compared by the groups of held-out data, whose attributes are known.");
    section.figures.push_back(held_out_groups(run));
  } else if (run.has_shortcut() && !run.knows_groups()) {
    section.paragraphs.push_back(
        "No groups were inferred: " + run.result["shortcut"].at("reason").get<std::string>() + ".");
  }
  return section;
}

}  // namespace neurontune::html
