#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "neurontune/data/image.h"

namespace neurontune {

/// Translates what transform.json holds into the fields of ImageTransform, by their names. It may
/// be written with these names already, or as timm's resolve_data_config gives it (input_size,
/// crop_pct, …), or be a preprocessor_config.json of Hugging Face (size, resample, image_mean, …).
///
/// @param base the transform of what the file leaves out
/// @throws OptionError naming a key that is neither applied nor without effect
nlohmann::ordered_json own_transform(const std::string& source, const nlohmann::ordered_json& json,
                                     const ImageTransform& base);

}  // namespace neurontune
