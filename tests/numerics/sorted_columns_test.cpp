#include "numerics/sorted_columns.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "error_matchers.h"
#include "on_device.h"
#include "straight_medians.h"

namespace neurontune {
namespace {

class SortedColumnsOnDevice : public OnDevice {};

TEST_P(SortedColumnsOnDevice, MediansOfAPartAndOfTheRestAreThoseOfSorting) {
  auto random = at::detail::createCPUGenerator(1);
  for (const auto dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16})
    for (const auto activation : {Activation::raw, Activation::magnitude})
      for (const int64_t samples : {1, 2, 3, 64, 501})
        for (const int64_t chosen : {int64_t{0}, int64_t{1}, samples / 3, samples - 1, samples}) {
          SCOPED_TRACE(testing::Message()
                       << c10::toString(dtype) << ' ' << chosen << " of " << samples);
          auto values = at::randn({samples + 7, 35}, random, at::kDouble);
          values.select(1, 0).mul_(2).round_();  // ties
          const auto embeddings = there(values.to(dtype));
          const auto rows = at::randperm(samples + 7, random, at::kLong).slice(0, 0, samples);
          const auto places = at::randperm(samples, random, at::kLong);
          const auto part = places.slice(0, 0, chosen), rest = places.slice(0, chosen);
          const auto medians =
              SortedColumns(embeddings, there(rows), activation).medians(there(part));
          ASSERT_EQ(medians.of_part.defined(), chosen > 0);
          ASSERT_EQ(medians.of_rest.defined(), chosen < samples);
          const auto straight = [&](const at::Tensor& some) {
            return straight_medians(embeddings.cpu(), rows.index_select(0, some), activation);
          };
          if (chosen > 0) {
            EXPECT_TRUE(medians.of_part.cpu().equal(straight(part)));
          }
          if (chosen < samples) {
            EXPECT_TRUE(medians.of_rest.cpu().equal(straight(rest)));
          }
        }
}

TEST_P(SortedColumnsOnDevice, NothingHasNoMedian) {
  const SortedColumns none(there(at::zeros({3, 2})), there(at::zeros({0}, at::kLong)),
                           Activation::raw);
  const auto medians = none.medians(there(at::zeros({0}, at::kLong)));
  EXPECT_FALSE(medians.of_part.defined() || medians.of_rest.defined());
}

TEST_P(SortedColumnsOnDevice, RefusesWhatHasNoOrder) {
  auto values = at::zeros({5, 3});
  values[2][1] = NAN;
  EXPECT_ERROR(SortedColumns(there(values), there(at::arange(5)), Activation::raw),
               "an embedding holds NaN");
  EXPECT_NO_THROW(SortedColumns(there(values), there(at::arange(2)), Activation::raw));
}

NEURONTUNE_ON_EVERY_DEVICE(SortedColumnsOnDevice);

}  // namespace
}  // namespace neurontune
