#include "report/html/ablation_page.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/describe.h"
#include "report/html/advice.h"
#include "report/html/markup.h"
#include "report/html/page.h"
#include "report/html/settings_table.h"
#include "report/html/summaries.h"

namespace neurontune::html {
namespace {

using Json = nlohmann::ordered_json;

/// The keys that were swept.
std::vector<std::string> keys_of(const Json& ablation) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : ablation.at("points").at(0).at("settings").items())
    keys.push_back(key);
  return keys;
}

std::string value_of(const Json& point, const std::string& key) {
  return point.at("settings").at(key).get<std::string>();
}

/// The values of a key, in their order.
std::vector<std::string> values_of(const Json& ablation, const std::string& key) {
  std::vector<std::string> values;
  for (const auto& point : ablation.at("points"))
    if (const auto value = value_of(point, key);
        std::find(values.begin(), values.end(), value) == values.end())
      values.push_back(value);
  return values;
}

/// The figure of the worst that the points have.
std::string worst_of(const Json& ablation) {
  for (const auto& point : ablation.at("points"))
    if (!failed(point)) return worst_figure(point.at("test"));
  return "worst_class_accuracy";
}

std::string settings_text(const Json& point) {
  std::string text;
  for (const auto& [key, value] : point.at("settings").items())
    text += (text.empty() ? "" : ", ") + key + " = " + value.get<std::string>();
  return text;
}

/// The heads that a point's runs selected.
std::string selected_text(const Json& point) {
  std::vector<std::string> seen;
  for (const auto& run : point.at("runs")) {
    auto text = run.at("selected").get<std::string>();
    if (text == "neurontune") text = "epoch " + run.at("selected_epoch").dump();
    if (std::find(seen.begin(), seen.end(), text) == seen.end()) seen.push_back(text);
  }
  std::string text;
  for (const auto& one : seen) text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? "–" : text;
}

Table points_table(const Json& ablation, const std::string& worst) {
  Table table;
  const auto keys = keys_of(ablation);
  table.head = keys;
  table.head.insert(table.head.end(), {figure_name(worst), "mean", "selected", "neurons masked"});
  for (const auto& point : ablation.at("points")) {
    std::vector<std::string> row(keys.size());
    std::transform(keys.begin(), keys.end(), row.begin(),
                   [&](const std::string& key) { return value_of(point, key); });
    row.push_back(over_seeds_text(point.at("test"), worst));
    row.push_back(over_seeds_text(point.at("test"), "mean_accuracy"));
    row.push_back(failed(point) ? "not run: " + point.at("failure").get<std::string>()
                                : selected_text(point));
    row.push_back(point.at("runs").empty() ? "–" : point["runs"][0].at("biased").dump());
    table.rows.push_back(std::move(row));
  }
  return table;
}

Figure line(const Json& ablation, const std::string& key, const std::string& worst) {
  LineChart chart;
  chart.x_title = key;
  chart.y_title = "accuracy on test";
  chart.percent = true;
  chart.x_names = values_of(ablation, key);
  chart.level = ablation.at("erm").at(worst).get<double>();
  chart.level_name = "ERM, " + figure_name(worst);
  Figure figure;
  figure.title = "Accuracy over " + key;
  if (ablation.at("seeds").size() > 1) figure.title += ", with the standard deviation over seeds";
  chart.description = figure.title;
  const std::vector<std::pair<std::string, std::string>> figures = {{worst, "c1"},
                                                                    {"mean_accuracy", "c0"}};
  for (const auto& [name, colour] : figures) {
    LineChart::Line of_figure{colour, {}, true};
    double x = 0;
    for (const auto& point : ablation.at("points")) {
      if (const auto found = over_seeds(point.at("test"), name))
        of_figure.points.emplace_back(x, *found);
      ++x;
    }
    chart.lines.push_back(std::move(of_figure));
    figure.legend.push_back({colour, figure_name(name), ""});
  }
  figure.svg = drawn(chart);
  figure.numbers = points_table(ablation, worst);
  return figure;
}

