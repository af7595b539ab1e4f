#pragma once

#include <string>

#include "neurontune/pipeline/config.h"

namespace neurontune {

/// A setting that has an effect with some values of another one only.
struct Condition {
  const char* key;  ///< or the beginning of keys: "shortcut."
  bool (*holds)(const Config& config);
  const char* other;   ///< the key that it depends on
  const char* values;  ///< of that key: "plain or given_margin"
};

/// What a setting depends on; null for one that always has an effect on what a recipe does.
const Condition* condition_of(const std::string& key);

}  // namespace neurontune
