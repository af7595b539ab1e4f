#include "demo/fashion_mnist.h"

#include <ATen/ATen.h>
#include <zlib.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "neurontune/base/error.h"

namespace neurontune::demo {
namespace {

constexpr int64_t kClasses = 10;
constexpr int64_t kMostImages = 1'000'000;

Error refuse(const std::filesystem::path& path, const std::string& found) {
  return Error(path.string() + ": " + found +
               "; Debian's package dataset-fashion-mnist brings these files");
}

/// A gzipped IDX file: 0, 0, type 8 (bytes), the rank, the sizes as big-endian 32 bits, the data.
class IdxFile {
 public:
  explicit IdxFile(const std::filesystem::path& path)
      : path_(path), file_(::gzopen(path.c_str(), "rb"), &::gzclose) {
    if (!file_) throw refuse(path_, "cannot be opened");
  }

  /// The whole of it, whose first size may be anything and whose others must be `sizes`.
  at::Tensor read(const std::vector<int64_t>& sizes) {
    const auto rank = static_cast<uint32_t>(sizes.size() + 1);
    const uint32_t magic = read_integer();
    if (magic != (8U << 8 | rank)) {
      throw refuse(path_, "begins with " + std::to_string(magic) + ", expected the IDX magic " +
                              std::to_string(8U << 8 | rank));
    }
    const int64_t count = read_integer();
    if (count < 1 || count > kMostImages) {
      throw refuse(path_, "claims " + std::to_string(count) + " items");
    }
    std::vector<int64_t> shape = {count};
    for (const int64_t expected : sizes) {
      const int64_t size = read_integer();
      if (size != expected) {
        throw refuse(path_, "has items of size " + std::to_string(size) + ", expected " +
                                std::to_string(expected));
      }
      shape.push_back(size);
    }
    at::Tensor data = at::empty(shape, at::kByte);
    read_bytes(data.data_ptr<uint8_t>(), static_cast<unsigned>(data.nbytes()));
    return data;
  }

 private:
  uint32_t read_integer() {
    std::array<uint8_t, 4> bytes{};
    read_bytes(bytes.data(), 4);
    return static_cast<uint32_t>(bytes[0]) << 24 | static_cast<uint32_t>(bytes[1]) << 16 |
           static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
  }

  void read_bytes(uint8_t* out, unsigned count) {
    const int got = ::gzread(file_.get(), out, count);
    if (got < 0 || static_cast<unsigned>(got) != count) {
      throw refuse(path_, "is cut short or no gzip file");
    }
  }

  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

}  // namespace

const char* name(Clothing clothing) {
  constexpr std::array<const char*, kClasses> kNames = {
      "T-shirt", "trouser", "pullover", "dress", "coat",
      "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
  return kNames.at(static_cast<size_t>(clothing));
}

FashionMnist read_fashion_mnist(const std::filesystem::path& folder, const char* part) {
  const auto images_path = folder / (std::string(part) + "-images-idx3-ubyte.gz");
  const auto labels_path = folder / (std::string(part) + "-labels-idx1-ubyte.gz");
  FashionMnist data{IdxFile(images_path).read({kSide, kSide}),
                    IdxFile(labels_path).read({}).to(at::kLong)};
  if (data.labels.size(0) != data.images.size(0)) {
    throw refuse(labels_path, "has " + std::to_string(data.labels.size(0)) + " labels for " +
                                  std::to_string(data.images.size(0)) + " images");
  }
  if (const auto largest = data.labels.max().item<int64_t>(); largest >= kClasses) {
    throw refuse(labels_path, "has label " + std::to_string(largest) + ", expected 0 to 9");
  }
  return data;
}

}  // namespace neurontune::demo
