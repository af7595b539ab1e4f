#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "neurontune/data/dataset.h"
#include "neurontune/export.h"

namespace neurontune {

/// The file that a sample's image is read from; none of data that are no images.
/// @param sample of the data set, from 0
NEURONTUNE_EXPORT std::optional<std::filesystem::path> image_file(const Dataset& dataset,
                                                                  int64_t sample);

}  // namespace neurontune
