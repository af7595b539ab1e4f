#include "unused_settings.h"

#include <functional>

namespace neurontune::cli {
namespace {

/// A setting, when it has an effect, and what it needs for that.
struct Condition {
  const char* key;  ///< or the start of it: "data.transform."
  std::function<bool(const Config&)> in_force;
  const char* needed;
};

const std::vector<Condition>& conditions() {
  const auto repairs = [](const Config& config) {
    return config.select.criterion == Criterion::inferred_groups;
  };
  const auto guards = [](const Config& config) {
    return config.select.criterion == Criterion::guarded_sfit;
  };
  const auto tests = [](const Config& config) {
    return config.identify.significance != Significance::none;
  };
  const auto has_no_quantile = [](const Config& config) {
    return !config.identify.threshold_quantile;
  };
  const auto has_model = [](const Config& config) { return config.embeddings.path.empty(); };
  static const std::vector<Condition> all = {
      {"select.max_drop", repairs, "--criterion inferred_groups"},
      {"shortcut.evidence_threshold", repairs, "--criterion inferred_groups"},
      {"select.guard", guards, "--criterion guarded_sfit"},
      {"identify.false_discovery_rate", tests, "--significance plain or given_margin"},
      {"identify.threshold", has_no_quantile, "no --threshold-quantile"},
      {"data.", has_model, "--model and --data"},
      {"model.", has_model, "--model and --data"}};
  return all;
}

bool concerns(const Condition& condition, const std::string& key) {
  const std::string own = condition.key;
  return own.ends_with('.') ? key.starts_with(own) && key != "model.path" && key != "data.path"
                            : key == own;
}

}  // namespace

std::vector<std::string> unused_settings(const Config& config,
                                         const std::vector<SettingFlag>& given) {
  std::vector<std::string> texts;
  for (const auto& setting : given)
    for (const auto& condition : conditions())
      if (concerns(condition, setting.key) && !condition.in_force(config))
        texts.push_back(setting.flag + " has no effect here: it needs " + condition.needed);
  return texts;
}

}  // namespace neurontune::cli
