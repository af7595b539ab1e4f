#include "neurontune/core/head.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_matchers.h"
#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

TEST(Head, LogitsAreWeightTimesEmbeddingPlusBias) {
  const Head head{matrix({{1.f, 2.f}, {3.f, -1.f}}), at::tensor({0.5f, 0.f})};
  const auto result = logits(head, matrix({{1.f, 1.f}, {2.f, 0.f}}));
  EXPECT_TRUE(result.equal(matrix({{3.5f, 2.f}, {2.5f, 6.f}})));
}

TEST(Head, PredictionIsTheLowestClassOfATie) {
  const Head head{at::ones({3, 1}), {}};
  EXPECT_EQ(predictions(head, at::ones({1, 1})).item<int64_t>(), 0);
}

TEST(Head, HalfPrecisionEmbeddingsAreMultipliedInTheHeadsDtype) {
  const Head head{at::full({1, 1}, 1.0001f), {}};
  const auto half = at::full({1, 1}, 2.f, at::kHalf);
  EXPECT_FLOAT_EQ(logits(head, half).item<float>(), 2.0002f);
}

TEST(Head, BitsDoNotDependOnTheNumberOfThreads) {
  const Head head{at::randn({7, 300}), at::randn({7})};
  const auto embeddings = at::randn({5000, 300});
  const auto one = with_threads(1, [&] { return logits(head, embeddings); });
  const auto two = with_threads(2, [&] { return logits(head, embeddings); });
  EXPECT_TRUE(one.equal(two));
}

TEST(Head, WrongShapesAreNamed) {
  EXPECT_ERROR(check_head({at::ones({2, 3, 4}), {}}, "head.safetensors"),
               "head.safetensors: weight is float32 [2, 3, 4], expected floating point [C, M]");
  EXPECT_ERROR(check_head({at::ones({2, 3}), at::ones({3})}, "h"),
               "h: bias is float32 [3], expected floating point [2]");
  EXPECT_ERROR(logits({at::ones({2, 3}), {}}, at::ones({5, 4})),
               "embeddings are float32 [5, 4], the head expects [N, 3]");
}

}  // namespace
}  // namespace neurontune
