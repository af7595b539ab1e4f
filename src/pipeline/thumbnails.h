#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "neurontune/data/dataset.h"

namespace neurontune {

/// Small copies of a split's images, as data URIs for a page.
class Thumbnails {
 public:
  static constexpr int64_t kSide = 96;  ///< of the longer side, at most

  /// @param dataset the images, or null for none
  explicit Thumbnails(const Dataset* dataset);

  /// The image of a sample, by its id; "" where there is none, it cannot be read, or all that were
  /// given take too much of a page.
  std::string of(const std::string& id);

 private:
  const Dataset* dataset_;
  std::map<std::string, int64_t> samples_;   ///< id → sample
  std::map<std::string, std::string> made_;  ///< id → data URI
  std::size_t bytes_ = 0;                    ///< given so far
};

}  // namespace neurontune
