#include "demo/biased_images.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "data/file_io.h"
#include "demo/biased_groups.h"
#include "demo/deck.h"
#include "neurontune/data/safetensors.h"
#include "neurontune/error.h"

namespace neurontune::demo {
namespace {

constexpr SplitSizes kFewClasses = {8000, 4000, 2000};
constexpr SplitSizes kManyClasses = {16000, 8000, 10000};
constexpr int64_t kMany = 5;

/// The fraction at which the attribute says nothing about the label.
double independent(int64_t classes) { return 1.0 / static_cast<double>(classes); }

/// Of train or val.
std::vector<Group> training_groups(int64_t samples, const BiasedImagesOptions& options) {
  return biased_groups(samples, options.classes,
                       options.correlation.value_or(independent(options.classes)),
                       options.unbiased_classes);
}

/// Dominoes shows an original for the attribute too, and draws none twice.
void check_attribute_originals(const BiasedImagesOptions& options, const SplitSizes& sizes) {
  if (options.family != Family::dominoes) return;
  std::vector<int64_t> counts(static_cast<size_t>(options.classes));
  for (const int64_t samples : {sizes.train, sizes.val}) {
    for (const auto [label, attribute] : training_groups(samples, options)) {
      ++counts[static_cast<size_t>(attribute)];
    }
  }
  if (const auto most = std::ranges::max(counts); most > kTrainingOriginals) {
    throw OptionError("train_samples and val_samples ask for " + std::to_string(most) +
                      " photographs of an attribute, expected at most " +
                      std::to_string(kTrainingOriginals));
  }
}

/// Originals that are each used once, and what they are painted with.
struct Material {
  const FashionMnist& part;
  Random& random;
  std::vector<Deck> decks;  // by label
  std::unique_ptr<Painter> painter;

  Material(const BiasedImagesOptions& options, const FashionMnist& originals, Random& generator)
      : part(originals), random(generator) {
    auto labels = design(options.family).labels;
    labels.resize(static_cast<size_t>(options.classes));
    decks = make_decks(part, labels, random);
    painter = make_painter(options.family, part, options.classes, random);
  }
};

ImageSplit make_split(const char* name, std::vector<Group> groups, at::IntArrayRef shape,
                      Material& material) {
  shuffle(groups, material.random);
  const auto samples = static_cast<int64_t>(groups.size());
  ImageSplit split{name, at::empty({samples, shape[0], shape[1], shape[2]}, at::kByte),
                   at::empty({samples}, at::kLong), at::empty({samples}, at::kLong)};
  const int64_t of_original = material.part.images.stride(0), of_image = split.images.stride(0);
  const auto* originals = material.part.images.const_data_ptr<uint8_t>();
  auto* image = split.images.data_ptr<uint8_t>();
  auto* label_of = split.labels.data_ptr<int64_t>();
  auto* attribute_of = split.attributes.data_ptr<int64_t>();
  for (const auto [label, attribute] : groups) {
    const int64_t original = material.decks[static_cast<size_t>(label)].draw();
    material.painter->paint(originals + original * of_original, attribute, image);
    image += of_image;
    *label_of++ = label;
    *attribute_of++ = attribute;
  }
  return split;
}

Names names_of(const BiasedImagesOptions& options) {
  const FamilyDesign& family = design(options.family);
  Names names;
  for (size_t index = 0; index < static_cast<size_t>(options.classes); ++index) {
    names.labels.emplace_back(name(family.labels[index]));
    names.attributes.push_back(family.attributes[index]);
  }
  return names;
}

}  // namespace

SplitSizes BiasedImagesOptions::sizes() const {
  SplitSizes most = classes < kMany ? kFewClasses : kManyClasses;
  if (unbiased_classes > 0) {
    most.train = most.train * 2 / 3;
    most.val = most.val * 2 / 3;
  }
  const int64_t groups = classes * classes;
  const int64_t most_test = std::min(most.test, kTestOriginals * classes);
  return {train_samples.value_or(most.train - most.train % classes),
          val_samples.value_or(most.val - most.val % classes),
          test_samples.value_or(most_test - most_test % groups)};
}

void BiasedImagesOptions::validate() const {
  const FamilyDesign& chosen = design(family);
  const auto most_classes = static_cast<int64_t>(chosen.labels.size());
  if (classes < 2 || classes > most_classes) {
    throw OptionError("classes is " + std::to_string(classes) + ", expected 2 to " +
                      std::to_string(most_classes) + " of the family " + chosen.name);
  }
  if (unbiased_classes < 0 || unbiased_classes > classes) {
    throw OptionError("unbiased_classes is " + std::to_string(unbiased_classes) +
                      ", expected 0 to " + std::to_string(classes));
  }
  const SplitSizes samples = sizes();
  check_biased_samples(classes, correlation.value_or(independent(classes)), samples.train,
                       samples.val, samples.test);
  check_attribute_originals(*this, samples);
}

BiasedImages make_biased_images(const BiasedImagesOptions& options,
                                const std::filesystem::path& fashion_mnist) {
  options.validate();
  const FashionMnist training = read_fashion_mnist(fashion_mnist, "train");
  const FashionMnist test = read_fashion_mnist(fashion_mnist, "t10k");
  const auto& shape = design(options.family).shape;

  Random random(options.seed);
  const SplitSizes samples = options.sizes();
  BiasedImages data{{}, names_of(options)};
  Material for_training(options, training, random);
  data.splits.push_back(
      make_split("train", training_groups(samples.train, options), shape, for_training));
  data.splits.push_back(
      make_split("val", training_groups(samples.val, options), shape, for_training));
  Material for_test(options, test, random);
  auto every_group = biased_groups(samples.test, options.classes, independent(options.classes));
  data.splits.push_back(make_split("test", std::move(every_group), shape, for_test));
  return data;
}

void write_biased_images(const std::filesystem::path& folder, const BiasedImages& data) {
  make_folder(folder);
  data.names.write(folder);
  for (const ImageSplit& split : data.splits) {
    write_safetensors(folder / (split.name + ".safetensors"),
                      {{"inputs", split.images.to(at::kFloat).div_(127.5).sub_(1)},
                       {"labels", split.labels},
                       {"attributes", split.attributes}});
  }
}

}  // namespace neurontune::demo
