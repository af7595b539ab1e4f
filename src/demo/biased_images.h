#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "demo/fashion_mnist.h"
#include "demo/image_family.h"
#include "neurontune/data/names.h"

namespace neurontune::demo {

/// Samples of each split.
struct SplitSizes {
  int64_t train, val, test;
};

/// Samples of every (label, attribute) in order: (0, 0), (0, 1) … (1, 0) …; as many attributes as
/// divide the tables' length by the classes, at most as many as classes.
struct GroupTables {
  std::vector<int64_t> train, val, test;
};

/// Photographs of clothing in which something else goes with the label: in train and val in
/// `correlation` of the images of each class that is not unbiased, in test in none more than by
/// chance: every (label, attribute) group is equally often there. There are as many attributes as
/// classes, and in each split the classes are equally often. Train and val are made from different
/// originals of the training set, test from the test set, and none is used twice.
struct BiasedImagesOptions {
  Family family = Family::dominoes;
  int64_t classes = 2;  ///< C, 2…4; of patch 2…10
  /// 0…1; none: 1 / C, the attribute says nothing about the label
  std::optional<double> correlation = 0.95;
  /// The first so many classes have every attribute equally often in train and val: 0…C. With some,
  /// the attribute that speaks for another class is not as often in every class.
  int64_t unbiased_classes = 0;
  /// Multiples of C, train and val together at most 6000 C; test a multiple of C², at most 1000 C.
  /// None: 8000, 4000 and 2000, of five classes or more 16000, 8000 and 10000, less what is over;
  /// with unbiased classes two thirds of train and val, as some attributes are then had more often
  /// than others and dominoes draws an original for each.
  std::optional<int64_t> train_samples, val_samples, test_samples;
  /// Instead of classes equally often, a correlation and numbers of samples: any groups.
  std::optional<GroupTables> groups;
  double label_noise = 0;  ///< fraction of train's and val's labels that are made wrong, 0 to 1
  uint64_t seed = 0;  ///< which originals are used, in which split, and what is painted at random

  /// The samples of each split, those left open too.
  SplitSizes sizes() const;

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// A split in memory, its samples in random order.
struct ImageSplit {
  std::string name;       ///< "train", "val" or "test"
  at::Tensor images;      ///< uint8 [N, channels, H, W]
  at::Tensor labels;      ///< int64 [N], 0…C−1
  at::Tensor attributes;  ///< int64 [N], 0…C−1
};

struct BiasedImages {
  std::vector<ImageSplit> splits;  ///< train, val, test
  Names names;                     ///< of all labels and attributes
};

/// The same options give the same bytes.
/// @throws OptionError if an option is out of its range
/// @throws Error if the originals cannot be read
BiasedImages make_biased_images(const BiasedImagesOptions& options,
                                const std::filesystem::path& fashion_mnist = kFashionMnistFolder);

/// Writes tensor data: SPLIT.safetensors with `inputs` float32 [N, channels, H, W] in −1…1,
/// `labels` and `attributes`; names.json.
/// @throws Error if a file cannot be written
void write_biased_images(const std::filesystem::path& folder, const BiasedImages& data);

}  // namespace neurontune::demo
