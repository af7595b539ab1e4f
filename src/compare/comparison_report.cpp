#include "neurontune/compare/comparison_report.h"

#include <torch/version.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/describe.h"
#include "base/number_text.h"
#include "compare/summaries_json.h"
#include "io/csv_row.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"
#include "neurontune/version.h"
#include "report/text_rows.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

/// The names of all figures that any method has, in their order.
std::vector<std::string> figure_names(const ComparisonReport& report) {
  std::vector<std::string> names;
  for (const auto& method : report.methods)
    for (const auto& [name, summary] : method.test)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

Json method_json(const MethodReport& method) {
  Json json = {{"method", method.method},
               {"oracle", method.oracle},
               {"sees", method.sees},
               {"selection", method.selection},
               {"chosen", method.chosen},
               {"seconds", method.seconds},
               {"test", summaries_json(method.test)}};
  if (!method.failure.empty()) json["failure"] = method.failure;
  return json;
}

/// What is said of a stored figure that a comparison does not reach; nothing where it does.
std::string shortfall(const MethodReport* method, const std::string& name, double expected,
                      double tolerance) {
  const auto* const found = method ? find(method->test, name) : nullptr;
  if (!found)
    return "is not there, expected " + fixed(expected, 4) +
           (method && !method->failure.empty() ? ": " + method->failure : "");
  const double short_by = expected - tolerance - found->mean;
  if (short_by <= 0) return "";
  return "is " + fixed(found->mean, 4) + ", expected " + fixed(expected, 4) + " less " +
         fixed(tolerance, 4) + ": short by " + fixed(short_by, 4);
}

}  // namespace

std::string summary_text(const MetricSummaries& summaries, const std::string& name) {
  const auto* const summary = find(summaries, name);
  if (summary == nullptr) return "–";
  const auto mean = fixed(summary->mean, 3);
  return summary->values.size() < 2 ? mean : mean + " ± " + fixed(summary->standard_deviation, 3);
}

nlohmann::ordered_json summaries_json(const MetricSummaries& summaries) {
  Json json = Json::object();
  for (const auto& [name, summary] : summaries)
    json[name] = {
        {"mean", summary.mean}, {"std", summary.standard_deviation}, {"values", summary.values}};
  return json;
}

std::string json_text(const ComparisonReport& report) {
  Json json = {{"embeddings", report.embeddings},
               {"splits", {{"identify", report.identify}, {"tune", report.tune}}},
               {"recipe", report.recipe},
               {"seeds", report.seeds},
               {"device", report.device},
               {"versions", {{"neurontune", kVersion}, {"libtorch", TORCH_VERSION}}},
               {"warnings", report.warnings},
               {"methods", Json::array()}};
  for (const auto& method : report.methods) json["methods"].push_back(method_json(method));
  return json_text(json);
}

std::string comparison_csv(const ComparisonReport& report) {
  const auto names = figure_names(report);
  std::vector<std::string> heading = {"method", "oracle", "sees", "seconds"};
  for (const auto& name : names) heading.insert(heading.end(), {name + "_mean", name + "_std"});
  auto text = csv_row(heading);
  for (const auto& method : report.methods) {
    std::vector<std::string> row = {method.method, method.oracle ? "1" : "0",
                                    joined(method.sees, " "), fixed(method.seconds, 6)};
    for (const auto& name : names) {
      const auto* const figure = find(method.test, name);
      row.push_back(figure ? fixed(figure->mean, 6) : "");
      row.push_back(figure ? fixed(figure->standard_deviation, 6) : "");
    }
    text += csv_row(row);
  }
  return text;
}

std::string comparison_markdown(const ComparisonReport& report) {
  const auto names = figure_names(report);
  std::vector<std::string> heading = {"method"};
  for (auto name : names) {
    name = name.substr(0, name.rfind("_accuracy"));
    std::replace(name.begin(), name.end(), '_', ' ');
    heading.push_back(name);
  }
  heading.insert(heading.end(), {"seconds", "sees"});
  auto text = markdown_row(heading) + markdown_row(std::vector<std::string>(heading.size(), "---"));
  for (const auto& method : report.methods) {
    std::vector<std::string> row = {method.method + (method.oracle ? " (oracle)" : "")};
    for (const auto& name : names) row.push_back(summary_text(method.test, name));
    row.insert(row.end(), {fixed(method.seconds, 2), joined(method.sees, ", ")});
    text += markdown_row(row);
  }
  text +=
      "\n" + accuracy_over_seeds(report.seeds.size()) + ". How hyperparameters were chosen:\n\n";
  for (const auto& method : report.methods)
    text += "- " + method.method + ": " + method.selection +
            (method.failure.empty() ? "" : ". Not run: " + method.failure) + "\n";
  return text;
}

StoredMeans stored_means(const std::string& text) {
  const auto stored = parse_json(text);
  StoredMeans means;
  if (!stored.is_object() || !stored.contains("methods") || !stored.at("methods").is_array())
    throw Error("is no compare.json: it has no list `methods`");
  for (const auto& method : stored.at("methods")) {
    if (!method.is_object() || !method.contains("method") || !method.at("method").is_string() ||
        !method.contains("test") || !method.at("test").is_object())
      throw Error("is no compare.json: a method in it has no name or no `test`");
    const auto name = method.at("method").get<std::string>();
    for (const auto& [figure, summary] : method.at("test").items()) {
      if (!summary.is_object() || !summary.contains("mean") || !summary.at("mean").is_number())
        throw Error("is no compare.json: " + figure + " of " + name + " has no mean");
      means[name][figure] = summary.at("mean").get<double>();
    }
  }
  if (means.empty()) throw Error("has no figure of any method");
  return means;
}

std::vector<Check> baseline_checks(const ComparisonReport& report, const StoredMeans& stored,
                                   double tolerance) {
  std::vector<Check> checks;
  for (const auto& [name, figures] : stored) {
    const auto method =
        std::find_if(report.methods.begin(), report.methods.end(),
                     [&, &name = name](const MethodReport& of) { return of.method == name; });
    const auto* const found = method == report.methods.end() ? nullptr : &*method;
    for (const auto& [figure, mean] : figures) {
      checks.push_back({name + ": " + figure, {}});
      if (const auto text = shortfall(found, figure, mean, tolerance); !text.empty())
        checks.back().findings.push_back(checks.back().name + " " + text);
    }
  }
  return checks;
}

}  // namespace neurontune
