#pragma once

#include <cstdint>
#include <filesystem>

#include "demo/fashion_mnist.h"

namespace neurontune::demo {

/// Two photographs one above the other: the bottom half is the label (0 pullover, 1 coat), the top
/// half the spurious attribute (0 sneaker, 1 bag), which in train and val agrees with the label in
/// `correlation` of each class's images and in test in half of them. The classes are equally often
/// in each split. Train and val are made from different originals of the training set, test from
/// the test set, and none is used twice.
struct DominoesOptions {
  double correlation = 0.95;     ///< 0…1
  int64_t train_samples = 8000;  ///< even, at least 2; train and val together at most 12000
  int64_t val_samples = 4000;    ///< likewise
  int64_t test_samples = 2000;   ///< a multiple of 4, 4…2000; the four groups equally often
  uint64_t seed = 0;             ///< which originals meet, and in which split

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// Writes the data set as users have theirs: images/*.png (28 × 56, grey), metadata.csv with
/// img_filename,y,split,place, names.json and transform.json (the fields of ImageTransform).
///
/// The same options give the same bytes; metadata.csv appears last.
/// @throws Error if the originals cannot be read or a file cannot be written
void write_dominoes(const std::filesystem::path& folder, const DominoesOptions& options,
                    const std::filesystem::path& fashion_mnist = kFashionMnistFolder);

}  // namespace neurontune::demo
