#include "demo/biased_groups.h"

#include <algorithm>
#include <map>
#include <utility>

#include "error_matchers.h"
#include "neurontune/base/error.h"

namespace neurontune::demo {
namespace {

/// How often each (label, attribute) is there, as rows of labels.
std::vector<std::vector<int64_t>> counts(int64_t samples, int64_t classes, double correlation,
                                         int64_t unbiased = 0) {
  const auto size = static_cast<size_t>(classes);
  std::vector<std::vector<int64_t>> table(size, std::vector<int64_t>(size));
  for (const auto [label, attribute] : biased_groups(samples, classes, correlation, unbiased)) {
    ++table.at(static_cast<size_t>(label)).at(static_cast<size_t>(attribute));
  }
  return table;
}

using Table = std::vector<std::vector<int64_t>>;

TEST(BiasedGroups, CorrelationHoldsInEachClassAndTheOtherAttributesTakeTurns) {
  EXPECT_EQ(counts(200, 2, 0.95), (Table{{95, 5}, {5, 95}}));
  EXPECT_EQ(counts(60, 3, 0.8), (Table{{16, 2, 2}, {2, 16, 2}, {2, 2, 16}}));
  EXPECT_EQ(counts(8, 2, 0), (Table{{0, 4}, {4, 0}}));
  EXPECT_EQ(counts(8, 2, 1), (Table{{4, 0}, {0, 4}}));
}

TEST(BiasedGroups, OneInAsManyAsThereAreClassesMakesAllGroupsEvenAndSoDoesAHalfOfTwo) {
  EXPECT_EQ(counts(9, 3, 1.0 / 3), Table(3, std::vector<int64_t>(3, 1)));
  EXPECT_EQ(counts(1000, 10, 1.0 / 10), Table(10, std::vector<int64_t>(10, 10)));
  EXPECT_EQ(counts(40, 2, 0.5), Table(2, std::vector<int64_t>(2, 10)));
}

TEST(BiasedGroups, UnbiasedClassesHaveEveryAttributeEquallyOften) {
  EXPECT_EQ(counts(200, 2, 0.95, 1), (Table{{50, 50}, {5, 95}}));
  EXPECT_EQ(counts(90, 3, 0.8, 2), (Table{{10, 10, 10}, {10, 10, 10}, {3, 3, 24}}));
}

TEST(BiasedGroups, EveryAttributeIsEquallyOftenWhateverIsLeftOver) {
  const Table table = counts(3 * 101, 3, 0.9);  // 91 agree, 5 and 5 do not
  const Table uneven = counts(4 * 10, 4, 0.8);  // 8 agree, 2 of three others are had
  for (const Table& of : {table, uneven}) {
    for (size_t attribute = 0; attribute < of.size(); ++attribute) {
      int64_t all = 0;
      for (const auto& row : of) all += row[attribute];
      EXPECT_EQ(all, of.size() == 3 ? 101 : 10);
    }
  }
}

TEST(BiasedGroups, SamplesThatTheOriginalsDoNotAllowAreRefused) {
  EXPECT_NO_THROW(check_biased_samples(3, 0.9, 9000, 9000, 999));
  EXPECT_ERROR_OF(OptionError, (check_biased_samples(3, 0.9, 9000, 9003, 9), nullptr),
                  "val_samples is 9003, expected a multiple of 3 from 3 to 9000");
  EXPECT_ERROR_OF(OptionError, (check_biased_samples(3, 0.9, 8000, 3, 9), nullptr),
                  "train_samples is 8000, expected a multiple of 3 from 3 to 17997");
  EXPECT_ERROR_OF(OptionError, (check_biased_samples(4, 0.9, 4, 4, 20), nullptr),
                  "test_samples is 20, expected a multiple of 16 from 16 to 4000");
  EXPECT_ERROR_OF(OptionError, (check_biased_samples(2, -0.1, 4, 4, 4), nullptr),
                  "correlation is -0.1");
}

}  // namespace
}  // namespace neurontune::demo
