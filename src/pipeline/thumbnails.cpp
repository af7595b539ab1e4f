#include "pipeline/thumbnails.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "data/resample.h"
#include "io/jpeg_encoder.h"
#include "neurontune/base/error.h"
#include "neurontune/data/image.h"
#include "neurontune/data/image_file.h"

namespace neurontune {
namespace {

constexpr int kQuality = 72;
/// Of all that were given, with those that were given twice.
constexpr std::size_t kMostBytes = 2'600'000;

/// Whole images: what the model's transform crops is shown too.
at::Tensor shrunk(const at::Tensor& image) {
  const int64_t height = image.size(1), width = image.size(2);
  const int64_t longer = std::max(height, width);
  if (longer <= Thumbnails::kSide) return image;
  const auto side = [&](int64_t of) {
    return std::max<int64_t>(1, (of * Thumbnails::kSide + longer / 2) / longer);
  };
  return resample(image, side(height), side(width), Interpolation::bilinear);
}

std::string data_uri(const std::filesystem::path& file) {
  const auto pixels = shrunk(decode_image(file)).permute({1, 2, 0}).contiguous();
  return "data:image/jpeg;base64," + base64(encode_jpeg(pixels, kQuality));
}

}  // namespace

std::string Thumbnails::of(int64_t sample) {
  if (dataset_ == nullptr) return "";
  auto made = made_.find(sample);
  if (made == made_.end()) {
    std::string uri;
    try {
      if (const auto file = image_file(*dataset_, sample)) uri = data_uri(*file);
    } catch (const Error&) {
      // The page names the sample instead.
    }
    made = made_.emplace(sample, std::move(uri)).first;
  }
  if (bytes_ + made->second.size() > kMostBytes) return "";
  bytes_ += made->second.size();
  return made->second;
}

}  // namespace neurontune
