#include "pipeline/settings_in_force.h"

#include <algorithm>
#include <array>

namespace neurontune {
namespace {

bool infers_groups(const Config& config) {
  return config.select.criterion == Criterion::inferred_groups;
}
bool has_guard(const Config& config) { return config.select.criterion == Criterion::guarded_sfit; }
bool compares_candidates(const Config& config) { return is_of_repair(config.select.criterion); }
bool has_test(const Config& config) { return config.identify.significance != Significance::none; }
bool has_no_quantile(const Config& config) { return !config.identify.threshold_quantile; }

constexpr const char* kCriterion = "select.criterion";
constexpr const char* kSignificance = "identify.significance";
constexpr const char* kTested = "plain or given_margin";

/// Of several that concern a key the first counts.
const std::array<Condition, 8> kConditions = {
    {{"select.guard", has_guard, kCriterion, "guarded_sfit"},
     {"select.max_drop", infers_groups, kCriterion, "inferred_groups"},
     {"shortcut.evidence_threshold", infers_groups, kCriterion, "inferred_groups"},
     {"shortcut.", compares_candidates, kCriterion, "inferred_groups or worst_group"},
     {"identify.false_discovery_rate", has_test, kSignificance, kTested},
     {"identify.strata", has_test, kSignificance, kTested},
     {"identify.detectable_effect", has_test, kSignificance, kTested},
     {"identify.threshold", has_no_quantile, "identify.threshold_quantile", "none"}}};

bool concerns(const std::string& condition, const std::string& key) {
  return condition.ends_with('.') ? key.starts_with(condition) : key == condition;
}

}  // namespace

const Condition* condition_of(const std::string& key) {
  const auto* const found =
      std::find_if(kConditions.begin(), kConditions.end(),
                   [&](const Condition& condition) { return concerns(condition.key, key); });
  return found == kConditions.end() ? nullptr : found;
}

}  // namespace neurontune
