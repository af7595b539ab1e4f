#include "data/resample.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace neurontune {
namespace {

constexpr int kPrecision = 22;  // bits of a weight, as in Pillow: 8 more and a sign fill an int

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

/// Pillow's filters, but for those that LibTorch resizes by.
double filter_at(Interpolation interpolation, double x) {
  switch (interpolation) {
    case Interpolation::box:
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    case Interpolation::hamming:
      return std::abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * std::cos(std::numbers::pi * x)) : 0;
    default:  // Lanczos
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
}

/// What one pixel of the result is the weighted sum of.
struct Taps {
  int64_t first;
  std::vector<int32_t> weights;  ///< of 2^kPrecision together
};

std::vector<Taps> taps_of_side(int64_t from, int64_t to, Interpolation interpolation) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter_support(interpolation) * filter_scale;
  std::vector<Taps> taps;
  for (int64_t place = 0; place < to; ++place) {
    const double centre = (static_cast<double>(place) + 0.5) * scale;
    // NOLINTBEGIN(bugprone-incorrect-roundings): cut off as Pillow does
    const auto first = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0);
    const auto last = std::min<int64_t>(static_cast<int64_t>(centre + support + 0.5), from);
    // NOLINTEND(bugprone-incorrect-roundings)
    std::vector<double> weights;
    double sum = 0;
    for (int64_t pixel = first; pixel < last; ++pixel) {
      const double x = (static_cast<double>(pixel) - centre + 0.5) / filter_scale;
      weights.push_back(filter_at(interpolation, x));
      sum += weights.back();
    }
    taps.push_back({first, {}});
    for (const double weight : weights) {
      taps.back().weights.push_back(
          static_cast<int32_t>(std::lround(weight / sum * (1 << kPrecision))));
    }
  }
  return taps;
}

uint8_t rounded(int32_t sum) {
  return static_cast<uint8_t>(std::clamp((sum + (1 << (kPrecision - 1))) >> kPrecision, 0, 255));
}

/// Weights the rows of an image.
/// @param image uint8 [H, W], contiguous
at::Tensor resample_rows(const at::Tensor& image, const std::vector<Taps>& taps) {
  const int64_t width = image.size(1);
  at::Tensor result = at::empty({static_cast<int64_t>(taps.size()), width}, at::kByte);
  uint8_t* out = result.data_ptr<uint8_t>();
  std::vector<int32_t> sums(static_cast<size_t>(width));
  for (const auto& [first, weights] : taps) {
    std::fill(sums.begin(), sums.end(), 0);
    const uint8_t* in = image.const_data_ptr<uint8_t>() + first * width;
    for (const int32_t weight : weights) {
      for (int32_t& sum : sums) sum += weight * *in++;
    }
    for (const int32_t sum : sums) *out++ = rounded(sum);
  }
  return result;
}

/// The pixel whose square holds the centre of the new one.
std::vector<int64_t> nearest_of_side(int64_t from, int64_t to) {
  std::vector<int64_t> nearest;
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  double centre = 0.5 * scale;  // summed up, so that ties fall as they do in Pillow
  for (int64_t place = 0; place < to; ++place, centre += scale) {
    nearest.push_back(std::min(static_cast<int64_t>(centre), from - 1));
  }
  return nearest;
}

at::Tensor resample_nearest(const at::Tensor& image, int64_t height, int64_t width) {
  const auto rows = at::tensor(nearest_of_side(image.size(1), height), at::kLong);
  const auto columns = at::tensor(nearest_of_side(image.size(2), width), at::kLong);
  return image.index_select(1, rows).index_select(2, columns);
}

/// Columns come first, as in Pillow: between the two passes values are rounded to bytes.
at::Tensor resample_filtered(const at::Tensor& image, int64_t height, int64_t width,
                             Interpolation interpolation) {
  const int64_t channels = image.size(0);
  at::Tensor result = image;
  if (width != image.size(2)) {
    const at::Tensor columns = result.permute({2, 1, 0}).reshape({image.size(2), -1});
    result = resample_rows(columns, taps_of_side(image.size(2), width, interpolation))
                 .view({width, image.size(1), channels})
                 .permute({2, 1, 0});
  }
  if (height != image.size(1)) {
    const at::Tensor rows = result.permute({1, 2, 0}).reshape({image.size(1), -1});
    result = resample_rows(rows, taps_of_side(image.size(1), height, interpolation))
                 .view({height, width, channels})
                 .permute({2, 0, 1});
  }
  return result;
}

}  // namespace

double filter_support(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::nearest:
    case Interpolation::box:
      return 0.5;
    case Interpolation::bilinear:
    case Interpolation::hamming:
      return 1;
    case Interpolation::bicubic:
      return 2;
    case Interpolation::lanczos:
      return 3;
  }
  return 3;
}

at::Tensor resample(const at::Tensor& image, int64_t height, int64_t width,
                    Interpolation interpolation) {
  const bool bicubic = interpolation == Interpolation::bicubic;
  if (bicubic || interpolation == Interpolation::bilinear) {  // LibTorch's are vectorised
    const at::Tensor input = image.unsqueeze(0).contiguous(at::MemoryFormat::ChannelsLast);
    return (bicubic ? at::_upsample_bicubic2d_aa(input, {height, width}, /*align_corners=*/false)
                    : at::_upsample_bilinear2d_aa(input, {height, width}, /*align_corners=*/false))
        .squeeze(0);
  }
  if (interpolation == Interpolation::nearest) return resample_nearest(image, height, width);
  return resample_filtered(image, height, width, interpolation);
}

}  // namespace neurontune
