#include "neurontune/report/predictions_csv.h"

#include <ATen/ATen.h>

#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

ClassPredictions two_predictions() {
  return {longs({1, 0}), at::tensor({0.1, 1.0}, at::kDouble), {}};
}

TEST(PredictionsCsv, IsARowASample) {
  EXPECT_EQ(
      predictions_csv({"a,\"b\".jpg", "caf\xE9"}, longs({1, 0}), longs({3, -1}), two_predictions()),
      "id,label,attribute,prediction,probability\n"
      "\"a,\"\"b\"\".jpg\",1,3,1,0.1\n"
      "caf\\xE9,0,,0,1\n");
}

TEST(PredictionsCsv, WithoutAttributesTheyAreEmpty) {
  EXPECT_EQ(predictions_csv({"a", "b"}, longs({0, 0}), {}, two_predictions()),
            "id,label,attribute,prediction,probability\na,0,,1,0.1\nb,0,,0,1\n");
}

TEST(PredictionsCsv, RefusesCountsThatDisagree) {
  EXPECT_ERROR(predictions_csv({"a"}, longs({0, 0}), {}, two_predictions()),
               "labels are int64 [2], expected one for each of 1 ids");
}

}  // namespace
}  // namespace neurontune
