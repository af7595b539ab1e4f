#include "demo/dominoes.h"

#include <ATen/ATen.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "data/temporary_folder.h"
#include "demo/fashion_mnist.h"
#include "error_matchers.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/manifest.h"

namespace neurontune::demo {
namespace {

constexpr int64_t kHalf = 28 * 28;

std::string pixels(const at::Tensor& image) {
  const at::Tensor contiguous = image.contiguous();
  return {static_cast<const char*>(contiguous.const_data_ptr()), contiguous.nbytes()};
}

/// What each original shows, by its pixels. Fashion-MNIST holds a few images twice.
std::multimap<std::string, int64_t> originals_of(const char* part) {
  const FashionMnist data = read_fashion_mnist(kFashionMnistFolder, part);
  const at::Tensor labels = data.labels;
  std::multimap<std::string, int64_t> originals;
  for (int64_t row = 0; row < labels.size(0); ++row) {
    originals.emplace(pixels(data.images[row]), labels[row].item<int64_t>());
  }
  return originals;
}

class DominoesTest : public TemporaryFolderTest {
 protected:
  struct Halves {
    std::string top, bottom;
  };
  Halves halves(const ManifestRow& row) const {
    const std::string image = pixels(decode_image(folder() / row.sample)[0]);
    return {image.substr(0, kHalf), image.substr(kHalf)};
  }
};

const DominoesOptions kSmall{0.9, 400, 200, 80, 7};

TEST(FashionMnist, HasTenClassesOfEqualSize) {
  const FashionMnist train = read_fashion_mnist(kFashionMnistFolder, "train");
  EXPECT_EQ(train.images.sizes(), at::IntArrayRef({60000, 28, 28}));
  EXPECT_TRUE(at::equal(at::bincount(train.labels), at::full({10}, 6000, at::kLong)));
  const FashionMnist test = read_fashion_mnist(kFashionMnistFolder, "t10k");
  EXPECT_TRUE(at::equal(at::bincount(test.labels), at::full({10}, 1000, at::kLong)));
}

TEST_F(DominoesTest, OriginalsThatCannotBeReadNameTheFileAndTheDebianPackage) {
  EXPECT_ERROR(read_fashion_mnist(folder(), "train"),
               "train-images-idx3-ubyte.gz: cannot be opened; Debian's package "
               "dataset-fashion-mnist brings these files");
  write("train-images-idx3-ubyte.gz", std::string("\0\0\x08\1", 4));
  EXPECT_ERROR(read_fashion_mnist(folder(), "train"), "begins with 2049, expected the IDX magic");
  write("train-images-idx3-ubyte.gz", std::string("\0\0\x08\3\0\0\0\2\0\0\0\x1C\0\0\0\x1C", 16));
  EXPECT_ERROR(read_fashion_mnist(folder(), "train"), "is cut short");
  write("train-images-idx3-ubyte.gz", std::string("\0\0\x08\3\0\0\0\2\0\0\0\x1C\0\0\0\x1D", 16));
  EXPECT_ERROR(read_fashion_mnist(folder(), "train"), "has items of size 29, expected 28");
}

TEST_F(DominoesTest, CorrelationHoldsExactlyInEachClassAndTheTestGroupsAreEven) {
  write_dominoes(folder(), kSmall);
  const Manifest manifest = Manifest::read(folder() / "metadata.csv");
  EXPECT_TRUE(manifest.has_attributes);
  const auto counts = [&](const char* split) {
    std::map<std::pair<int64_t, int64_t>, int64_t> groups;
    for (const ManifestRow& row : manifest.splits.at(split)) ++groups[{row.label, *row.attribute}];
    return std::vector<int64_t>{groups[{0, 0}], groups[{0, 1}], groups[{1, 0}], groups[{1, 1}]};
  };
  EXPECT_EQ(counts("train"), std::vector<int64_t>({180, 20, 20, 180}));
  EXPECT_EQ(counts("val"), std::vector<int64_t>({90, 10, 10, 90}));
  EXPECT_EQ(counts("test"), std::vector<int64_t>({20, 20, 20, 20}));
}

TEST_F(DominoesTest, HalvesShowWhatTheManifestSaysAndNoOriginalIsUsedTwice) {
  write_dominoes(folder(), kSmall);
  const Manifest manifest = Manifest::read(folder() / "metadata.csv");
  const auto has = [](const auto& originals, const std::string& image, Clothing clothing) {
    const auto [first, last] = originals.equal_range(image);
    return std::any_of(first, last, [&](const auto& original) {
      return original.second == static_cast<int64_t>(clothing);
    });
  };
  for (const bool test : {false, true}) {
    const auto originals = originals_of(test ? "t10k" : "train");
    std::map<std::string, size_t> used;
    for (const auto& [split, rows] : manifest.splits) {
      if ((split == "test") != test) continue;
      for (const ManifestRow& row : rows) {
        const auto [top, bottom] = halves(row);
        EXPECT_TRUE(has(originals, bottom, row.label == 0 ? Clothing::pullover : Clothing::coat));
        EXPECT_TRUE(has(originals, top, row.attribute == 0 ? Clothing::sneaker : Clothing::bag));
        ++used[top];
        ++used[bottom];
      }
    }
    for (const auto& [image, times] : used) EXPECT_LE(times, originals.count(image));
  }
}

TEST_F(DominoesTest, TheSameSeedGivesTheSameBytesAndAnotherOthers) {
  DominoesOptions options{0.5, 20, 10, 8, 1};
  const auto write_all = [&](const char* name) {
    write_dominoes(folder() / name, options);
    std::map<std::string, std::string> files;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder() / name)) {
      if (file.is_regular_file()) files[file.path().filename()] = read(file.path());
    }
    return files;
  };
  const auto first = write_all("first");
  EXPECT_EQ(first.size(), 38U + 3U);
  EXPECT_TRUE(first == write_all("second"));
  options.seed = 2;
  EXPECT_FALSE(first == write_all("third"));
}

TEST_F(DominoesTest, TheFolderOpensAsDataUnderItsOwnTransform) {
  write_dominoes(folder(), {1, 4, 2, 4, 0});
  const auto json = nlohmann::json::parse(read(folder() / "transform.json"));
  const ImageTransform transform{json.at("channels"), json.at("resize"), json.at("crop"),
                                 json.at("mean"), json.at("std")};
  const DataFolder data = open_data(folder(), transform);
  ASSERT_EQ(data.splits.size(), 3U);
  EXPECT_EQ(data.splits[0].dataset->batch(0, 4)[0].sizes(), at::IntArrayRef({4, 1, 56, 28}));
  EXPECT_EQ(data.names.label(1), "coat");
  EXPECT_EQ(data.names.attribute(0), "sneaker");
}

TEST(DominoesOptions, ValuesOutOfRangeAreRefused) {
  EXPECT_ERROR_OF(OptionError, (DominoesOptions{1.5}.validate()), "correlation is 1.5");
  EXPECT_ERROR_OF(OptionError, (DominoesOptions{0.9, 7}.validate()), "train_samples is 7");
  EXPECT_ERROR_OF(OptionError, (DominoesOptions{0.9, 8000, 4002}.validate()),
                  "val_samples is 4002, expected a multiple of 2 from 2 to 4000");
  EXPECT_ERROR_OF(OptionError, (DominoesOptions{0.9, 8, 4, 2}.validate()), "test_samples is 2");
  EXPECT_NO_THROW((DominoesOptions{0, 8000, 4000, 2000}.validate()));
}

}  // namespace
}  // namespace neurontune::demo
