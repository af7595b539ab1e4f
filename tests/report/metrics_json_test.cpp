#include "neurontune/report/metrics_json.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "neurontune/metrics/wilson_interval.h"
#include "report/metric_block.h"
#include "tensors.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

Json interval(double correct, double samples) {
  const auto of = wilson_interval(correct, samples);
  return Json::array({of.lower, of.upper});
}

TEST(MetricsJson, HasTheIntervalsOfTheMeanAndOfEveryGroup) {
  const auto block = metrics_json(split_metrics(longs({0, 0, 0, 1, 0}), longs({0, 0, 0, 0, 1}),
                                                longs({0, 0, 1, 1, 1}), {2, 2, {}}));
  EXPECT_EQ(block.at("mean_accuracy_interval"), interval(3, 5));
  EXPECT_EQ(block.at("groups")[1].at("interval"), interval(1, 2));
  EXPECT_EQ(block.at("worst_group_interval"), block.at("groups")[2].at("interval"));
  EXPECT_EQ(block.at("worst_group_interval"), interval(0, 1));
}

TEST(MetricsJson, TheCalibrationErrorDoesNotChangeWithTheLastBits) {
  SplitMetrics metrics;
  metrics.expected_calibration_error = 0.13525447;
  EXPECT_EQ(metrics_json(metrics).at("expected_calibration_error"), 0.13525);
}

TEST(MetricsJson, WhatIsNotKnownIsNull) {
  const auto block = metrics_json(split_metrics(longs({0, 0}), longs({0, 0}), {}, {2, 0, {}}));
  EXPECT_TRUE(block.at("auroc").is_null());
  EXPECT_TRUE(block.at("expected_calibration_error").is_null());
  EXPECT_TRUE(block.at("class_accuracy")[1].is_null());
  EXPECT_EQ(block.at("macro_f1"), 1.0);
  EXPECT_FALSE(block.contains("worst_group_interval"));
}

}  // namespace
}  // namespace neurontune
