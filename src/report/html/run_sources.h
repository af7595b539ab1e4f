#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace neurontune::html {

using Json = nlohmann::ordered_json;

/// The files that the page of a run is made of, parsed.
struct RunSources {
  Json result;               ///< result.json
  Json data;                 ///< report.json; null where there is none
  Json config;               ///< config.json
  std::vector<Json> epochs;  ///< the lines of trajectory.jsonl

  bool has_data() const { return data.is_object(); }
  bool has_shortcut() const { return result.contains("shortcut"); }
  /// Whether groups were inferred, trusted or not.
  bool has_inferred() const { return has_estimates() && !knows_groups(); }
  /// Whether heads were compared by true groups of held-out data instead.
  bool knows_groups() const { return result.at("criterion") == "worst_group"; }
  /// Whether there are accuracies of groups of held-out data, inferred or true.
  bool has_estimates() const { return has_shortcut() && result["shortcut"].contains("erm"); }
  /// Whether the search found evidence for them.
  bool trusts_inferred() const {
    return has_inferred() && result["shortcut"].value("trusted", false);
  }

  /// The split whose accuracies come first: test, or else the last one.
  std::string shown() const;
  const Json& before() const { return result.at("erm").at(shown()); }
  const Json& after() const { return result.at("tuned").at(shown()); }
  bool has_groups() const { return before().contains("groups"); }
  /// The number of classes.
  std::size_t classes() const { return before().at("class_accuracy").size(); }

  std::string label(int64_t index) const;
  std::string attribute(int64_t index) const;
  /// "pullover with bag", of true attributes.
  std::string group(const Json& of) const;
  /// Of an inferred attribute, whose values are those that the model takes for classes.
  std::string inferred_group(int64_t label, int64_t value) const;
};

/// A number, or none where it is null or absent.
std::optional<double> number(const Json& object, const char* key);

/// "23.4 %", or a dash.
std::string percent_or_dash(const std::optional<double>& fraction);

}  // namespace neurontune::html
