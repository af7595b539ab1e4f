#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/base/error.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/manifest_format.h"
#include "neurontune/model/split_model.h"
#include "neurontune/pipeline/config.h"

namespace neurontune {

/// The manifest of `config.data`, where there is one whose samples are images.
std::optional<ManifestSource> image_manifest(const Config& config);

/// The file beside a model that says how images become its input.
std::filesystem::path transform_beside(const std::filesystem::path& model);

/// A warning where images are preprocessed otherwise than the file beside the model says.
std::vector<std::string> transform_warnings(const Config& config);

/// Where a model cannot take images of this size or these channels: which it takes, of those that
/// are tried, and the flags for them, as the end of an error. Else empty.
std::string size_advice(const SplitModel& model, const DataFolder& data, const Config& config);

/// Does some work with a model and images. Where it fails for their size or channels, the error
/// also gives advice.
/// @throws Error what the work threw
template <typename Work>
auto with_size_advice(const SplitModel& model, const DataFolder& data, const Config& config,
                      const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    const auto advice = size_advice(model, data, config);
    if (advice.empty()) throw;
    throw Error(error.what() + advice);
  }
}

/// A warning where images are enlarged to over twice their size for a model that takes them as they
/// are, too: such a model has a pooling layer, and does not tell which size it was trained on.
std::vector<std::string> enlargement_warnings(const SplitModel& model, const DataFolder& data,
                                              const Config& config);

}  // namespace neurontune
