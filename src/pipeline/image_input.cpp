#include "pipeline/image_input.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/describe.h"
#include "base/number_text.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"
#include "neurontune/data/image.h"
#include "pipeline/config_json.h"

namespace neurontune {
namespace {

/// Sides of square images that a model is tried on.
constexpr std::array<int64_t, 14> kSides = {8,   16,  28,  32,  64,  96,  112,
                                            128, 160, 192, 224, 256, 299, 384};
constexpr double kMuch = 2;  // times that an image is enlarged

/// Whether the features can be computed of two images of this shape.
bool takes(const SplitModel& model, int64_t channels, int64_t height, int64_t width) {
  try {
    model.features({at::zeros({2, channels, height, width})});
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string size_text(int64_t height, int64_t width) {
  return std::to_string(height) + " x " + std::to_string(width);
}

/// "--resize 32,32 --crop 32"
std::string size_flags(int64_t height, int64_t width) {
  const auto both = std::to_string(height) + "," + std::to_string(width);
  return "--resize " + both + " --crop " + (height == width ? std::to_string(height) : both);
}

std::string other_size(const SplitModel& model, int64_t channels, const std::string& more_flags) {
  std::vector<std::string> sizes;
  int64_t first = 0;
  for (const auto side : kSides) {
    if (!takes(model, channels, side, side)) continue;
    if (sizes.empty()) first = side;
    sizes.push_back(size_text(side, side));
  }
  if (sizes.empty()) return "";
  return ", and the model takes " + listed(sizes, sizes.size()) +
         (more_flags.empty() ? "" : " with " + counted(channels, "channel")) +
         ", of the sizes that were tried: " + size_flags(first, first) + more_flags;
}

/// What the model takes instead of the images that it cannot take; empty where it can, or takes
/// none of those that are tried.
std::string advice(const SplitModel& model, const Dataset& dataset,
                   const ImageTransform& transform) {
  at::Tensor image;
  try {
    image = dataset.batch(0, 1).at(0);
  } catch (const Error&) {
    return "";  // the images cannot be read: said already
  }
  const auto channels = image.size(1), height = image.size(2), width = image.size(3);
  if (takes(model, channels, height, width)) return "";
  const int64_t other = channels == 3 ? 1 : 3;
  const auto values = static_cast<int64_t>(std::max(transform.mean.size(), transform.std.size()));
  const auto flag = " --channels " + std::to_string(other) +
                    (values > other ? ", and one value of --mean and --std" : "");
  auto found = takes(model, other, height, width)
                   ? ", and the model takes " + counted(other, "channel") + ":" + flag
                   : other_size(model, channels, "");
  if (found.empty()) found = other_size(model, other, flag);
  if (found.empty()) return "";
  return "; the images are " + std::to_string(channels) + " x " + size_text(height, width) +
         " after preprocessing" + found;
}

/// How many times larger an image becomes; below 1 where it becomes smaller.
double enlargement(const std::vector<int64_t>& resize, int64_t height, int64_t width) {
  const auto ratio = [](int64_t to, int64_t from) {
    return static_cast<double>(to) / static_cast<double>(from);
  };
  if (resize.empty()) return 1;
  if (resize.size() == 1) return ratio(resize[0], std::min(height, width));
  return std::max(ratio(resize[0], height), ratio(resize[1], width));
}

/// The first image as it is stored; undefined where it cannot be read.
at::Tensor first_image(const ManifestSource& manifest, const Dataset& dataset) {
  try {
    return decode_image(manifest.folder() / dataset.ids().front());
  } catch (const Error&) {
    return {};
  }
}

nlohmann::ordered_json transform_json(const Config& config) {
  return config_json(config).at("data").at("transform");
}

}  // namespace

std::optional<ManifestSource> image_manifest(const Config& config) {
  std::error_code ignored;  // that data is absent is said when it is opened
  if (config.model.path.empty() || !std::filesystem::exists(config.data.path, ignored))
    return std::nullopt;
  auto manifest = find_manifest(config.data.path, config.data.format);
  if (manifest && !manifest->format.tensors.empty()) return std::nullopt;
  return manifest;
}

std::filesystem::path transform_beside(const std::filesystem::path& model) {
  return model.parent_path() / "transform.json";
}

std::vector<std::string> transform_warnings(const Config& config) {
  const auto file = transform_beside(config.model.path);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored) || !image_manifest(config)) return {};
  auto other = config;
  other.data.transform = transform_of_file(file, config.data.transform);
  const auto used = transform_json(config), beside = transform_json(other);
  std::vector<std::string> differences;
  for (const auto& [key, value] : used.items())
    if (value != beside.at(key))
      differences.push_back(key + " is " + shown_json(value) + ", there " +
                            shown_json(beside.at(key)));
  if (differences.empty()) return {};
  return {"images are preprocessed otherwise than " + file.string() +
          " beside the model says: " + joined(differences, "; ")};
}

std::string size_advice(const SplitModel& model, const DataFolder& data, const Config& config) {
  if (!image_manifest(config)) return "";
  return advice(model, *data.splits.front().dataset, config.data.transform);
}

std::vector<std::string> enlargement_warnings(const SplitModel& model, const DataFolder& data,
                                              const Config& config) {
  const auto manifest = image_manifest(config);
  if (!manifest) return {};
  const auto& transform = config.data.transform;
  const auto image = first_image(*manifest, *data.splits.front().dataset);
  if (!image.defined()) return {};
  const auto height = image.size(1), width = image.size(2);
  const double times = enlargement(transform.resize, height, width);
  if (times <= kMuch || !takes(model, transform.channels, height, width)) return {};
  return {
      "images of " + size_text(height, width) + " pixels are enlarged " + fixed(times, 1) +
      " times, but the model also takes them as they are; if it was trained on that size, give " +
      size_flags(height, width)};
}

}  // namespace neurontune
