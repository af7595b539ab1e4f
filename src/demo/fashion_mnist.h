#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>

namespace neurontune::demo {

/// Where Debian's package dataset-fashion-mnist puts its files.
inline constexpr const char* kFashionMnistFolder = "/usr/share/datasets/fashion-mnist";

/// The photographs' height and width in pixels.
inline constexpr int64_t kSide = 28;

/// How many photographs there are of each class.
inline constexpr int64_t kTrainingOriginals = 6000;
inline constexpr int64_t kTestOriginals = 1000;

/// The ten classes, by their index in the data set.
enum class Clothing {
  tshirt,
  trouser,
  pullover,
  dress,
  coat,
  sandal,
  shirt,
  sneaker,
  bag,
  ankle_boot
};

/// What a person calls a class: "T-shirt", "ankle boot".
const char* name(Clothing clothing);

/// Photographs of clothing and what they show.
struct FashionMnist {
  at::Tensor images;  ///< uint8 [N, 28, 28]
  at::Tensor labels;  ///< int64 [N], 0…9
};

/// Reads `train` (60,000 images) or `t10k` (10,000) from a folder of gzipped IDX files.
/// @throws Error naming the file, and the Debian package that brings it, if it cannot be read
FashionMnist read_fashion_mnist(const std::filesystem::path& folder, const char* part);

}  // namespace neurontune::demo
