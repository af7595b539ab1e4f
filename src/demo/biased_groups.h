#pragma once

#include <cstdint>
#include <vector>

namespace neurontune::demo {

/// A sample's label and its spurious attribute, of as many values as there are classes.
struct Group {
  int64_t label;
  int64_t attribute;
};

/// The groups of a split's samples, class after class, the classes equally often. In `correlation`
/// of each class's samples the attribute is the label's number; in the others the other values take
/// turns, so that over all classes every attribute is equally often too.
///
/// @param samples a multiple of `classes`
/// @param correlation 0…1; 1 / `classes` makes all groups equally often, but for rounding
/// @param unbiased the first so many classes have every attribute equally often, whatever the
///                 correlation; over all classes attributes are then not equally often
std::vector<Group> biased_groups(int64_t samples, int64_t classes, double correlation,
                                 int64_t unbiased = 0);

/// Checks what biased_groups and the originals of Fashion-MNIST allow: 6,000 of each class for
/// train and val together and 1,000 for test, none used twice, and in test every group equally
/// often.
/// @throws OptionError naming the option that is out of its range
void check_biased_samples(int64_t classes, double correlation, int64_t train_samples,
                          int64_t val_samples, int64_t test_samples);

}  // namespace neurontune::demo
