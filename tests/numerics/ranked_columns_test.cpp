#include "numerics/ranked_columns.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <numeric>

#include "error_matchers.h"
#include "straight_medians.h"
#include "tensors.h"
#include "thread_count.h"

namespace neurontune {
namespace {

/// Values with ties, zeros of both signs and both signs' numbers.
at::Tensor tied_values(int64_t rows, int64_t columns, at::Generator random) {
  auto values = at::randn({rows, columns}, random, at::kDouble);
  values.select(1, 0).mul_(2).round_();
  values.select(1, columns - 1).relu_().neg_();
  return values;
}

void expect_the_straight_medians(const at::Tensor& embeddings, int64_t samples, int64_t chosen,
                                 Activation activation, at::Generator random) {
  SCOPED_TRACE(testing::Message() << c10::toString(embeddings.scalar_type()) << ' ' << chosen
                                  << " of " << samples);
  const auto all = at::randperm(embeddings.size(0), random, at::kLong);
  const auto rows = all.slice(0, 0, samples);
  const RankedColumns ranked(embeddings, rows, activation);
  const auto places = at::randperm(samples, random, at::kLong);
  const auto medians = ranked.medians(places.slice(0, 0, chosen));
  EXPECT_EQ(medians.of_part.defined(), chosen > 0);
  EXPECT_EQ(medians.of_rest.defined(), chosen < samples);
  const auto straight = [&](const at::Tensor& some) {
    return straight_medians(embeddings, rows.index_select(0, some), activation);
  };
  if (chosen > 0) {
    EXPECT_TRUE(medians.of_part.equal(straight(places.slice(0, 0, chosen))));
  }
  if (chosen < samples) {
    EXPECT_TRUE(medians.of_rest.equal(straight(places.slice(0, chosen))));
  }
}

TEST(RankedColumns, MediansOfAPartAndOfTheRestAreThoseOfSorting) {
  auto random = at::detail::createCPUGenerator(1);
  for (const auto dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16})
    for (const auto activation : {Activation::raw, Activation::magnitude})
      // From 100 samples on they are sorted by small digits, from 3,000 by large; 64 are a word of
      // marks.
      for (const int64_t samples : {1, 2, 3, 63, 64, 65, 99, 100, 1024, 2999, 3000})
        for (const int64_t chosen : {int64_t{0}, int64_t{1}, samples / 3, samples - 1, samples})
          expect_the_straight_medians(tied_values(samples + 7, 35, random).to(dtype), samples,
                                      chosen, activation, random);
}

TEST(RankedColumns, RanksOfMoreSamplesThan16BitsCount) {
  auto random = at::detail::createCPUGenerator(2);
  for (const int64_t samples : {(1 << 16), (1 << 16) + 1})
    expect_the_straight_medians(at::randn({samples, 3}, random), samples, 1000, Activation::raw,
                                random);
}

TEST(RankedColumns, OrderIsThatOfAStableSort) {
  auto random = at::detail::createCPUGenerator(3);
  for (const int64_t samples : {50, 2000}) {
    const auto values = tied_values(samples, 40, random).to(at::kFloat).abs();
    const RankedColumns ranked(values, at::arange(samples), Activation::raw);
    std::vector<int64_t> seen(40, 0);
    ranked.for_each_column([&](int64_t column, const RankedColumns::Order& order) {
      const auto [sorted, places] = values.select(1, column).sort(/*stable=*/true, 0, false);
      EXPECT_TRUE(order.values.equal(sorted));
      EXPECT_TRUE(order.samples.equal(places.to(at::kInt)));
      ++seen[column];
    });
    EXPECT_EQ(seen, std::vector<int64_t>(40, 1));
  }
}

TEST(RankedColumns, BitsDoNotDependOnTheNumberOfThreads) {
  auto random = at::detail::createCPUGenerator(4);
  const auto values = at::randn({500, 100}, random);
  const auto medians = [&] {
    const RankedColumns ranked(values, at::arange(500), Activation::raw);
    const auto found = ranked.medians(at::arange(0, 500, 7));
    return at::stack({found.of_part, found.of_rest});
  };
  EXPECT_TRUE(with_threads(1, medians).equal(with_threads(2, medians)));
}

TEST(RankedColumns, RefusesWhatHasNoOrder) {
  auto values = at::zeros({5, 3});
  values[2][1] = NAN;
  EXPECT_ERROR(RankedColumns(values, at::arange(5), Activation::raw), "an embedding holds NaN");
  EXPECT_NO_THROW(RankedColumns(values, at::arange(2), Activation::raw));
}

}  // namespace
}  // namespace neurontune
