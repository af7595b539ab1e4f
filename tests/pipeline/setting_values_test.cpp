#include "pipeline/setting_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "error_matchers.h"

namespace neurontune {
namespace {

template <typename T>
T read(const Json& json) {
  T value{};
  from_value(json, value);
  return value;
}

template <typename T>
T read_flag(const std::string& text) {
  return read<T>(parse_flag(text, T{}));
}

template <typename T>
void expect_read_back(const std::vector<T>& values) {
  for (const auto& value : values) EXPECT_EQ(read<T>(to_value(value)), value) << to_value(value);
}

template <typename T>
void expect_refused(const Json& json, const std::string& part) {
  EXPECT_ERROR_OF(OptionError, read<T>(json), part);
}

TEST(SettingValues, EveryTypeIsReadAsItWasWritten) {
  expect_read_back<bool>({true, false});
  expect_read_back<int64_t>({0, -3, std::numeric_limits<int64_t>::max()});
  expect_read_back<uint64_t>({0, std::numeric_limits<uint64_t>::max()});
  expect_read_back<double>({0, 0.1, -2, 1e300, 9007199254740993.0});
  expect_read_back<std::string>({"", "auto", "ä"});
  expect_read_back<std::optional<int64_t>>({std::nullopt, 0, 7});
  expect_read_back<std::optional<double>>({std::nullopt, 0.25});
  expect_read_back<std::vector<int64_t>>({{}, {1, 2}});
  expect_read_back<std::vector<double>>({{}, {0.5, 2}});
}

template <typename T>
void expect_names_read_back() {
  expect_read_back(values_of(T{}));
  std::vector<std::string> names;
  for (const T value : values_of(T{})) names.emplace_back(name(value));
  for (const auto& one : names) EXPECT_EQ(std::count(names.begin(), names.end(), one), 1) << one;
}

TEST(SettingValues, EveryNamedValueHasANameOfItsOwn) {
  expect_names_read_back<Activation>();
  expect_names_read_back<Aggregate>();
  expect_names_read_back<Start>();
  expect_names_read_back<Criterion>();
  expect_names_read_back<Significance>();
  expect_names_read_back<StoredAs>();
  expect_names_read_back<Interpolation>();
}

TEST(SettingValues, WhatIsNotSetIsAWord) {
  EXPECT_EQ(to_value(std::optional<int64_t>()), "auto");
  EXPECT_EQ(to_value(std::optional<double>()), "none");
}

TEST(SettingValues, WholeNumbersAreWrittenWithoutAFraction) {
  EXPECT_EQ(to_value(2.0).dump(), "2");
  EXPECT_EQ(to_value(-0.5).dump(), "-0.5");
  EXPECT_EQ(to_value(9007199254740992.0).dump(), "9007199254740992");
  EXPECT_EQ(to_value(1e18).dump(), "1e+18") << "above 2^53 not every whole number is a double";
}

TEST(SettingValues, AnotherTypeIsRefusedWithTheOneExpected) {
  expect_refused<std::string>(3, "is 3, expected a string");
  expect_refused<bool>(0, "is 0, expected true or false");
  expect_refused<int64_t>(1.5, "is 1.5, expected a whole number, at most 9223372036854775807");
  expect_refused<int64_t>("1", "is \"1\", expected a whole number");
  expect_refused<uint64_t>(-1, "is -1, expected a whole number, 0 or more");
  expect_refused<double>("much", "is \"much\", expected a number");
  expect_refused<std::optional<int64_t>>("none", "expected a whole number or \"auto\"");
  expect_refused<std::optional<double>>("auto", "expected a number or \"none\"");
  expect_refused<std::vector<int64_t>>(3, "is 3, expected a list of whole numbers");
  expect_refused<std::vector<double>>("3", "expected a list of numbers");
  expect_refused<std::vector<int64_t>>(Json::array({1, 2.5}), "is 2.5, expected a whole number");
}

TEST(SettingValues, NumbersWithoutRoomAreRefused) {
  const Json large = std::numeric_limits<uint64_t>::max();
  expect_refused<int64_t>(large, "at most 9223372036854775807");
  expect_refused<std::optional<int64_t>>(large, "at most 9223372036854775807");
}

TEST(SettingValues, AnUnknownNameIsRefusedWithThoseThereAre) {
  expect_refused<Start>("arm", "is \"arm\", expected one of erm, fresh");
  expect_refused<Start>(1, "is 1, expected one of erm, fresh");
}

TEST(SettingValues, ARefusalLeavesTheValueAsItWas) {
  int64_t value = 5;
  EXPECT_THROW(from_value(Json("6"), value), OptionError);
  EXPECT_EQ(value, 5);
}

TEST(SettingValues, FlagsAreReadByTheirSettingsType) {
  EXPECT_EQ(read_flag<std::string>("12"), "12");
  EXPECT_EQ(read_flag<std::string>("[1"), "[1");
  EXPECT_EQ(read_flag<int64_t>("12"), 12);
  EXPECT_EQ(read_flag<double>("1e-3"), 1e-3);
  EXPECT_EQ(read_flag<bool>("true"), true);
  EXPECT_EQ(read_flag<Start>("fresh"), Start::fresh);
  EXPECT_EQ(read_flag<std::optional<int64_t>>("auto"), std::nullopt);
  EXPECT_EQ(read_flag<std::optional<int64_t>>("3"), 3);
  EXPECT_EQ(read_flag<std::optional<double>>("none"), std::nullopt);
  EXPECT_THAT(read_flag<std::vector<int64_t>>("1,2"), testing::ElementsAre(1, 2));
  EXPECT_THAT(read_flag<std::vector<double>>(""), testing::IsEmpty());
}

TEST(SettingValues, AFlagThatIsNoJsonIsDiscarded) {
  EXPECT_TRUE(parse_flag("much", 1.0).is_discarded());
  EXPECT_TRUE(parse_flag("1,", std::vector<int64_t>()).is_discarded());
}

TEST(SettingValues, AFlagsTextIsTakenByteByByte) {
  for (const std::string path : {"caf\xE9", "a\\xE9", "\\"})
    EXPECT_EQ(read_flag<std::string>(path), path);
}

}  // namespace
}  // namespace neurontune
