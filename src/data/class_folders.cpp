#include <algorithm>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/describe.h"
#include "base/edit_distance.h"
#include "data/manifest_reader.h"
#include "io/folder_mark.h"
#include "io/image_formats.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;

/// What a folder between a split's and the images names.
enum class Level { label, attribute };

/// A file or folder with the names of the folders above it, its own included.
struct Found {
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

/// "12 of .heic (train/ant/1.heic, train/ant/2.heic, train/ant/3.heic and 9 more), 1 of .txt (…)".
std::string by_ending(const std::vector<Found>& files) {
  std::map<std::string, std::vector<std::string>> paths;
  for (const Found& file : files) paths[small_ending(file.path)].push_back(file.path);
  std::vector<std::string> endings;
  for (const auto& [ending, of_ending] : paths) {
    endings.push_back(std::to_string(of_ending.size()) + " of " +
                      (ending.empty() ? "no ending" : ending) + " (" + listed(of_ending, 3) + ")");
  }
  return listed(endings);
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

  const std::vector<Found>& images() const { return images_; }
  const std::vector<Found>& folders() const { return folders_; }          ///< below a split's
  const std::vector<Found>& passed_over() const { return passed_over_; }  ///< beside images

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
      const auto split = split_of(format_, name);
      // Results may also have been written into a split's own folder.
      if (!split && is_marked(entry.path())) continue;
      folders.emplace_back(name, split.value_or(name));
    }
    return folders;
  }

  std::string relative(const fs::path& path) const {
    return path.lexically_relative(folder_).string();
  }

  void walk(const fs::path& folder, size_t level, const Found& above) {
    const bool images_here = level == levels_.size();
    for (const auto& entry : entries(folder)) {
      const bool is_image = has_image_ending(entry.path());
      if (!entry.is_directory() || (images_here && is_image)) {
        add_file(entry.path(), is_image, images_here, above);
      } else if (is_marked(entry.path())) {
        continue;
      } else if (images_here) {
        findings_.add(0, relative(entry.path()) + ": is a folder where images are expected, by " +
                             format_.folders);
      } else {
        descend(entry.path(), level, above);
      }
    }
  }

  void descend(const fs::path& folder, size_t level, Found above) {
    const IndexColumn& column = levels_[level] == Level::label ? format_.label : format_.attribute;
    const std::string name = folder.filename().string();
    if (!column.values.empty() && !column.values.contains(name)) {
      if (!column.skip_others) {
        std::vector<std::string> known;
        for (const auto& [value, index] : column.values) known.push_back(value);
        findings_.add(0, relative(folder) + ": is no folder that the format " + format_.name +
                             " knows here" + nearest_known(name, known, "; the nearest is "));
      }
      return;
    }
    above.path = relative(folder);
    above.names[levels_[level]] = name;
    folders_.push_back(above);
    walk(folder, level + 1, above);
  }

  void add_file(const fs::path& path, bool is_image, bool images_here, Found file) {
    file.path = relative(path);
    if (images_here) {
      (is_image ? images_ : passed_over_).push_back(std::move(file));
    } else if (is_image) {
      findings_.add(0,
                    file.path + ": is an image where folders are expected, by " + format_.folders);
    }
  }

  const fs::path folder_;
  const ManifestFormat& format_;
  const std::vector<Level> levels_;
  Findings& findings_;
  std::vector<Found> images_, folders_, passed_over_;
};

/// The folders' names at a level, of one split or of all.
std::set<std::string> names_at(Level level, const std::vector<Found>& found,
                               const std::string& split = "") {
  std::set<std::string> names;
  for (const Found& one : found) {
    const auto name = one.names.find(level);
    if (name != one.names.end() && (split.empty() || one.split == split)) {
      names.insert(name->second);
    }
  }
  return names;
}

std::vector<std::string> difference(const std::set<std::string>& names,
                                    const std::set<std::string>& less) {
  std::vector<std::string> left;
  std::set_difference(names.begin(), names.end(), less.begin(), less.end(),
                      std::back_inserter(left));
  return left;
}

/// Refuses folders that give a class, or an attribute, its number but hold no image in any split:
/// passed over, they would renumber those after them.
void check_folders(const Walk& walk, const IndexColumn& column, Level level, Findings& findings) {
  if (!column.values.empty()) return;  // the numbers are the format's
  const std::string what = level == Level::label ? "class " : "attribute ";
  for (const auto& name :
       difference(names_at(level, walk.folders()), names_at(level, walk.images()))) {
    std::vector<Found> others;
    for (const Found& file : walk.passed_over()) {
      if (file.names.at(level) == name) others.push_back(file);
    }
    findings.add(0, what + name + " holds no image in any split, expected " + image_formats() +
                        (others.empty() ? "" : "; it holds " + by_ending(others)));
  }
}

/// What a user should know of folders that can be read.
std::vector<std::string> warnings_of(const Walk& walk, const ManifestFormat& format) {
  std::vector<std::string> warnings;
  if (!walk.passed_over().empty()) {
    warnings.push_back("files of the class folders were passed over, since they do not end as " +
                       image_formats() + " images do: " + by_ending(walk.passed_over()));
  }
  std::set<std::string> splits;
  for (const Found& image : walk.images()) splits.insert(image.split);
  for (const auto& split : splits) {
    // Of a format's classes many folders may be one, so that a folder may well be missing.
    const bool fixed = !format.label.values.empty();
    const auto lacking = difference(names_at(Level::label, walk.folders(), fixed ? split : ""),
                                    names_at(Level::label, walk.images(), split));
    if (lacking.empty()) continue;
    warnings.push_back("split " + split + " holds no image of " +
                       (lacking.size() == 1 ? "class " : "the classes ") + listed(lacking) +
                       (fixed ? ": the folder is empty" : ": the folder is missing or empty"));
  }
  return warnings;
}

/// Folder → index: the format's values, or else all names in order.
std::map<std::string, int64_t> indices(const IndexColumn& column,
                                       const std::set<std::string>& names) {
  if (!column.values.empty()) return column.values;
  std::map<std::string, int64_t> indices;
  for (const auto& name : names) indices.emplace(name, static_cast<int64_t>(indices.size()));
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
  check_folders(walk, format.label, Level::label, findings);
  check_folders(walk, format.attribute, Level::attribute, findings);
  const auto labels = indices(format.label, names_at(Level::label, walk.folders()));
  const auto attributes = indices(format.attribute, names_at(Level::attribute, walk.folders()));

  Manifest manifest;
  manifest.path = source.path;
  manifest.folder = source.folder();
  manifest.names = {names(format.label, labels), names(format.attribute, attributes)};
  manifest.warnings = warnings_of(walk, format);
  for (const Found& image : walk.images()) {
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
