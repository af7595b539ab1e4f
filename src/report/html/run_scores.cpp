#include "report/html/chart.h"
#include "report/html/markup.h"
#include "report/html/run_sections.h"

namespace neurontune::html {
namespace {

std::string colour(std::size_t index) {
  std::string name = "c";
  return name.append(std::to_string(index % 8));
}

Figure curves(const RunSources& run) {
  LineChart chart;
  chart.description = "Spuriousness scores of each class, sorted";
  chart.x_title = "rank of the neuron";
  chart.y_title = "δ";
  chart.level = run.data.at("threshold").get<double>();
  chart.level_name = "threshold " + plain(*chart.level);
  Figure figure;
  figure.title = "Scores of each class, the highest first: neurons over the threshold are flagged";
  figure.numbers.head = {"class", "rank", "δ"};
  std::size_t index = 0;
  for (const auto& scores : run.data.at("scores")) {
    LineChart::Line line{colour(index), {}};
    const auto name = run.label(scores.at("label").get<int64_t>());
    for (const auto& point : scores.at("by_rank")) {
      line.points.push_back({point.at(0).get<double>(), {point.at(1).get<double>()}});
      figure.numbers.rows.push_back(
          {name, std::to_string(point.at(0).get<int64_t>()), plain(point.at(1).get<double>())});
    }
    chart.lines.push_back(std::move(line));
    figure.legend.push_back({colour(index++), name, ""});
  }
  figure.svg = drawn(chart);
  return figure;
}

std::string verdict_text(const std::string& verdict) {
  if (verdict == "found") return "some are more than chance";
  if (verdict == "none") return "all could be chance";
  return "too few samples to tell";
}

/// How many of the flagged dimensions chance does not explain.
Table tests(const RunSources& run) {
  Table table;
  table.title = "How many could be chance";
  table.head = {"class", "mistakes", "correct", "over the threshold"};
  const bool tested = run.result.contains("mistake_test");
  if (tested)
    table.head.insert(table.head.end(),
                      {"more than chance", "also at equal distance from the boundary", "verdict"});
  for (const auto& scores : run.data.at("scores")) {
    const auto label = scores.at("label").get<std::size_t>();
    const auto& counts = run.result.at("classes").at(label);
    table.rows.push_back({run.label(static_cast<int64_t>(label)),
                          std::to_string(counts.at("misclassified").get<int64_t>()),
                          std::to_string(counts.at("correct").get<int64_t>()),
                          std::to_string(scores.at("over_threshold").get<int64_t>())});
    if (!tested) continue;
    const auto& test = run.result["mistake_test"];
    const auto& plain_test = test.at("plain").at(label);
    for (const auto* null : {"plain", "given_margin"})
      table.rows.back().push_back(
          std::to_string(test.at(null).at(label).at("significant").get<int64_t>()));
    table.rows.back().push_back(verdict_text(plain_test.at("verdict").get<std::string>()));
  }
  return table;
}

}  // namespace

Section scores_section(const RunSources& run) {
  Section section{"scores", "Scores"};
  if (!run.has_data() || run.data.at("scores").empty()) {
    section.paragraphs.emplace_back("There are no scores to show.");
    return section;
  }
  const auto& found = run.result.at("identified_dimensions");
  section.paragraphs.push_back(std::to_string(found.at("count").get<int64_t>()) + " of " +
                               std::to_string(found.at("total").get<int64_t>()) +
                               (run.data.at("dimensions") == found.at("total")
                                    ? " neurons were identified as biased."
                                    : " pairs of a class and a neuron were identified as biased."));
  section.paragraphs.push_back(
      run.result.contains("mistake_test")
          ? "Even without any shortcut about half of all neurons have a median difference over 0. "
            "A "
            "test says how many are higher on mistakes than chance explains, with the expected "
            "share of false findings that the settings name."
          : "No test was made of how many of them are chance: --significance plain makes one.");
  section.figures.push_back(curves(run));
  section.tables.push_back(tests(run));
  return section;
}

}  // namespace neurontune::html
