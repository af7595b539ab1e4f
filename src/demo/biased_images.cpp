#include "demo/biased_images.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "demo/biased_groups.h"
#include "demo/deck.h"
#include "io/file_io.h"
#include "neurontune/base/error.h"
#include "neurontune/io/safetensors.h"

namespace neurontune::demo {
namespace {

constexpr SplitSizes kFewClasses = {8000, 4000, 2000};
constexpr SplitSizes kManyClasses = {16000, 8000, 10000};
constexpr int64_t kMany = 5;

/// The fraction at which the attribute says nothing about the label.
double independent(int64_t classes) { return 1.0 / static_cast<double>(classes); }

std::vector<Group> groups_of_table(const std::vector<int64_t>& table, int64_t classes) {
  const auto values = static_cast<int64_t>(table.size()) / classes;
  std::vector<Group> groups;
  for (int64_t cell = 0; cell < classes * values; ++cell)
    groups.insert(groups.end(), static_cast<size_t>(table[static_cast<size_t>(cell)]),
                  {cell / values, cell % values});
  return groups;
}

/// The groups of each split's samples.
struct SplitGroups {
  std::vector<Group> train, val, test;
};

SplitGroups split_groups(const BiasedImagesOptions& options) {
  const int64_t classes = options.classes;
  if (options.groups)
    return {groups_of_table(options.groups->train, classes),
            groups_of_table(options.groups->val, classes),
            groups_of_table(options.groups->test, classes)};
  const SplitSizes sizes = options.sizes();
  const double share = options.correlation.value_or(independent(classes));
  return {biased_groups(sizes.train, classes, share, options.unbiased_classes),
          biased_groups(sizes.val, classes, share, options.unbiased_classes),
          biased_groups(sizes.test, classes, independent(classes))};
}

/// @param most originals of a class
void check_originals(const std::vector<Group>& groups, bool of_attributes, int64_t most,
                     const std::string& who) {
  std::vector<int64_t> counts;
  for (const auto [label, attribute] : groups) {
    const auto index = static_cast<size_t>(of_attributes ? attribute : label);
    if (counts.size() <= index) counts.resize(index + 1);
    ++counts[index];
  }
  if (const auto used = counts.empty() ? 0 : std::ranges::max(counts); used > most)
    throw OptionError(who + " ask for " + std::to_string(used) + " photographs of " +
                      (of_attributes ? "an attribute" : "a class") + ", expected at most " +
                      std::to_string(most));
}

/// No original is drawn twice; dominoes shows one for the attribute too.
void check_enough_originals(const BiasedImagesOptions& options) {
  auto groups = split_groups(options);
  groups.train.insert(groups.train.end(), groups.val.begin(), groups.val.end());
  const auto check = [&](bool of_attributes) {
    check_originals(groups.train, of_attributes, kTrainingOriginals,
                    "train_samples and val_samples");
    check_originals(groups.test, of_attributes, kTestOriginals, "test_samples");
  };
  if (options.groups) check(/*of_attributes=*/false);
  if (options.family == Family::dominoes) check(/*of_attributes=*/true);
}

void check_tables(const BiasedImagesOptions& options) {
  const auto cells = options.groups->train.size();
  const auto classes = static_cast<size_t>(options.classes);
  for (const auto* table : {&options.groups->train, &options.groups->val, &options.groups->test}) {
    if (table->size() != cells || cells % classes != 0 || cells == 0 || cells > classes * classes)
      throw OptionError("the groups of a split are " + std::to_string(table->size()) +
                        ", expected as many in each, a multiple of the " + std::to_string(classes) +
                        " classes and at most their square");
    if (std::ranges::min(*table) < 0) throw OptionError("a group has less than no sample");
  }
}

/// A fraction of the labels, each replaced by another class.
void make_wrong(double fraction_wrong, int64_t classes, Random& random, ImageSplit& split) {
  auto* label = split.labels.data_ptr<int64_t>();
  for (int64_t i = 0; fraction_wrong > 0 && i < split.labels.size(0); ++i)
    if (fraction(random) < fraction_wrong)
      label[i] =
          (label[i] + 1 + static_cast<int64_t>(below(random, static_cast<size_t>(classes - 1)))) %
          classes;
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
  const int64_t cells = classes * classes;
  const int64_t most_test = std::min(most.test, kTestOriginals * classes);
  return {train_samples.value_or(most.train - most.train % classes),
          val_samples.value_or(most.val - most.val % classes),
          test_samples.value_or(most_test - most_test % cells)};
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
  if (!(label_noise >= 0 && label_noise <= 1))
    throw OptionError("label_noise is " + std::to_string(label_noise) + ", expected 0 to 1");
  if (groups) {
    check_tables(*this);
  } else {
    const SplitSizes samples = sizes();
    check_biased_samples(classes, correlation.value_or(independent(classes)), samples.train,
                         samples.val, samples.test);
  }
  check_enough_originals(*this);
}

BiasedImages make_biased_images(const BiasedImagesOptions& options,
                                const std::filesystem::path& fashion_mnist) {
  options.validate();
  const FashionMnist training = read_fashion_mnist(fashion_mnist, "train");
  const FashionMnist test = read_fashion_mnist(fashion_mnist, "t10k");
  const auto& shape = design(options.family).shape;

  Random random(options.seed);
  auto groups = split_groups(options);
  BiasedImages data{{}, names_of(options)};
  Material for_training(options, training, random);
  data.splits.push_back(make_split("train", std::move(groups.train), shape, for_training));
  data.splits.push_back(make_split("val", std::move(groups.val), shape, for_training));
  Material for_test(options, test, random);
  data.splits.push_back(make_split("test", std::move(groups.test), shape, for_test));
  for (size_t i = 0; i < 2; ++i)
    make_wrong(options.label_noise, options.classes, random, data.splits[i]);
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
