#include "neurontune/data/manifest_format.h"

#include <algorithm>
#include <system_error>

#include "base/describe.h"
#include "base/edit_distance.h"
#include "data/format_json.h"
#include "data/presets.h"
#include "io/file_io.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::vector<ManifestFormat> all_presets() {
  std::vector<ManifestFormat> formats;
  for (const auto& [name, text] : manifest_presets()) formats.push_back(parse_format(name, text));
  return formats;
}

/// The first of the files that lies in the folder, or nothing.
std::filesystem::path first_of(const std::filesystem::path& folder,
                               const std::vector<std::string>& files) {
  for (const auto& file : files) {
    if (is_there(folder / file)) return folder / file;
  }
  return {};
}

ManifestSource source_of(const std::filesystem::path& data, ManifestFormat format) {
  if (!format.folders.empty()) {
    if (!is_folder(data)) {
      throw Error(data.string() + ": is a file, but data of the format " + format.name +
                  " is a folder of class folders");
    }
    return {data, std::move(format)};
  }
  if (!is_folder(data)) return {data, std::move(format)};
  const auto path = first_of(data, format.files);
  if (path.empty()) {
    throw Error(data.string() + ": has no manifest of the format " + format.name + ": " +
                listed(format.files));
  }
  return {path, std::move(format)};
}

/// A CSV by its name; one that no format claims is read as metadata.csv is.
ManifestSource recognise_file(const std::filesystem::path& csv) {
  for (auto& format : all_presets()) {
    const auto& marks = format.marks;
    if (std::find(marks.begin(), marks.end(), csv.filename()) != marks.end()) {
      return {csv, std::move(format)};
    }
  }
  return {csv, ManifestFormat::named("metadata")};
}

std::optional<ManifestSource> recognise_folder(const std::filesystem::path& folder) {
  std::vector<ManifestSource> found;
  std::vector<std::string> claims;
  for (auto& format : all_presets()) {
    const auto path = first_of(folder, format.marks);
    if (path.empty()) continue;
    claims.push_back(path.lexically_relative(folder).string() + " (format " + format.name + ")");
    found.push_back({path, std::move(format)});
  }
  if (found.size() > 1) {
    throw Error(folder.string() + ": holds " + listed(claims) +
                "; choose one with --format, or pass the file");
  }
  if (found.size() == 1) return std::move(found.front());
  if (!is_folder(folder / "train")) return std::nullopt;
  return ManifestSource{folder, ManifestFormat::named("folders")};
}

}  // namespace

std::vector<std::string> manifest_format_names() {
  std::vector<std::string> names;
  for (const auto& [name, text] : manifest_presets()) names.push_back(name);
  return names;
}

ManifestFormat ManifestFormat::named(const std::string& name) {
  for (const auto& [candidate, text] : manifest_presets()) {
    if (candidate == name) return parse_format(name, text);
  }
  if (name.ends_with(".json") || is_there(name)) return parse_format(name, read_file(name));
  auto known = manifest_format_names();
  known.insert(known.begin(), "auto");
  throw OptionError("data.format is " + name + ", expected one of " + listed(known, known.size()) +
                    ", or a JSON file" + nearest_known(name, known, "; the nearest is "));
}

std::filesystem::path ManifestSource::folder() const {
  return format.folders.empty() ? path.parent_path() : path;
}

std::optional<ManifestSource> find_manifest(const std::filesystem::path& data,
                                            const std::string& format) {
  if (!is_there(data)) throw Error(data.string() + ": does not exist");
  if (format != "auto") return source_of(data, ManifestFormat::named(format));
  return is_folder(data) ? recognise_folder(data) : recognise_file(data);
}

}  // namespace neurontune