Figure heat_map(const Json& ablation, const std::vector<std::string>& keys, const std::string& name,
                const std::string& worst) {
  HeatMap map;
  map.y_title = keys[0];
  map.x_title = keys[1];
  map.rows = values_of(ablation, keys[0]);
  map.columns = values_of(ablation, keys[1]);
  map.values.assign(map.rows.size(),
                    std::vector<std::optional<double>>(map.columns.size(), std::nullopt));
  for (const auto& point : ablation.at("points")) {
    const auto row = std::find(map.rows.begin(), map.rows.end(), value_of(point, keys[0]));
    const auto column = std::find(map.columns.begin(), map.columns.end(), value_of(point, keys[1]));
    if (const auto found = over_seeds(point.at("test"), name))
      map.values[static_cast<std::size_t>(row - map.rows.begin())]
                [static_cast<std::size_t>(column - map.columns.begin())] = found->value;
  }
  Figure figure;
  figure.title =
      "Accuracy in percent, " + figure_name(name) + ": the stronger the colour, the higher";
  map.description = figure.title;
  figure.svg = drawn(map);
  figure.numbers = points_table(ablation, worst);
  return figure;
}

/// The point of the highest figure, over all that were run.
const Json* best(const Json& ablation, const std::string& figure) {
  const Json* found = nullptr;
  for (const auto& point : ablation.at("points")) {
    const auto value = over_seeds(point.at("test"), figure);
    if (value && (!found || value->value > over_seeds(found->at("test"), figure)->value))
      found = &point;
  }
  return found;
}

Section swept(const Json& ablation, const std::string& worst) {
  Section section{"sweep", "Sweep"};
  const auto keys = keys_of(ablation);
  if (keys.size() == 1) {
    section.figures.push_back(line(ablation, keys[0], worst));
  } else if (keys.size() == 2) {
    section.figures.push_back(heat_map(ablation, keys, worst, worst));
    section.figures.push_back(heat_map(ablation, keys, "mean_accuracy", worst));
  } else {
    section.paragraphs.emplace_back("Of more than two swept settings there is no chart.");
    section.tables.push_back(points_table(ablation, worst));
  }
  return section;
}

Section ablation_settings(const Json& ablation) {
  Section section{"settings", "Settings and versions"};
  Table table;
  table.head = {"", ""};
  table.rows = {{"embeddings", ablation.at("embeddings").get<std::string>()},
                {"dimensions", ablation.at("dimensions").dump()},
                {"seeds", ablation.at("seeds").dump()},
                {"device", ablation.at("device").get<std::string>()}};
  for (const auto& [name, version] : ablation.at("versions").items())
    table.rows.push_back({name, version.get<std::string>()});
  section.tables.push_back(std::move(table));
  Json seconds = Json::object();
  for (const auto& point : ablation.at("points"))
    if (!failed(point)) seconds[settings_text(point)] = point.at("seconds");
  section.tables.push_back(seconds_table(seconds));
  return section;
}

void add_warnings(const Json& ablation, Page& page) {
  for (const auto& warning : ablation.at("warnings")) {
    const auto text = warning.get<std::string>();
    page.warnings.push_back({text, advice(text)});
  }
  for (const auto& point : ablation.at("points"))
    if (failed(point))
      page.warnings.push_back(
          {settings_text(point) + " could not be run: " + point.at("failure").get<std::string>(),
           advice("could not be run")});
}

}  // namespace

std::string ablation_page(const Json& ablation) {
  const auto worst = worst_of(ablation);
  Page page;
  page.title = "Sweep over settings";
  if (const auto* point = best(ablation, worst))
    page.verdict.push_back("The best accuracy in the " + figure_name(worst) + " is " +
                           over_seeds_text(point->at("test"), worst) + ", with " +
                           settings_text(*point) + "; the model as it came has " +
                           as_percent(ablation.at("erm").at(worst).get<double>()) + ".");
  page.verdict.emplace_back(
      "All are accuracies on test. A setting that is chosen by them looks better there than it "
      "is.");
  add_warnings(ablation, page);
  page.sections = {swept(ablation, worst), ablation_settings(ablation)};
  page.footer = "Made by NeuronTune " +
                ablation.at("versions").at("neurontune").get<std::string>() + " from ablate.json.";
  return rendered(page);
}

}  // namespace neurontune::html
