#include "pipeline/flat_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(FlatSettings, ObjectsBecomeTheBeginningsOfKeys) {
  const auto settings = Json::parse(
      R"({"tune": {"epochs": 3, "momentum": 0.5}, "data": {"transform": {"crop": 8}}})");
  EXPECT_THAT(flattened(settings),
              ElementsAre(Pair("tune.epochs", Json(3)), Pair("tune.momentum", Json(0.5)),
                          Pair("data.transform.crop", Json(8))));
}

TEST(FlatSettings, KeepTheOrderOfTheFile) {
  const auto settings = Json::parse(R"({"z": 1, "m": {"b": 2, "a": 3}, "c": 4})");
  EXPECT_THAT(flattened(settings), ElementsAre(Pair("z", Json(1)), Pair("m.b", Json(2)),
                                               Pair("m.a", Json(3)), Pair("c", Json(4))));
}

TEST(FlatSettings, OtherValuesStayAsTheyAre) {
  const auto settings = Json::parse(R"({"crop": [{"side": 8}], "head": null, "path": ""})");
  EXPECT_THAT(flattened(settings), ElementsAre(Pair("crop", Json::parse(R"([{"side": 8}])")),
                                               Pair("head", Json()), Pair("path", Json(""))));
}

TEST(FlatSettings, AKeyWithDotsIsTheSameAsObjects) {
  EXPECT_EQ(flattened(Json::parse(R"({"data.transform": {"crop": 8}})")),
            flattened(Json::parse(R"({"data": {"transform.crop": 8}})")));
}

TEST(FlatSettings, EveryKeyBeginsWithThePrefix) {
  EXPECT_THAT(
      flattened(Json::parse(R"({"crop": 8, "of": {"mean": 1}})"), "data.transform."),
      ElementsAre(Pair("data.transform.crop", Json(8)), Pair("data.transform.of.mean", Json(1))));
}

TEST(FlatSettings, EmptyObjectsAreNoSettings) {
  EXPECT_THAT(flattened(Json::object()), IsEmpty());
  EXPECT_THAT(flattened(Json::parse(R"({"tune": {}, "data": {"transform": {}}})")), IsEmpty());
}

TEST(FlatSettings, ObjectsDeeperThanAnyKeyAreValues) {
  EXPECT_THAT(flattened(Json::parse(R"({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}})")),
              ElementsAre(Pair("a.b.c.d.e", Json::parse(R"({"f": 1})"))));
}

}  // namespace
}  // namespace neurontune
