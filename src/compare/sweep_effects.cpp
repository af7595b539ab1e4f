#include "compare/sweep_effects.h"

#include <algorithm>
#include <map>

#include "base/describe.h"
#include "pipeline/settings_in_force.h"

namespace neurontune {
namespace {

/// The condition of a key that no point fulfils.
const Condition* unfulfilled(const std::string& key, const std::vector<SweepPoint>& points) {
  const auto* const condition = condition_of(key);
  const bool holds = condition == nullptr ||
                     std::any_of(points.begin(), points.end(), [&](const SweepPoint& point) {
                       return condition->holds(point.config);
                     });
  return holds ? nullptr : condition;
}

bool same(const AblationRun& one, const AblationRun& other) {
  return one.source == other.source && one.selected_epoch == other.selected_epoch &&
         one.biased == other.biased && one.sfit == other.sfit;
}

/// Whether two points, both of which could be run, gave the same.
bool same(const AblationPoint& one, const AblationPoint& other) {
  const auto same_figure = [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.values == b.second.values;
  };
  return one.failure.empty() && other.failure.empty() &&
         std::equal(one.runs.begin(), one.runs.end(), other.runs.begin(), other.runs.end(),
                    [](const auto& a, const auto& b) { return same(a, b); }) &&
         std::equal(one.test.begin(), one.test.end(), other.test.begin(), other.test.end(),
                    same_figure);
}

std::string value_of(const AblationPoint& point, const std::string& key) {
  for (const auto& [name, value] : point.settings)
    if (name == key) return value;
  return "";
}

/// Whether points that differ in the key alone gave the same, whatever the other keys are.
bool has_no_effect(const std::string& key, const std::vector<AblationPoint>& points) {
  std::map<std::vector<std::pair<std::string, std::string>>, const AblationPoint*> first;
  for (const auto& point : points) {
    auto others = point.settings;
    std::erase_if(others, [&](const auto& setting) { return setting.first == key; });
    const auto [entry, is_first] = first.emplace(std::move(others), &point);
    if (!is_first && !same(*entry->second, point)) return false;
  }
  return first.size() < points.size();
}

std::vector<std::string> values_of(const std::string& key,
                                   const std::vector<AblationPoint>& points) {
  std::vector<std::string> values;
  for (const auto& point : points)
    if (std::find(values.begin(), values.end(), value_of(point, key)) == values.end())
      values.push_back(value_of(point, key));
  return values;
}

/// Of a choice among candidates of several methods: those that every run selected, if none of them
/// is NeuronTune's.
std::string selected_instead(const std::vector<SweepPoint>& points,
                             const std::vector<AblationPoint>& reports) {
  std::vector<std::string> sources;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!is_of_repair(points[i].config.select.criterion)) return "";
    for (const auto& run : reports[i].runs) {
      if (run.source == Source::neurontune) return "";
      if (std::find(sources.begin(), sources.end(), name(run.source)) == sources.end())
        sources.emplace_back(name(run.source));
    }
  }
  return "; with recipe " + points.front().config.recipe + " every run selected " +
         joined(sources, " or ") + " among the candidates, not a head of NeuronTune";
}

}  // namespace

std::vector<std::string> sweeps_without_effect(const std::vector<SweepPoint>& points,
                                               const std::vector<AblationPoint>& reports) {
  std::vector<std::string> warnings;
  for (const auto& [key, value] : reports.front().settings) {
    const auto values = values_of(key, reports);
    if (values.size() < 2 || !has_no_effect(key, reports)) continue;
    const auto* const missing = unfulfilled(key, points);
    warnings.push_back(
        "the sweep of " + key + " changes no result: " + listed(values) + " give the same" +
        (missing != nullptr
             ? std::string("; it is used only with ") + missing->other + " " + missing->values +
                   ", and recipe " + points.front().config.recipe + " as it is set here has another"
             : selected_instead(points, reports)));
  }
  return warnings;
}

}  // namespace neurontune
