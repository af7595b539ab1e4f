#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "data/manifest_reader.h"
#include "edit_distance.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kImageEndings = {".jpg", ".jpeg", ".png"};

/// What a folder between a split's and the images names.
enum class Level { label, attribute };

/// An image with the folders above it.
struct FoundImage {
  std::string path;  ///< relative to the data's folder
  std::string split;
  std::map<Level, std::string> names;
};

/// The levels below the split's; parse_format has seen to it that there are no others.
std::vector<Level> levels_of(const ManifestFormat& format) {
  std::istringstream pattern(format.folders);
  std::vector<Level> levels;
  for (std::string part; std::getline(pattern, part, '/');) {
    if (part == "{label}") levels.push_back(Level::label);
    if (part == "{attribute}") levels.push_back(Level::attribute);
  }
  return levels;
}

/// What lies in a folder but for hidden files, by name so that no file system's order counts.
std::vector<fs::directory_entry> entries(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!entry.path().filename().string().starts_with('.')) entries.push_back(entry);
  }
  if (error) throw Error(folder.string() + ": cannot be listed: " + error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_image(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kImageEndings.begin(), kImageEndings.end(), ending) != kImageEndings.end();
}

/// Finds the images of a data set, split by split.
class Walk {
 public:
  Walk(const ManifestSource& source, Findings& findings)
      : folder_(source.path),
        format_(source.format),
        levels_(levels_of(source.format)),
        findings_(findings) {
    for (const auto& [path, split] : split_folders()) {
      const size_t before = images_.size();
      walk(folder_ / path, 0, {"", split, {}});
      if (images_.size() == before) findings_.add(0, path + ": holds no image");
    }
  }

  const std::vector<FoundImage>& images() const { return images_; }

 private:
  /// Folder → split: those of the format's values that are there or, without values, all.
  std::vector<std::pair<std::string, std::string>> split_folders() const {
    std::vector<std::pair<std::string, std::string>> folders;
    for (const auto& [path, split] : format_.split.values) {
      std::error_code ignored;
      if (fs::is_directory(folder_ / path, ignored)) folders.emplace_back(path, split);
    }
    if (!format_.split.values.empty()) return folders;
    for (const auto& entry : entries(folder_)) {
      if (!entry.is_directory()) continue;
      const std::string name = entry.path().filename().string();
      folders.emplace_back(name, split_of(format_, name).value_or(name));
    }
    return folders;
  }

  std::string relative(const fs::path& path) const {
    return path.lexically_relative(folder_).string();
  }

  void walk(const fs::path& folder, size_t level, const FoundImage& above) {
    for (const auto& entry : entries(folder)) {
      const bool images_here = level == levels_.size();
      if (entry.is_directory() && images_here && !is_image(entry.path())) {
        findings_.add(0, relative(entry.path()) + ": is a folder where images are expected, by " +
                             format_.folders);
      } else if (entry.is_directory() && !images_here) {
        descend(entry.path(), level, above);
      } else if (is_image(entry.path())) {
        add_image(entry.path(), images_here, above);
      }
    }
  }

  void descend(const fs::path& folder, size_t level, FoundImage above) {
    const IndexColumn& column = levels_[level] == Level::label ? format_.label : format_.attribute;
    const std::string name = folder.filename().string();
    if (!column.values.empty() && !column.values.contains(name)) {
      if (!column.skip_others) {
        std::vector<std::string> known;
        for (const auto& [value, index] : column.values) known.push_back(value);
        findings_.add(0, relative(folder) + ": is no folder that the format " + format_.name +
                             " knows here; the nearest is " + nearest(name, known));
      }
      return;
    }
    above.names[levels_[level]] = name;
    walk(folder, level + 1, above);
  }

  void add_image(const fs::path& path, bool images_here, FoundImage image) {
    image.path = relative(path);
    if (images_here) {
      images_.push_back(std::move(image));
    } else {
      findings_.add(0, image.path + ": is an image where folders are expected, by " +
                           format_.folders);
    }
  }

  const fs::path folder_;
  const ManifestFormat& format_;
  const std::vector<Level> levels_;
  Findings& findings_;
  std::vector<FoundImage> images_;
};

/// Folder → index: the format's values, or else all names in order.
std::map<std::string, int64_t> indices(const IndexColumn& column, Level level,
                                       const std::vector<FoundImage>& images) {
  if (!column.values.empty()) return column.values;
  std::map<std::string, int64_t> indices;
  for (const FoundImage& image : images) {
    const auto name = image.names.find(level);
    if (name != image.names.end()) indices.emplace(name->second, 0);
  }
  int64_t next = 0;
  for (auto& [name, index] : indices) index = next++;
  return indices;
}

/// The format's names, or else those of the folders.
std::vector<std::string> names(const IndexColumn& column,
                               const std::map<std::string, int64_t>& indices) {
  if (!column.names.empty() || !column.values.empty()) return column.names;
  std::vector<std::string> names;
  for (const auto& [name, index] : indices) names.push_back(name);
  return names;
}

}  // namespace

Manifest read_class_folders(const ManifestSource& source, Findings& findings) {
  const Walk walk(source, findings);
  const ManifestFormat& format = source.format;
  const auto labels = indices(format.label, Level::label, walk.images());
  const auto attributes = indices(format.attribute, Level::attribute, walk.images());

  Manifest manifest;
  manifest.path = source.path;
  manifest.folder = source.folder();
  manifest.names = {names(format.label, labels), names(format.attribute, attributes)};
  for (const FoundImage& image : walk.images()) {
    ManifestRow row;
    row.sample = image.path;
    row.label = labels.at(image.names.at(Level::label));
    const auto attribute = image.names.find(Level::attribute);
    if (attribute != image.names.end()) row.attribute = attributes.at(attribute->second);
    row.number = manifest.rows++;
    manifest.has_attributes = manifest.has_attributes || row.attribute.has_value();
    manifest.splits[image.split].push_back(std::move(row));
  }
  if (manifest.rows == 0) {
    findings.throw_if_any(source.path.string());
    throw Error(source.path.string() + ": holds no image in folders " + format.folders);
  }
  return manifest;
}

}  // namespace neurontune
