#include "demo/biased_images.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "neurontune/data/dataset.h"

namespace neurontune::demo {
namespace {

BiasedImagesOptions small(Family family, int64_t classes, uint64_t seed = 7) {
  BiasedImagesOptions options;
  options.family = family;
  options.classes = classes;
  options.correlation = 0.9;
  options.train_samples = 60 * classes;
  options.val_samples = 40 * classes;
  options.test_samples = 2 * classes * classes;
  options.seed = seed;
  return options;
}

/// Samples of each (label, attribute): int64 [C, C].
at::Tensor groups_of(const ImageSplit& split, int64_t classes) {
  return at::bincount(split.labels * classes + split.attributes, {}, classes * classes)
      .view({classes, classes});
}

bool same(const BiasedImages& one, const BiasedImages& other) {
  for (size_t index = 0; index < one.splits.size(); ++index) {
    const ImageSplit &split = one.splits[index], &like = other.splits[index];
    if (!at::equal(split.images, like.images) || !at::equal(split.labels, like.labels) ||
        !at::equal(split.attributes, like.attributes)) {
      return false;
    }
  }
  return true;
}

struct FamilyCase {
  Family family;
  int64_t classes;
};

class EveryFamily : public ::testing::TestWithParam<FamilyCase> {
 protected:
  BiasedImagesOptions options(uint64_t seed = 7) const {
    return small(GetParam().family, GetParam().classes, seed);
  }
};

INSTANTIATE_TEST_SUITE_P(
    BiasedImages, EveryFamily,
    ::testing::Values(FamilyCase{Family::dominoes, 2}, FamilyCase{Family::dominoes, 4},
                      FamilyCase{Family::textured, 2}, FamilyCase{Family::textured, 4},
                      FamilyCase{Family::patch, 2}, FamilyCase{Family::patch, 10}),
    [](const auto& of) { return design(of.param.family).name + std::to_string(of.param.classes); });

TEST_P(EveryFamily, SplitsHaveTheCorrelationAndTestEvenGroups) {
  const int64_t classes = GetParam().classes;
  const BiasedImages data = make_biased_images(options());
  ASSERT_EQ(data.splits.size(), 3U);
  const std::array<const char*, 3> names = {"train", "val", "test"};
  const std::array<int64_t, 3> agreeing = {54, 36, 2}, of_class = {60, 40, 2 * classes};
  for (size_t index = 0; index < 3; ++index) {
    const ImageSplit& split = data.splits[index];
    EXPECT_EQ(split.name, names[index]);
    const at::Tensor groups = groups_of(split, classes);
    EXPECT_TRUE(groups.diagonal().eq(agreeing[index]).all().item<bool>()) << groups;
    EXPECT_TRUE(groups.sum(1).eq(of_class[index]).all().item<bool>()) << groups;
    EXPECT_TRUE(groups.sum(0).eq(of_class[index]).all().item<bool>()) << groups;
  }
  EXPECT_TRUE(groups_of(data.splits[2], classes).eq(2).all().item<bool>());
}

TEST_P(EveryFamily, ImagesHaveTheFamilysShapeAndNamesForAllThatIsInThem) {
  const auto& shape = design(GetParam().family).shape;
  const BiasedImages data = make_biased_images(options());
  for (const ImageSplit& split : data.splits) {
    EXPECT_EQ(split.images.scalar_type(), at::kByte);
    EXPECT_EQ(split.images.sizes(),
              (std::vector<int64_t>{split.labels.size(0), shape[0], shape[1], shape[2]}));
  }
  EXPECT_EQ(data.names.labels.size(), static_cast<size_t>(GetParam().classes));
  EXPECT_EQ(data.names.attributes.size(), static_cast<size_t>(GetParam().classes));
}

TEST_P(EveryFamily, TheSameSeedGivesTheSameBytesAndAnotherOthers) {
  const BiasedImages first = make_biased_images(options());
  EXPECT_TRUE(same(first, make_biased_images(options())));
  EXPECT_FALSE(same(first, make_biased_images(options(8))));
}

/// Rows of the label's photograph that the attribute leaves alone.
at::Tensor untouched(Family family, const at::Tensor& image) {
  return family == Family::dominoes ? image[0].slice(0, 28) : image[0].slice(0, 5, 23);
}

std::string bytes(const at::Tensor& pixels) {
  const at::Tensor contiguous = pixels.contiguous();
  return {static_cast<const char*>(contiguous.const_data_ptr()), contiguous.nbytes()};
}

/// What the originals show, by those rows. Fashion-MNIST holds a few images twice.
std::multimap<std::string, int64_t> originals_of(Family family, const char* part) {
  const FashionMnist data = read_fashion_mnist(kFashionMnistFolder, part);
  const at::Tensor rows = family == Family::dominoes ? data.images : data.images.slice(1, 5, 23);
  const int64_t* label = data.labels.const_data_ptr<int64_t>();
  std::multimap<std::string, int64_t> originals;
  for (int64_t row = 0; row < rows.size(0); ++row) originals.emplace(bytes(rows[row]), label[row]);
  return originals;
}

TEST(BiasedImages, PhotographsShowTheirLabelAndNoneIsUsedTwice) {
  for (const Family family : {Family::dominoes, Family::patch}) {
    const BiasedImages data = make_biased_images(small(family, 4));
    for (const bool test : {false, true}) {
      const auto originals = originals_of(family, test ? "t10k" : "train");
      std::map<std::string, size_t> used;
      for (const ImageSplit& split : data.splits) {
        if ((split.name == "test") != test) continue;
        for (int64_t row = 0; row < split.labels.size(0); ++row) {
          const std::string pixels = bytes(untouched(family, split.images[row]));
          const auto [first, last] = originals.equal_range(pixels);
          const auto shown =
              design(family).labels.at(static_cast<size_t>(split.labels[row].item<int64_t>()));
          EXPECT_TRUE(std::any_of(
              first, last,
              [&](const auto& original) { return original.second == static_cast<int64_t>(shown); }))
              << design(family).name << " " << split.name << " " << row;
          ++used[pixels];
        }
      }
      for (const auto& [pixels, times] : used) EXPECT_LE(times, originals.count(pixels));
    }
  }
}

TEST(BiasedImages, APatchHasTheAttributesHueInOneCornerAndMayBeFaint) {
  const ImageSplit split = make_biased_images(small(Family::patch, 9)).splits[0];  // none is white
  std::map<int64_t, at::Tensor> hues;
  std::vector<float> brightest;
  for (int64_t row = 0; row < split.labels.size(0); ++row) {
    const at::Tensor image = split.images[row];
    const at::Tensor coloured = image.amax(0).ne(image.amin(0));
    EXPECT_LE(coloured.sum().item<int64_t>(), 25) << row;
    const at::Tensor corners =
        image.index_select(1, at::tensor({0, 27})).index_select(2, at::tensor({0, 27}));
    const at::Tensor pixels = corners.reshape({3, 4}).to(at::kFloat);
    const auto [spread, corner] = (pixels.amax(0) - pixels.amin(0)).max(0);
    brightest.push_back(spread.item<float>());
    if (brightest.back() < 60) continue;
    const at::Tensor colour = pixels.select(1, corner.item<int64_t>());
    const at::Tensor hue = colour / colour.max();
    const int64_t attribute = split.attributes[row].item<int64_t>();
    EXPECT_TRUE(at::allclose(hues.emplace(attribute, hue).first->second, hue, 0, 0.03)) << row;
  }
  EXPECT_EQ(hues.size(), 9U);
  const auto [faintest, clearest] = std::minmax_element(brightest.begin(), brightest.end());
  EXPECT_LT(*faintest, 10);
  EXPECT_GT(*clearest, 180);
}

TEST(BiasedImages, TexturesShowTheirColourStronglyInSomeImagesAndHardlyInOthers) {
  const ImageSplit split = make_biased_images(small(Family::textured, 4)).splits[0];
  const at::Tensor means = split.images.to(at::kFloat).mean(at::IntArrayRef{2, 3}).div_(255);
  const at::Tensor colourful = std::get<0>(means.max(1)) - std::get<0>(means.min(1));
  EXPECT_GT(colourful.gt(0.1).to(at::kFloat).mean().item<float>(), 0.15);
  EXPECT_GT(colourful.lt(0.02).to(at::kFloat).mean().item<float>(), 0.15);

  const at::Tensor strong = colourful.gt(0.1);
  const auto brightest = [&](int64_t attribute) {
    return means.index({strong.logical_and(split.attributes.eq(attribute))}).argmax(1);
  };
  EXPECT_TRUE(brightest(0).eq(2).all().item<bool>()) << "blue";
  EXPECT_TRUE(brightest(1).eq(1).all().item<bool>()) << "green";
  EXPECT_TRUE(brightest(2).eq(0).all().item<bool>()) << "red";
  EXPECT_TRUE(brightest(3).ne(2).all().item<bool>()) << "yellow";
}

TEST(BiasedImages, WithoutACorrelationTheAttributeSaysNothingOfTheLabel) {
  BiasedImagesOptions options = small(Family::patch, 10);
  options.correlation = std::nullopt;
  EXPECT_TRUE(groups_of(make_biased_images(options).splits[0], 10).eq(6).all().item<bool>());

  options = small(Family::textured, 2);
  options.correlation = std::nullopt;
  const BiasedImages none = make_biased_images(options);
  options.correlation = 0.5;
  EXPECT_TRUE(same(none, make_biased_images(options)));
}

TEST(BiasedImages, TestIsBalancedWhateverClassesAreUnbiasedInTraining) {
  BiasedImagesOptions options = small(Family::textured, 2);
  options.unbiased_classes = 1;
  const BiasedImages data = make_biased_images(options);
  const at::Tensor train = groups_of(data.splits[0], 2), test = groups_of(data.splits[2], 2);
  EXPECT_EQ(train.view(-1)[0].item<int64_t>(), train.view(-1)[1].item<int64_t>());
  EXPECT_LT(train.view(-1)[2].item<int64_t>(), train.view(-1)[3].item<int64_t>());
  EXPECT_TRUE(test.eq(test.view(-1)[0]).all().item<bool>());
}

class WrittenImages : public TemporaryFolderTest {};

TEST_F(WrittenImages, OpenAsTensorDataNormalisedToMinusOneToOne) {
  const BiasedImages data = make_biased_images(small(Family::textured, 2));
  write_biased_images(folder(), data);
  const DataFolder opened = open_data(folder(), {});
  ASSERT_EQ(opened.splits.size(), 3U);
  const Dataset& train = opened.split("train");
  const at::Tensor inputs = train.batch(0, train.size()).front();
  EXPECT_EQ(inputs.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::allclose(inputs, data.splits[0].images.to(at::kFloat) / 127.5 - 1));
  EXPECT_TRUE(at::equal(train.labels(), data.splits[0].labels));
  EXPECT_TRUE(at::equal(train.attributes(), data.splits[0].attributes));
  EXPECT_EQ(opened.names.label(0), "coat");
  EXPECT_EQ(opened.names.attribute(1), "green vertical stripes");
}

TEST(BiasedImagesOptions, SizesLeftOpenKeepClassesAndGroupsEven) {
  const auto sizes = [](Family family, int64_t classes, int64_t unbiased = 0) {
    BiasedImagesOptions options;
    options.family = family;
    options.classes = classes;
    options.unbiased_classes = unbiased;
    options.validate();
    const SplitSizes all = options.sizes();
    return std::vector<int64_t>{all.train, all.val, all.test};
  };
  EXPECT_EQ(sizes(Family::dominoes, 2), std::vector<int64_t>({8000, 4000, 2000}));
  EXPECT_EQ(sizes(Family::dominoes, 3), std::vector<int64_t>({7998, 3999, 1998}));
  EXPECT_EQ(sizes(Family::patch, 7), std::vector<int64_t>({15995, 7994, 6958}));
  EXPECT_EQ(sizes(Family::patch, 10), std::vector<int64_t>({16000, 8000, 10000}));
  EXPECT_EQ(sizes(Family::dominoes, 2, 1), std::vector<int64_t>({5332, 2666, 2000}));
}

TEST(BiasedImagesOptions, ValuesOutOfRangeAreRefused) {
  const auto validate = [](auto change) {
    BiasedImagesOptions options;
    change(options);
    options.validate();
    return nullptr;
  };
  EXPECT_ERROR_OF(OptionError, validate([](auto& options) { options.classes = 5; }),
                  "classes is 5, expected 2 to 4 of the family dominoes");
  EXPECT_ERROR_OF(OptionError, validate([](auto& options) { options.classes = 1; }),
                  "classes is 1");
  EXPECT_ERROR_OF(OptionError, validate([](auto& options) { options.correlation = 1.01; }),
                  "correlation is 1.01");
  EXPECT_ERROR_OF(OptionError, validate([](auto& options) { options.unbiased_classes = 3; }),
                  "unbiased_classes is 3, expected 0 to 2");
  EXPECT_ERROR_OF(OptionError, validate([](auto& options) {
                    options.unbiased_classes = 1;
                    options.train_samples = 8000;
                  }),
                  "ask for 7732 photographs of an attribute, expected at most 6000");
  EXPECT_ERROR_OF(OptionError, validate([](auto& options) { options.test_samples = 2002; }),
                  "test_samples is 2002, expected a multiple of 4");
  EXPECT_ERROR_OF(OptionError, parse_family("domino"),
                  "family is domino, expected dominoes, textured or patch");
  EXPECT_EQ(parse_family("patch"), Family::patch);
}

}  // namespace
}  // namespace neurontune::demo
