#include "neurontune/data/manifest.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "data/manifest_reader.h"
#include "neurontune/base/error.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {
namespace {

constexpr std::array<const char*, 3> kUsualSplits = {"train", "val", "test"};

const std::map<std::string, std::string>& usual_splits() {
  static const std::map<std::string, std::string> splits = {
      {"0", "train"},        {"1", "val"},    {"2", "test"},  {"train", "train"},
      {"training", "train"}, {"tr", "train"}, {"val", "val"}, {"valid", "val"},
      {"validation", "val"}, {"va", "val"},   {"dev", "val"}, {"test", "test"},
      {"testing", "test"},   {"te", "test"},
  };
  return splits;
}

void check_image(const Manifest& manifest, const ManifestRow& row, Findings& findings) {
  // The line says which row; without one the path is all there is, relative to the source.
  const std::string what = (row.line == 0 ? "" : ": ") + row.sample;
  const auto path = manifest.folder / row.sample;
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    findings.add(row.line, what + " does not exist");
  } else if (status.type() == std::filesystem::file_type::directory) {
    findings.add(row.line, what + " is a folder, expected an image");
  } else if (status.type() != std::filesystem::file_type::regular) {
    findings.add(row.line, what + " is not a file" + (error ? ": " + error.message() : ""));
  } else if (std::filesystem::file_size(path, error) == 0) {
    findings.add(row.line, what + " is empty (0 bytes), expected an image");
  }
}

}  // namespace

std::optional<std::string> split_of(const ManifestFormat& format, const std::string& cell) {
  const auto& values = format.split.values.empty() ? usual_splits() : format.split.values;
  const auto value = values.find(cell);
  if (value == values.end()) return std::nullopt;
  return value->second;
}

at::Tensor attributes_of(const std::vector<ManifestRow>& rows) {
  std::vector<int64_t> attributes;
  for (const ManifestRow& row : rows)
    attributes.push_back(row.attribute.value_or(kUnknownAttribute));
  const at::Tensor tensor = at::tensor(attributes, at::kLong);
  return any_attribute_known(tensor) ? tensor : at::Tensor();
}

void check_images(const Manifest& manifest, Findings& findings) {
  for (const auto& [split, rows] : manifest.splits) {
    for (const ManifestRow& row : rows) check_image(manifest, row, findings);
  }
}

Manifest read_manifest(const ManifestSource& source, Findings& findings) {
  return source.format.folders.empty() ? read_csv_manifest(source, findings)
                                       : read_class_folders(source, findings);
}

Manifest Manifest::read(const ManifestSource& source) {
  Findings findings;
  Manifest manifest = read_manifest(source, findings);
  findings.throw_if_any(source.path.string());
  return manifest;
}

Manifest Manifest::read(const std::filesystem::path& csv) {
  return read({csv, ManifestFormat::named("metadata")});
}

std::vector<std::string> Manifest::split_names() const {
  std::vector<std::string> ordered;
  for (const char* usual : kUsualSplits) {
    if (splits.contains(usual)) ordered.emplace_back(usual);
  }
  for (const auto& [split, samples] : splits) {
    if (std::find(kUsualSplits.begin(), kUsualSplits.end(), split) == kUsualSplits.end()) {
      ordered.push_back(split);
    }
  }
  return ordered;
}

}  // namespace neurontune
