#include "neurontune/data/dataset.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#include <array>
#include <exception>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/describe.h"
#include "base/digest.h"
#include "data/attribute_notices.h"
#include "data/manifest_reader.h"
#include "data/tensor_dataset.h"
#include "data/token_dataset.h"
#include "neurontune/base/error.h"
#include "neurontune/data/image_file.h"
#include "neurontune/data/split.h"

namespace neurontune {
namespace {

/// The images of a manifest's split.
class ImageDataset : public Dataset {
 public:
  ImageDataset(const Manifest& manifest, std::vector<ManifestRow> rows, ImageTransform transform)
      : manifest_(manifest.path),
        folder_(manifest.folder),
        rows_(std::move(rows)),
        transform_(std::move(transform)) {}

  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }

  at::Tensor labels() const override {
    std::vector<int64_t> labels;
    for (const ManifestRow& row : rows_) labels.push_back(row.label);
    return at::tensor(labels, at::kLong);
  }

  at::Tensor attributes() const override { return attributes_of(rows_); }

  std::vector<std::string> ids() const override {
    std::vector<std::string> ids;
    for (const ManifestRow& row : rows_) ids.push_back(row.sample);
    return ids;
  }

  std::vector<std::string> input_names() const override { return {"inputs"}; }
  std::string described(int64_t sample) const override { return described(row(sample)); }
  std::filesystem::path file(int64_t sample) const { return file(row(sample)); }

  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override {
    if (first < 0 || first >= last || last > size()) {
      throw Error("samples " + std::to_string(first) + " to " + std::to_string(last) +
                  " were asked for, the split has " + std::to_string(size()));
    }
    const std::vector<at::Tensor> images = load(first, last);
    for (size_t index = 1; index < images.size(); ++index) {
      if (images[index].sizes() != images[0].sizes()) {
        throw Error(described(row(first + static_cast<int64_t>(index))) + " has " +
                    size_of(images[index]) + " pixels after the transform, but " +
                    file(row(first)).string() + " has " + size_of(images[0]) +
                    "; set crop, or resize to {H, W}");
      }
    }
    return {at::stack(images)};
  }

  std::string fingerprint() const override {
    Digest digest;
    const auto add = [&](const std::string& text) {
      digest.add(text);
      digest.add(std::string_view("\0", 1));  // so that "ab", "c" differs from "a", "bc"
    };
    for (const ManifestRow& row : rows_) {
      const std::filesystem::path path = file(row);
      std::error_code error;
      const auto bytes = std::filesystem::file_size(path, error);
      const auto time =
          error ? std::filesystem::file_time_type{} : std::filesystem::last_write_time(path, error);
      add(row.sample);
      add(std::to_string(row.label));
      add(row.attribute ? std::to_string(*row.attribute) : "");
      add(error ? "absent" : std::to_string(bytes));
      add(std::to_string(time.time_since_epoch().count()));
    }
    return std::to_string(rows_.size()) + " images, " + digest.text() + ", " + transform_text();
  }

 private:
  static std::string size_of(const at::Tensor& image) {
    return std::to_string(image.size(1)) + " x " + std::to_string(image.size(2));
  }

  const ManifestRow& row(int64_t index) const { return rows_[static_cast<size_t>(index)]; }

  std::filesystem::path file(const ManifestRow& row) const { return folder_ / row.sample; }

  std::string described(const ManifestRow& row) const {
    if (row.line == 0) return file(row).string();
    return file(row).string() + " (" + manifest_.filename().string() + ", line " +
           std::to_string(row.line) + ")";
  }

  at::Tensor load_one(const ManifestRow& row) const {
    try {
      return load_image(file(row), transform_);
    } catch (const Error& error) {
      // A failed decoding names the file, a failed transform doesn't.
      const std::string name = file(row).string();
      std::string what = error.what();
      if (what.starts_with(name + ": ")) what.erase(0, name.size() + 2);
      throw Error(described(row) + ": " + what);
    } catch (const c10::Error& error) {
      throw Error(described(row) + ": " + error.what_without_backtrace());
    }
  }

  std::vector<at::Tensor> load(int64_t first, int64_t last) const {
    const auto count = static_cast<size_t>(last - first);
    std::vector<at::Tensor> images(count);
    std::vector<std::exception_ptr> failures(count);
    // Tensors may be made in the threads only under the caller's thread-local state.
    const at::ThreadLocalState state;
    at::parallel_for(first, last, 1, [&](int64_t begin, int64_t end) {
      const at::ThreadLocalStateGuard guard(state);
      for (int64_t index = begin; index < end; ++index) {
        const auto place = static_cast<size_t>(index - first);
        try {
          images[place] = load_one(row(index));
        } catch (...) {
          failures[place] = std::current_exception();
        }
      }
    });
    for (const std::exception_ptr& failure : failures) {  // the first in order, on any threads
      if (failure) std::rethrow_exception(failure);
    }
    return images;
  }

