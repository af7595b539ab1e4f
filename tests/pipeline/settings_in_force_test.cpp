#include "pipeline/settings_in_force.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "pipeline/settings.h"

namespace neurontune {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::ElementsAreArray;

constexpr const char* kCriterion = "select.criterion";
constexpr const char* kSignificance = "identify.significance";

bool has_effect(const std::string& key, const std::string& other, const std::string& value) {
  const auto* const condition = condition_of(key);
  return condition == nullptr || condition->holds(with_settings({}, {{"--flag", other, value}}));
}

/// Those of another key's values with which a key has an effect.
std::vector<std::string> effective(const std::string& key, const std::string& other,
                                   std::vector<std::string> values) {
  std::erase_if(values, [&](const std::string& value) { return !has_effect(key, other, value); });
  return values;
}

std::vector<std::string> effective_criteria(const std::string& key) {
  return effective(key, kCriterion, {"sfit", "guarded_sfit", "inferred_groups", "worst_group"});
}

/// "plain or given_margin" as a list.
std::vector<std::string> alternatives(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> values;
  for (std::string word; words >> word;)
    if (word != "or") values.push_back(word);
  return values;
}

std::vector<std::string> conditional_keys() {
  auto keys = setting_keys();
  std::erase_if(keys, [](const std::string& key) { return condition_of(key) == nullptr; });
  return keys;
}

TEST(SettingsInForce, TheGuardIsOfGuardedSfit) {
  EXPECT_THAT(effective_criteria("select.guard"), ElementsAre("guarded_sfit"));
}

TEST(SettingsInForce, TheLargestDropIsOfInferredGroups) {
  EXPECT_THAT(effective_criteria("select.max_drop"), ElementsAre("inferred_groups"));
}

TEST(SettingsInForce, TheSearchForAShortcutIsOfRepair) {
  EXPECT_THAT(effective_criteria("shortcut.folds"), ElementsAre("inferred_groups", "worst_group"));
}

TEST(SettingsInForce, WhereGroupsAreKnownNoEvidenceIsAskedFor) {
  EXPECT_THAT(effective_criteria("shortcut.evidence_threshold"), ElementsAre("inferred_groups"));
}

TEST(SettingsInForce, SettingsOfTheTestNeedOne) {
  for (const auto* key :
       {"identify.false_discovery_rate", "identify.strata", "identify.detectable_effect"})
    EXPECT_THAT(effective(key, kSignificance, {"none", "plain", "given_margin"}),
                ElementsAre("plain", "given_margin"))
        << key;
}

TEST(SettingsInForce, AQuantileReplacesTheThreshold) {
  EXPECT_THAT(effective("identify.threshold", "identify.threshold_quantile", {"none", "0", "0.9"}),
              ElementsAre("none"));
}

TEST(SettingsInForce, TheOtherKeyAndItsValuesAreThoseOfTheCondition) {
  for (const auto& key : conditional_keys()) {
    SCOPED_TRACE(key);
    const auto& condition = *condition_of(key);
    EXPECT_THAT(setting_keys(), Contains(condition.other));
    const auto values = alternatives(condition.values);
    EXPECT_THAT(effective(key, condition.other, values), ElementsAreArray(values));
    if (condition.other == std::string(kCriterion)) {
      EXPECT_EQ(effective_criteria(key), values) << "and no others";
    }
  }
}

TEST(SettingsInForce, OtherSettingsAlwaysHaveAnEffect) {
  auto keys = conditional_keys();
  const auto of_the_search = [](const std::string& key) { return key.starts_with("shortcut."); };
  EXPECT_EQ(std::count_if(keys.begin(), keys.end(), of_the_search), 14) << "all there are";
  std::erase_if(keys, of_the_search);
  EXPECT_THAT(keys,
              ElementsAre("identify.threshold", "identify.false_discovery_rate", "identify.strata",
                          "identify.detectable_effect", "select.guard", "select.max_drop"));
}

TEST(SettingsInForce, AKeyIsTakenWholeUnlessItIsABeginning) {
  for (const auto* key : {"", "select", "select.guard.", "select.guards", "shortcut", "shortcuts."})
    EXPECT_EQ(condition_of(key), nullptr) << key;
  EXPECT_STREQ(condition_of("shortcut.components")->key, "shortcut.");
}

}  // namespace
}  // namespace neurontune
