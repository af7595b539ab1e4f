#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// What to call labels and attributes; either list may be empty or too short.
struct NEURONTUNE_EXPORT Names {
  static constexpr const char* kFile = "names.json";  ///< in the data's folder

  std::vector<std::string> labels;      ///< of each class
  std::vector<std::string> attributes;  ///< of each value of the attribute

  /// Whether nothing has a name.
  bool empty() const { return labels.empty() && attributes.empty(); }
  std::string label(int64_t index) const;      ///< its name, or "y=3"
  std::string attribute(int64_t index) const;  ///< its name, or "a=1"

  /// Reads DIR/names.json, {"labels": […], "attributes": […]}; empty where there is none.
  /// @throws Error if the file is not such an object
  static Names read(const std::filesystem::path& folder);

  /// Writes DIR/names.json, unless there is nothing to write.
  void write(const std::filesystem::path& folder) const;
};

}  // namespace neurontune