  std::string transform_text() const {
    std::ostringstream text;
    text.precision(17);
    const auto list = [&](const char* name, const auto& values) {
      text << ", " << name;
      for (const auto& value : values) text << ' ' << value;
    };
    text << "channels " << transform_.channels;
    list("resize", transform_.resize);
    text << ", interpolation " << name(transform_.interpolation);
    list("crop", transform_.crop);
    list("mean", transform_.mean);
    list("std", transform_.std);
    return text.str();
  }

  std::filesystem::path manifest_, folder_;
  std::vector<ManifestRow> rows_;
  ImageTransform transform_;
};

std::unique_ptr<Dataset> open_split(const Manifest& manifest, const std::string& name,
                                    const std::optional<at::Tensor>& tokens,
                                    const ImageTransform& transform) {
  const auto& rows = manifest.splits.at(name);
  if (tokens) return std::make_unique<TokenDataset>(manifest, rows, *tokens);
  return std::make_unique<ImageDataset>(manifest, rows, transform);
}

/// Each list as names.json has it, or else as the format has it.
Names shown_names(const Manifest& manifest) {
  Names names = Names::read(manifest.folder);
  if (names.labels.empty()) names.labels = manifest.names.labels;
  if (names.attributes.empty()) names.attributes = manifest.names.attributes;
  return names;
}

/// Looks at every image or the tensors before the first is used: what is wrong is found in seconds.
DataFolder open_manifest(const ManifestSource& source, const ImageTransform& transform,
                         BadImages bad) {
  Findings findings;
  const Manifest manifest = read_manifest(source, findings);
  std::optional<at::Tensor> tokens;
  if (!manifest.tensors.empty()) {
    tokens = read_tokens(manifest, findings);
  } else if (bad == BadImages::refused) {
    check_images(manifest, findings);
  }
  findings.throw_if_any(source.path.string());

  DataFolder folder;
  folder.warnings = manifest.warnings;
  for (const std::string& name : manifest.split_names()) {
    folder.splits.push_back({name, open_split(manifest, name, tokens, transform)});
  }
  folder.names = shown_names(manifest);
  return folder;
}

DataFolder open_tensors(const std::filesystem::path& path) {
  DataFolder folder{open_tensor_splits(path), Names::read(path), {}};
  if (folder.splits.empty()) {
    throw Error(
        path.string() +
        ": has no metadata.csv or other manifest that names its samples, no folder train of "
        "class folders, nor tensors: train.safetensors, train.npz and the like");
  }
  for (const auto& split : folder.splits) {
    if (split.dataset->attributes().defined()) continue;
    for (const auto& warning :
         misspelt("a tensor", split.dataset->input_names(), {"attributes", "groups"}))
      folder.warnings.push_back(split.name + ": there are no attributes; the file " + warning);
  }
  return folder;
}

}  // namespace

std::optional<std::filesystem::path> image_file(const Dataset& dataset, int64_t sample) {
  const auto* const images = dynamic_cast<const ImageDataset*>(&dataset);
  if (images == nullptr) return std::nullopt;
  return images->file(sample);
}

const Dataset& DataFolder::split(const std::string& name) const {
  std::vector<std::string> known;
  for (const auto& candidate : splits) {
    if (candidate.name == name) return *candidate.dataset;
    known.push_back(candidate.name);
  }
  throw Error("the data has no split " + name + "; it has " + listed(known));
}

DataFolder open_data(const std::filesystem::path& path, const ImageTransform& transform,
                     const std::string& format, BadImages bad) {
  transform.validate();
  const auto source = find_manifest(path, format);
  DataFolder folder = source ? open_manifest(*source, transform, bad) : open_tensors(path);
  std::vector<SplitAttributes> attributes;
  for (const auto& split : folder.splits) {
    try {
      check_split_name(split.name);
    } catch (const Error& error) {
      throw Error(path.string() + ": " + error.what());
    }
    attributes.emplace_back(split.name, split.dataset->attributes());
  }
  for (auto& notice : attribute_notices(attributes)) folder.warnings.push_back(std::move(notice));
  return folder;
}

}  // namespace neurontune
