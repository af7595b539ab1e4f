#include "baselines/l1_logistic_regression.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <linear.h>

#include <vector>

#include "tensors.h"

namespace neurontune {
namespace {

/// What liblinear prints while a host program trains with it.
std::string printed_by_liblinear() {
  std::vector<feature_node> first = {{1, 1.0}, {-1, 0}}, second = {{1, -1.0}, {-1, 0}};
  std::vector<feature_node*> rows = {first.data(), second.data()};
  std::vector<double> targets = {1, -1};
  const problem task{.l = 2, .n = 1, .y = targets.data(), .x = rows.data(), .bias = -1};
  parameter settings{};
  settings.solver_type = L1R_LR;
  settings.C = 1;
  settings.eps = 0.1;
  testing::internal::CaptureStdout();
  auto* fitted = train(&task, &settings);
  free_and_destroy_model(&fitted);
  std::fflush(stdout);
  return testing::internal::GetCapturedStdout();
}

TEST(L1LogisticRegression, IsSilentAndLeavesLiblinearAsItWas) {
  const auto before = printed_by_liblinear();
  ASSERT_NE(before, "");
  testing::internal::CaptureStdout();
  l1_logistic_regression(matrix({{1, 0}, {-1, 2}, {2, 1}}).to(at::kDouble), longs({1, 0, 1}), 2, 1,
                         0);
  std::fflush(stdout);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(printed_by_liblinear(), before);
}

}  // namespace
}  // namespace neurontune
