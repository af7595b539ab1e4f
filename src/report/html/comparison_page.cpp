#include "report/html/comparison_page.h"

#include <vector>

#include "report/html/advice.h"
#include "report/html/markup.h"
#include "report/html/page.h"
#include "report/html/settings_table.h"
#include "report/html/summaries.h"
#include "report/text_rows.h"

namespace neurontune::html {
namespace {

using Json = nlohmann::ordered_json;

std::string joined(const Json& texts) {
  std::string text;
  for (const auto& one : texts) text += (text.empty() ? "" : ", ") + one.get<std::string>();
  return text;
}

/// The methods that have figures.
std::vector<const Json*> finished(const Json& comparison) {
  std::vector<const Json*> methods;
  for (const auto& method : comparison.at("methods"))
    if (!failed(method)) methods.push_back(&method);
  return methods;
}

std::string method_name(const Json& method) {
  return method.at("method").get<std::string>() +
         (method.at("oracle").get<bool>() ? " (oracle)" : "");
}

/// The method of the highest worst-group accuracy, of oracles or of the others.
const Json* best(const std::vector<const Json*>& methods, bool oracle, const std::string& figure) {
  const Json* found = nullptr;
  const auto value = [&](const Json& method) {
    return method.at("test").at(figure).at("mean").get<double>();
  };
  for (const auto* method : methods)
    if (method->at("oracle").get<bool>() == oracle && method->at("test").contains(figure) &&
        (!found || value(*method) > value(*found)))
      found = method;
  return found;
}

std::string best_text(const Json& method, const std::string& figure) {
  return method.at("method").get<std::string>() + ": " +
         over_seeds_text(method.at("test"), figure) + " at a mean of " +
         over_seeds_text(method.at("test"), "mean_accuracy");
}

Figure scatter(const std::vector<const Json*>& methods, const std::string& worst) {
  ScatterChart chart;
  chart.x_title = "mean accuracy";
  chart.y_title = figure_name(worst) + " accuracy";
  Figure figure;
  figure.title = "Accuracy in the " + figure_name(worst) +
                 " against mean accuracy: the further up and to the right the better";
  chart.description = figure.title;
  std::vector<std::string> keys = {"mean_accuracy", "adjusted_mean_accuracy",
                                   "worst_group_accuracy", "worst_class_accuracy"};
  figure.numbers.head = {"method"};
  for (const auto& key : keys) figure.numbers.head.push_back(figure_name(key));
  for (const auto* method : methods) {
    const auto& test = method->at("test");
    const std::string colour = method->at("oracle").get<bool>() ? "c7"
                               : method->at("method") == "erm"  ? "before"
                               : method->at("method").get<std::string>().starts_with("neurontune")
                                   ? "after"
                                   : "c2";
    const auto x = over_seeds(test, "mean_accuracy"), y = over_seeds(test, worst);
    if (x && y) {
      chart.points.push_back({method_name(*method), colour, *x, *y});
      figure.legend.push_back({colour, method_name(*method), std::to_string(chart.points.size())});
    }
    figure.numbers.rows.push_back({method_name(*method)});
    for (const auto& key : keys) figure.numbers.rows.back().push_back(over_seeds_text(test, key));
  }
  figure.svg = drawn(chart);
  return figure;
}

/// What each saw, and how it chose.
Table what_each_saw(const Json& comparison, const std::string& worst) {
  Table table;
  table.head = {"method", figure_name(worst), "mean", "saw", "chosen by"};
  for (const auto& method : comparison.at("methods"))
    table.rows.push_back({method_name(method), over_seeds_text(method.at("test"), worst),
                          over_seeds_text(method.at("test"), "mean_accuracy"),
                          joined(method.at("sees")),
                          failed(method) ? "not run: " + method.at("failure").get<std::string>()
                                         : method.at("selection").get<std::string>()});
  return table;
}

Json seconds_of(const Json& comparison) {
  Json seconds = Json::object();
  for (const auto& method : comparison.at("methods"))
    if (!failed(method)) seconds[method.at("method").get<std::string>()] = method.at("seconds");
  return seconds;
}

Section comparison_settings(const Json& comparison) {
  Section section{"settings", "Settings and versions"};
  Table table;
  table.head = {"", ""};
  table.rows = {{"embeddings", comparison.at("embeddings").get<std::string>()},
                {"identification split", comparison.at("splits").at("identify").get<std::string>()},
                {"tuning split", comparison.at("splits").at("tune").get<std::string>()},
                {"recipe of neurontune_default", comparison.at("recipe").get<std::string>()},
                {"seeds", comparison.at("seeds").dump()},
                {"device", comparison.at("device").get<std::string>()}};
  for (const auto& [name, version] : comparison.at("versions").items())
    table.rows.push_back({name, version.get<std::string>()});
  section.tables.push_back(std::move(table));
  section.tables.push_back(seconds_table(seconds_of(comparison)));
  return section;
}

}  // namespace

std::string comparison_page(const Json& comparison) {
  const auto methods = finished(comparison);
  const auto worst = methods.empty() ? std::string("worst_class_accuracy")
                                     : worst_figure(methods.front()->at("test"));
  Page page;
  page.title = "Comparison of methods";
  if (const auto* first = best(methods, false, worst))
    page.verdict.push_back("Of the methods that see no attributes the best in the " +
                           figure_name(worst) + " is " + best_text(*first, worst) + ".");
  if (const auto* oracle = best(methods, true, worst))
    page.verdict.push_back(
        "Of the oracles, which see attributes and show what could be reached, "
        "the best is " +
        best_text(*oracle, worst) + ".");
  page.verdict.push_back(accuracy_over_seeds(comparison.at("seeds").size()) + ".");
  for (const auto& warning : comparison.at("warnings")) {
    const auto text = warning.get<std::string>();
    page.warnings.push_back({text, advice(text)});
  }
  Section side_by_side{"methods", "Methods side by side"};
  side_by_side.figures.push_back(scatter(methods, worst));
  side_by_side.tables.push_back(what_each_saw(comparison, worst));
  page.sections = {std::move(side_by_side), comparison_settings(comparison)};
  page.footer = "Made by NeuronTune " +
                comparison.at("versions").at("neurontune").get<std::string>() +
                " from compare.json.";
  return rendered(page);
}

}  // namespace neurontune::html
