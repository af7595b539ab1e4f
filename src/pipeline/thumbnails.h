#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "neurontune/data/dataset.h"

namespace neurontune {

/// Small copies of a split's images, as data URIs for a page.
class Thumbnails {
 public:
  static constexpr int64_t kSide = 96;  ///< of the longer side, at most

  /// @param dataset the images, which must outlive this, or null for none
  explicit Thumbnails(const Dataset* dataset) : dataset_(dataset) {}

  /// The image of a sample; "" where there is none, it cannot be read, or all that were given take
  /// too much of a page.
  std::string of(int64_t sample);

 private:
  const Dataset* dataset_;
  std::map<int64_t, std::string> made_;  ///< sample → data URI
  std::size_t bytes_ = 0;                ///< given so far
};

}  // namespace neurontune
