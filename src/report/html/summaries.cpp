#include "report/html/summaries.h"

#include <algorithm>

#include "base/describe.h"
#include "base/number_text.h"
#include "report/html/markup.h"

namespace neurontune::html {

using Json = nlohmann::ordered_json;

bool failed(const Json& entry) { return entry.contains("failure"); }

std::optional<Estimate> over_seeds(const Json& figures, const std::string& name) {
  if (!figures.is_object() || !figures.contains(name)) return std::nullopt;
  const auto mean = figures.at(name).at("mean").get<double>();
  const auto deviation = figures.at(name).at("std").get<double>();
  if (figures.at(name).at("values").size() < 2) return Estimate{mean};
  return Estimate{mean, mean - deviation, mean + deviation};
}

std::string over_seeds_text(const Json& figures, const std::string& name) {
  const auto found = over_seeds(figures, name);
  if (!found) return "–";
  if (!found->upper) return as_percent(found->value);
  return as_percent(found->value) + " ± " + fixed(100 * (*found->upper - found->value), 1);
}

std::string worst_figure(const Json& figures) {
  return figures.is_object() && figures.contains("worst_group_accuracy") ? "worst_group_accuracy"
                                                                         : "worst_class_accuracy";
}

std::string figure_name(std::string key) {
  key = key.substr(0, key.rfind("_accuracy"));
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

}  // namespace neurontune::html
