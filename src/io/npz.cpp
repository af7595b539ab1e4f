#include "neurontune/io/npz.h"

#include <ATen/ATen.h>
#include <zip.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <system_error>

#include "io/npy.h"
#include "io/regular_file.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

constexpr std::string_view kExtension = ".npy";

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

/// An array's file in the archive, decompressed as it is read.
class ArchivedFile : public ByteSource {
 public:
  ArchivedFile(zip_t* archive, zip_uint64_t index) : file_(zip_fopen_index(archive, index, 0)) {
    zip_stat_t status;
    if (!file_ || zip_stat_index(archive, index, 0, &status) != 0) {
      throw Error(std::string("cannot be read: ") + zip_strerror(archive));
    }
    check_compression(status);
    remaining_ = status.size;
  }

  uint64_t remaining() const override { return remaining_; }

  void read(void* to, uint64_t bytes) override {
    char* next = static_cast<char*>(to);
    while (bytes > 0) {
      const zip_int64_t count = zip_fread(file_.get(), next, bytes);
      if (count < 0) throw Error(std::string("is damaged: ") + zip_file_strerror(file_.get()));
      if (count == 0) throw Error("is damaged: it ends before its size in the zip directory");
      next += count;
      bytes -= static_cast<uint64_t>(count);
      remaining_ -= static_cast<uint64_t>(count);
    }
  }

  /// Only beyond the last byte is the checksum compared.
  void finish() {
    char beyond = 0;
    const zip_int64_t count = zip_fread(file_.get(), &beyond, 1);
    if (count < 0) throw Error(std::string("is damaged: ") + zip_file_strerror(file_.get()));
    if (count > 0) throw Error("is damaged: it goes on after its size in the zip directory");
  }

 private:
  /// Refuses sizes that the archive cannot hold, before memory for them is taken.
  static void check_compression(const zip_stat_t& status) {
    constexpr zip_uint64_t kMostByDeflate = 1032;
    if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE) {
      throw Error("is compressed by zip method " + std::to_string(status.comp_method) +
                  ", expected stored or deflated");
    }
    if (status.size / kMostByDeflate > status.comp_size) {
      throw Error("is damaged: its " + std::to_string(status.comp_size) + " bytes cannot become " +
                  std::to_string(status.size));
    }
  }

  std::unique_ptr<zip_file_t, CloseFile> file_;
  uint64_t remaining_ = 0;
};

class Archive {
 public:
  explicit Archive(const std::filesystem::path& path) : path_(path) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) const RegularFile is_one(path);
    int code = 0;
    archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (archive_) return;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw Error(path.string() + ": cannot be read as a NumPy archive (.npz): " + reason);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for_each_entry([&](const std::string& name, zip_uint64_t) { names.push_back(name); });
    return names;
  }

  /// Calls use(name, header, file) for the arrays, in the archive's order; `use` reads all of the
  /// file or nothing.
  void for_each_array(
      const std::function<void(const std::string&, const NpyHeader&, ArchivedFile&)>& use) const {
    for_each_entry([&](const std::string& name, zip_uint64_t index) {
      naming(name, [&] {
        ArchivedFile file(archive_.get(), index);
        const NpyHeader header = read_npy_header(file);
        use(name, header, file);
      });
    });
  }

 private:
  void for_each_entry(const std::function<void(const std::string&, zip_uint64_t)>& use) const {
    const zip_int64_t entries = zip_get_num_entries(archive_.get(), 0);
    for (zip_uint64_t index = 0; index < static_cast<zip_uint64_t>(entries); ++index) {
      const char* const entry = zip_get_name(archive_.get(), index, 0);
      std::string name = entry != nullptr ? entry : "";
      if (!name.ends_with(kExtension)) continue;
      name.resize(name.size() - kExtension.size());
      use(name, index);
    }
  }

  /// What an action throws, with the file and the array before it.
  template <class Action>
  void naming(const std::string& array, const Action& action) const {
    try {
      action();
    } catch (const Error& error) {
      fail(array, error.what());
    } catch (const c10::Error& error) {  // such as too little memory
      fail(array, std::string("cannot be read: ") + error.what_without_backtrace());
    }
  }

  [[noreturn]] void fail(const std::string& array, const std::string& what) const {
    std::string line = "array `" + array + "` " + what;
    // Names and headers come from the file: what they hold must not break the line.
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, '?');
    throw Error(path_.string() + ": " + line);
  }

  std::filesystem::path path_;
  std::unique_ptr<zip_t, Discard> archive_;
};

using Tensors = std::map<std::string, at::Tensor>;

/// The arrays of which `wanted` says so, by name and header.
Tensors read_arrays(const std::filesystem::path& path,
                    const std::function<bool(const std::string&, const NpyHeader&)>& wanted) {
  Tensors tensors;
  Archive(path).for_each_array(
      [&](const std::string& name, const NpyHeader& header, ArchivedFile& file) {
        if (!wanted(name, header)) return;
        if (tensors.contains(name)) throw Error("is there twice");
        tensors[name] = read_npy_numbers(file, header);
        file.finish();
      });
  return tensors;
}

std::vector<std::string> as_texts(const at::Tensor& numbers) {
  if (numbers.dim() != 1 || !at::isIntegralType(numbers.scalar_type(), /*includeBool=*/false)) {
    throw Error("holds numbers that are no vector of integers, expected text or integers");
  }
  const at::Tensor wide = numbers.to(at::kLong);
  std::vector<std::string> texts;
  for (int64_t index = 0; index < wide.size(0); ++index) {
    texts.push_back(std::to_string(wide.const_data_ptr<int64_t>()[index]));
  }
  return texts;
}

}  // namespace

std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path) {
  return read_arrays(
      path, [](const std::string&, const NpyHeader& header) { return holds_numbers(header); });
}

std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& path,
                                           const std::vector<std::string>& names) {
  return read_arrays(path, [&](const std::string& name, const NpyHeader&) {
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

std::vector<std::string> npz_names(const std::filesystem::path& path) {
  return Archive(path).names();
}

std::vector<std::string> read_npz_strings(const std::filesystem::path& path,
                                          const std::string& name) {
  std::vector<std::string> texts;
  Archive(path).for_each_array(
      [&](const std::string& array, const NpyHeader& header, ArchivedFile& file) {
        if (array != name) return;
        texts = holds_numbers(header) ? as_texts(read_npy_numbers(file, header))
                                      : read_npy_texts(file, header);
        file.finish();
      });
  return texts;
}

}  // namespace neurontune
