#include "shortcut/label_errors.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "oracle_cases.h"

namespace neurontune {
namespace {

TEST(Oracle, LabelErrorsAreTheStraightVersions) {
  const auto cases = oracle_cases("label_errors");
  ASSERT_GE(cases.size(), 6U);
  for (const OracleCase& expected : cases) {
    SCOPED_TRACE(expected.name);
    const auto errors =
        likely_label_errors(expected.tensor("probabilities"), expected.tensor("labels"));
    EXPECT_TRUE(errors.equal(expected.tensor("errors").to(at::kBool)));
  }
}

// The two classes have 0.75 and 0.58 on average in the samples that bear their label. The third
// sample has 0.75 in the other class, and so has the fourth, which is as much as it takes.
TEST(LabelErrors, AnotherClassMustBeAsSureAsOfItsOwnSamples) {
  const auto of_class_0 = at::tensor({1.0, 1.0, 0.25, 0.75, 0.25, 0.25}, at::kDouble);
  const auto labels = at::tensor({0, 0, 0, 1, 1, 1}, at::kLong);
  const auto errors = likely_label_errors(at::stack({of_class_0, 1 - of_class_0}, 1), labels);
  EXPECT_TRUE(errors.equal(at::tensor({0, 0, 1, 1, 0, 0}, at::kLong).to(at::kBool)));
}

}  // namespace
}  // namespace neurontune
