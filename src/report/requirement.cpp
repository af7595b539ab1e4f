#include "neurontune/report/requirement.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/describe.h"
#include "base/edit_distance.h"
#include "neurontune/base/error.h"
#include "report/metric_block.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool holds(const Requirement& requirement, double value) {
  switch (requirement.relation) {
    case Requirement::Relation::at_least:
      return value >= requirement.bound;
    case Requirement::Relation::more:
      return value > requirement.bound;
    case Requirement::Relation::at_most:
      return value <= requirement.bound;
    case Requirement::Relation::less:
      return value < requirement.bound;
  }
  return false;
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

/// Whether only a split with attributes has the figure.
bool is_of_groups(const std::string& key) {
  const auto root = key.substr(0, key.find('.'));
  return root == "worst_group_accuracy" || root == "worst_group_interval" ||
         root == "worst_group" || root == "groups" || root == "adjusted_mean_accuracy";
}

/// The member of an object, or the element of a list.
const Json& member(const Json& parent, const std::string& name, const Requirement& requirement) {
  if (parent.is_object() && parent.contains(name)) return parent.at(name);
  if (parent.is_array() && !name.empty() && std::all_of(name.begin(), name.end(), ::isdigit) &&
      name.size() < 10 && std::stoul(name) < parent.size())
    return parent.at(std::stoul(name));
  std::string known = "; there is no element of that number";
  if (parent.is_object()) known = nearest_known(name, keys_of(parent));
  throw OptionError("requirement " + requirement.text + ": unknown key " + requirement.key + known);
}

const Json& figure(const Json& block, const Requirement& requirement) {
  const Json* place = &block;
  const auto& key = requirement.key;
  for (std::size_t begin = 0; begin <= key.size();) {
    const auto end = std::min(key.find('.', begin), key.size());
    place = &member(*place, key.substr(begin, end - begin), requirement);
    begin = end + 1;
  }
  return *place;
}

void hold(const Requirement& requirement, const Json& value, const std::string& key,
          std::vector<std::string>& findings) {
  if (value.is_array() && !value.empty()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      hold(requirement, value[i], key + "." + std::to_string(i), findings);
  } else if (value.is_null()) {
    findings.push_back(key + " is not known, required " + requirement.text);
  } else if (!value.is_number()) {
    throw OptionError("requirement " + requirement.text + ": " + key + " is no number");
  } else if (const double found = value.get<double>(); !holds(requirement, found)) {
    const bool lower = requirement.relation == Requirement::Relation::at_least ||
                       requirement.relation == Requirement::Relation::more;
    findings.push_back(key + " is " + describe(found) + ", required " + requirement.text +
                       (lower ? ": short by " : ": over by ") +
                       describe(std::abs(found - requirement.bound)));
  }
}

}  // namespace

Requirement Requirement::parse(const std::string& text) {
  const auto place = text.find_first_of("<>");
  Requirement requirement;
  requirement.text = text;
  if (place != std::string::npos) {
    const bool or_equal = place + 1 < text.size() && text[place + 1] == '=';
    const auto number = trimmed(text.substr(place + (or_equal ? 2 : 1)));
    char* end = nullptr;
    requirement.key = trimmed(text.substr(0, place));
    requirement.relation = text[place] == '>' ? (or_equal ? Relation::at_least : Relation::more)
                                              : (or_equal ? Relation::at_most : Relation::less);
    requirement.bound = std::strtod(number.c_str(), &end);
    if (!requirement.key.empty() && !number.empty() && *end == '\0' &&
        std::isfinite(requirement.bound))
      return requirement;
  }
  throw OptionError("requirement is " + text +
                    ", expected KEY>=NUMBER (or >, <=, <), as worst_group_accuracy>=0.8");
}

std::vector<Check> check(const std::vector<Requirement>& requirements,
                         const SplitMetrics& metrics) {
  const auto block = metrics_json(metrics);
  std::vector<Check> checks;
  for (const auto& requirement : requirements) {
    auto& findings = checks.emplace_back(Check{requirement.text, {}}).findings;
    if (is_of_groups(requirement.key) && !block.contains("groups"))
      findings.push_back(requirement.key +
                         " is not known, since the split has no attributes; required " +
                         requirement.text);
    else
      hold(requirement, figure(block, requirement), requirement.key, findings);
  }
  return checks;
}

}  // namespace neurontune
