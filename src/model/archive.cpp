#include "model/archive.h"

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "model/torchscript.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtraFolder = "extra/";
constexpr std::string_view kCodeFolder = "code/";
constexpr const char* kHowToExport =
    "; export the model with torch.jit.trace or torch.jit.script and write it with torch.jit.save";

void check_regular_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw Error(path.string() + " is a directory, expected a TorchScript file");
  }
  if (!fs::exists(path, ignored)) throw Error(path.string() + ": no such file");
}

bool starts_as_zip(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 2> magic{};
  file.read(magic.data(), magic.size());
  if (!file.is_open()) throw Error(path.string() + " cannot be opened for reading");
  return magic[0] == 'P' && magic[1] == 'K';
}

std::vector<std::string> record_names(const fs::path& path) {
  try {
    torchscript::CallScope scope;
    return caffe2::serialize::PyTorchStreamReader(path.string()).getAllRecords();
  } catch (const std::exception&) {
    throw Error(path.string() + " is not a TorchScript archive: it is " +
                (starts_as_zip(path) ? "another or a damaged zip file"
                                     : "no zip file, but perhaps a pickle that torch.save wrote") +
                kHowToExport);
  }
}

bool starts_with(const std::string& name, std::string_view prefix) {
  return name.compare(0, prefix.size(), prefix) == 0;
}

void check_has_code(const fs::path& path, const std::vector<std::string>& records) {
  const bool has_code = std::any_of(records.begin(), records.end(), [](const std::string& name) {
    return starts_with(name, kCodeFolder);
  });
  if (!has_code) {
    throw Error(path.string() +
                " is not a TorchScript archive: it holds no code, as a state_dict or another "
                "object written by torch.save" +
                kHowToExport);
  }
}

torch::jit::ExtraFilesMap empty_extra_files(const std::vector<std::string>& records) {
  torch::jit::ExtraFilesMap files;
  for (const auto& name : records) {
    if (starts_with(name, kExtraFolder)) files[name.substr(kExtraFolder.size())] = {};
  }
  return files;
}

/// A folder of one's own beside the target, on the same file system; removed with what is in it.
class TemporarySibling {
 public:
  explicit TemporarySibling(const fs::path& target) {
    const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
    std::string name = parent / ".";
    name += target.filename().string();
    name += ".XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw Error(target.string() + " cannot be written: no temporary folder in " +
                  parent.string() + " (" + std::strerror(errno) + ")");
    }
    path_ = name;
  }
  TemporarySibling(const TemporarySibling&) = delete;
  TemporarySibling& operator=(const TemporarySibling&) = delete;
  ~TemporarySibling() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

Archive read_archive(const fs::path& path, std::optional<at::Device> device) {
  check_regular_file(path);
  const auto records = record_names(path);
  check_has_code(path, records);
  Archive archive;
  archive.extra_files = empty_extra_files(records);
  torchscript::call(path.string() + " cannot be loaded", [&] {
    archive.module = torch::jit::load(path.string(), device, archive.extra_files);
  });
  return archive;
}

void write_archive(const Archive& archive, const fs::path& path) {
  const TemporarySibling folder(path);
  // The archive's root folder is the file's stem.
  const fs::path whole = folder.path() / "model.pt";
  torchscript::call(path.string() + " cannot be written",
                    [&] { archive.module.save(whole.string(), archive.extra_files); });
  std::error_code failure;
  fs::rename(whole, path, failure);
  if (failure) throw Error(path.string() + " cannot be written: " + failure.message());
}

}  // namespace neurontune
