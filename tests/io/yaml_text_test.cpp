#include "io/yaml_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "error_matchers.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

TEST(YamlText, PlainScalarsAreTypedByTheCoreSchema) {
  const auto json = parse_yaml(
      "a: 12\nb: -3\nc: 0.5\nd: 1e-3\ne: true\nf: null\ng: ~\nh:\ni: yes\nj: 1.\nk: 0x1F\n"
      "l: 0o17\nm: +007\nn: 1_000\no: .inf\np: 18446744073709551615\nq: 2026-01-01\n");
  EXPECT_EQ(json, Json::parse(R"({"a": 12, "b": -3, "c": 0.5, "d": 0.001, "e": true, "f": null,
      "g": null, "h": null, "i": "yes", "j": 1.0, "k": 31, "l": 15, "m": 7, "n": "1_000",
      "o": ".inf", "p": 18446744073709551615, "q": "2026-01-01"})"));
  EXPECT_TRUE(json.at("a").is_number_integer());
  EXPECT_TRUE(json.at("j").is_number_float());
}

TEST(YamlText, WhatIsQuotedIsAString) {
  EXPECT_EQ(parse_yaml("a: '12'\nb: \"true\"\nc: !!str 5\nd: ''\ne: |\n  two\n  lines\n"),
            Json::parse(R"({"a": "12", "b": "true", "c": "5", "d": "", "e": "two\nlines\n"})"));
}

TEST(YamlText, ListsAndMappingsLieInEachOther) {
  EXPECT_EQ(
      parse_yaml("tune: {epochs: 3, rates: [1, 2.5]}\nsplits:\n  - a\n  - b: 1\n"),
      Json::parse(R"({"tune": {"epochs": 3, "rates": [1, 2.5]}, "splits": ["a", {"b": 1}]})"));
  EXPECT_EQ(parse_yaml(R"({"json": ["is", "YAML", 1e3]})"),
            Json::parse(R"({"json": ["is", "YAML", 1e3]})"));
}

TEST(YamlText, AKeyGivenTwiceIsRefused) {
  EXPECT_ERROR(parse_yaml("seed: 1\ntune:\n  epochs: 2\nseed: 3\n"),
               "line 4, column 1: the key seed is given twice");
  EXPECT_ERROR(parse_yaml("{a: {b: 1, b: 1}}"), "the key b is given twice");
}

TEST(YamlText, WhatJsonHasNotIsRefused) {
  EXPECT_ERROR(parse_yaml("a: &x 1\nb: *x\n"), "an alias");
  EXPECT_ERROR(parse_yaml("a: !mine 1\n"), "the tag !mine is not supported");
  EXPECT_ERROR(parse_yaml("[a, b]: 1\n"), "a key is no text");
  EXPECT_ERROR(parse_yaml("a: 1\n---\nb: 1\n"), "several YAML documents");
  EXPECT_ERROR(parse_yaml("a: 1e999\n"), "the number 1e999 is too large");
  EXPECT_ERROR(parse_yaml("a: \xFF\n"), "is not UTF-8");
}

TEST(YamlText, WhatIsNoYamlIsNamedByItsPlace) {
  EXPECT_ERROR(parse_yaml("a: [1, 2\nb: 3\n"), "is not YAML: line ");
  EXPECT_ERROR(parse_yaml("a: 1\n\tb: 2\n"), "is not YAML: line 2");
  EXPECT_ERROR_OF(OptionError, parse_yaml_settings("my.yaml", "- 1\n"),
                  "my.yaml: is not a YAML mapping of settings");
  EXPECT_ERROR_OF(OptionError, parse_yaml_settings("my.yaml", ""),
                  "my.yaml: is not a YAML mapping");
}

TEST(YamlText, DeepNestingIsRefused) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(parse_yaml(nested(100)).size(), 1U);
  EXPECT_ERROR(parse_yaml(nested(101)), "over 100 deep");
  EXPECT_ERROR(parse_yaml(nested(100'000)), "over 100 deep");
}

TEST(YamlText, WhatIsWrittenIsReadBack) {
  const auto json = Json::parse(R"({"name": "a: \"b\"\n- c # d", "empty": "", "yes": "yes",
      "number": "12", "list": [0.1, 1e-05, -3, true, null, {"deep": ["é", "\u2028", "😀"]}]})");
  EXPECT_EQ(parse_yaml(yaml_text(json)), json);
}

TEST(YamlText, IsRecognisedByItsEnding) {
  EXPECT_TRUE(is_yaml("a/b.yaml"));
  EXPECT_TRUE(is_yaml("b.yml"));
  EXPECT_FALSE(is_yaml("yaml.json"));
}

}  // namespace
}  // namespace neurontune
