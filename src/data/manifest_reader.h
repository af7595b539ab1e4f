#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "data/findings.h"
#include "neurontune/data/manifest.h"

namespace neurontune {

/// Manifest::read, with what is wrong added to the findings instead of thrown.
Manifest read_manifest(const ManifestSource& source, Findings& findings);

/// The part of it that reads a CSV.
Manifest read_csv_manifest(const ManifestSource& source, Findings& findings);

/// The part of it that walks class folders.
Manifest read_class_folders(const ManifestSource& source, Findings& findings);

/// The rows' attributes: int64 [N], −1 where not known; undefined where none is.
at::Tensor attributes_of(const std::vector<ManifestRow>& rows);

/// Looks for the image of every row: there, a file, not empty.
void check_images(const Manifest& manifest, Findings& findings);

/// The split that a cell or folder names, by the format's values or else 0/1/2, train, val, test
/// and what else those are called; nothing if it names none.
std::optional<std::string> split_of(const ManifestFormat& format, const std::string& cell);

}  // namespace neurontune
