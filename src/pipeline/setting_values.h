#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/method/neuron_tune.h"
#include "neurontune/pipeline/extract.h"

namespace neurontune {

// How each type of setting is written in JSON (`to_value`), read from it (`from_value`, which
// throws OptionError without naming the key) and written on a command line (`parse_flag`: JSON of
// the text).

using Json = nlohmann::ordered_json;

inline std::vector<Activation> values_of(Activation) {
  return {Activation::raw, Activation::magnitude};
}
inline std::vector<Aggregate> values_of(Aggregate) {
  return {Aggregate::union_, Aggregate::intersection, Aggregate::mean, Aggregate::per_class};
}
inline std::vector<Start> values_of(Start) { return {Start::erm, Start::fresh}; }
inline std::vector<Criterion> values_of(Criterion) {
  return {Criterion::sfit, Criterion::guarded_sfit, Criterion::inferred_groups,
          Criterion::worst_group};
}
inline std::vector<Significance> values_of(Significance) {
  return {Significance::none, Significance::plain, Significance::given_margin};
}

inline std::vector<StoredAs> values_of(StoredAs) {
  return {StoredAs::model, StoredAs::float32, StoredAs::float16, StoredAs::bfloat16};
}

inline std::vector<Interpolation> values_of(Interpolation) {
  return {Interpolation::nearest, Interpolation::bilinear, Interpolation::bicubic,
          Interpolation::lanczos, Interpolation::box,      Interpolation::hamming};
}

template <typename T>
concept NamedValue = requires(T value) {
  values_of(value);
};

Json to_value(const std::string& value);
Json to_value(bool value);
Json to_value(int64_t value);
Json to_value(uint64_t value);
Json to_value(double value);
Json to_value(const std::optional<int64_t>& value);  ///< none is "auto"
Json to_value(const std::optional<double>& value);   ///< none is "none"
Json to_value(const std::vector<int64_t>& value);
Json to_value(const std::vector<double>& value);
Json to_value(NamedValue auto value) { return name(value); }

void from_value(const Json& json, std::string& value);
void from_value(const Json& json, bool& value);
void from_value(const Json& json, int64_t& value);
void from_value(const Json& json, uint64_t& value);
void from_value(const Json& json, double& value);
void from_value(const Json& json, std::optional<int64_t>& value);
void from_value(const Json& json, std::optional<double>& value);
void from_value(const Json& json, std::vector<int64_t>& value);
void from_value(const Json& json, std::vector<double>& value);

/// "expected one of a, b, c", as an OptionError.
[[noreturn]] void refuse_name(const Json& json, const std::vector<std::string>& known);

template <NamedValue T>
void from_value(const Json& json, T& value) {
  std::vector<std::string> known;
  for (const T candidate : values_of(T{})) {
    known.emplace_back(name(candidate));
    if (json.is_string() && json.get<std::string>() == known.back()) {
      value = candidate;
      return;
    }
  }
  refuse_name(json, known);
}

/// JSON, or a discarded value where the text is none.
Json parsed_or_discarded(const std::string& text);

/// Text that is a string for settings that take one, and JSON for the others ("1,2" is [1, 2]).
Json parse_flag(const std::string& text, const std::string& like);
Json parse_flag(const std::string& text, const std::optional<int64_t>& like);
Json parse_flag(const std::string& text, const std::optional<double>& like);
Json parse_flag(const std::string& text, NamedValue auto) { return text; }
template <typename T>
Json parse_flag(const std::string& text, const std::vector<T>&) {
  return parsed_or_discarded("[" + text + "]");
}
template <typename T>
requires std::is_arithmetic_v<T> Json parse_flag(const std::string& text, T) {
  return parsed_or_discarded(text);
}

}  // namespace neurontune
