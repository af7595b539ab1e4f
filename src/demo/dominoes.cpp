#include "demo/dominoes.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "data/file_io.h"
#include "neurontune/data/image.h"
#include "neurontune/data/names.h"
#include "neurontune/error.h"

namespace neurontune::demo {
namespace {

constexpr std::array kLabels = {Clothing::pullover, Clothing::coat};    // the bottom half
constexpr std::array kAttributes = {Clothing::sneaker, Clothing::bag};  // the top half
constexpr int64_t kMostTraining = 12000;  // 6000 originals of each class, each used once
constexpr int64_t kMostTest = 2000;

using Random = std::mt19937_64;

/// A number from 0 to `limit` − 1. Unlike the standard's distributions the same everywhere; its
/// bias is below 2⁻⁵⁰ for the limits here.
size_t below(Random& random, size_t limit) { return static_cast<size_t>(random() % limit); }

template <class T>
void shuffle(std::vector<T>& values, Random& random) {
  for (size_t last = values.size(); last > 1; --last) {
    std::swap(values[last - 1], values[below(random, last)]);
  }
}

/// The originals of one class, in random order, each given out once.
class Deck {
 public:
  Deck(const FashionMnist& data, Clothing clothing, Random& random) {
    const auto index = static_cast<int64_t>(clothing);
    const at::Tensor rows = data.labels.eq(index).nonzero().view(-1).contiguous();
    const int64_t* row = rows.const_data_ptr<int64_t>();
    originals_.assign(row, row + rows.size(0));
    shuffle(originals_, random);
  }

  int64_t draw() {
    if (originals_.empty()) throw Error("Fashion-MNIST has too few images of a class");
    const int64_t original = originals_.back();
    originals_.pop_back();
    return original;
  }

 private:
  std::vector<int64_t> originals_;
};

struct Decks {
  std::array<Deck, 2> bottoms, tops;

  Decks(const FashionMnist& data, Random& random)
      : bottoms{Deck(data, kLabels[0], random), Deck(data, kLabels[1], random)},
        tops{Deck(data, kAttributes[0], random), Deck(data, kAttributes[1], random)} {}
};

struct Domino {
  std::string file;
  int64_t label, attribute;
  int64_t bottom, top;  ///< originals
};

/// A split of `samples` images, half of each class, of which `correlation` agree in the attribute.
std::vector<Domino> make_split(const char* name, int64_t samples, double correlation, Decks& decks,
                               Random& random) {
  const int64_t of_class = samples / 2;
  const int64_t agreeing = std::llround(correlation * static_cast<double>(of_class));
  std::vector<Domino> dominoes;
  for (int64_t label = 0; label < 2; ++label) {
    for (int64_t index = 0; index < of_class; ++index) {
      const int64_t attribute = index < agreeing ? label : 1 - label;
      dominoes.push_back({{},
                          label,
                          attribute,
                          decks.bottoms[static_cast<size_t>(label)].draw(),
                          decks.tops[static_cast<size_t>(attribute)].draw()});
    }
  }
  shuffle(dominoes, random);
  for (size_t index = 0; index < dominoes.size(); ++index) {
    std::array<char, 32> file{};
    std::snprintf(file.data(), file.size(), "images/%s_%05zu.png", name, index);
    dominoes[index].file = file.data();
  }
  return dominoes;
}

void write_images(const std::filesystem::path& folder, const std::vector<Domino>& dominoes,
                  const at::Tensor& originals) {
  const at::ThreadLocalState state;
  at::parallel_for(0, static_cast<int64_t>(dominoes.size()), 1, [&](int64_t begin, int64_t end) {
    const at::ThreadLocalStateGuard guard(state);
    for (int64_t index = begin; index < end; ++index) {
      const Domino& domino = dominoes[static_cast<size_t>(index)];
      write_png(folder / domino.file, at::cat({originals[domino.top], originals[domino.bottom]}));
    }
  });
}

std::string manifest_rows(const char* split, const std::vector<Domino>& dominoes) {
  std::string rows;
  for (const Domino& domino : dominoes) {
    rows += domino.file + "," + std::to_string(domino.label) + "," + split + "," +
            std::to_string(domino.attribute) + "\n";
  }
  return rows;
}

void write_transform(const std::filesystem::path& folder) {
  const nlohmann::ordered_json transform = {{"channels", 1},
                                            {"resize", nlohmann::ordered_json::array()},
                                            {"crop", nlohmann::ordered_json::array()},
                                            {"mean", {0.5}},
                                            {"std", {0.5}}};
  write_file(folder / "transform.json", transform.dump() + "\n");
}

void check_samples(const char* name, int64_t samples, int64_t divisor, int64_t most) {
  if (samples < divisor || samples > most || samples % divisor != 0) {
    throw OptionError(std::string(name) + " is " + std::to_string(samples) +
                      ", expected a multiple of " + std::to_string(divisor) + " from " +
                      std::to_string(divisor) + " to " + std::to_string(most));
  }
}

}  // namespace

void DominoesOptions::validate() const {
  if (!(correlation >= 0 && correlation <= 1)) {
    throw OptionError("correlation is " + std::to_string(correlation) + ", expected 0 to 1");
  }
  check_samples("train_samples", train_samples, 2, kMostTraining - 2);
  check_samples("val_samples", val_samples, 2, kMostTraining - train_samples);
  check_samples("test_samples", test_samples, 4, kMostTest);
}

void write_dominoes(const std::filesystem::path& folder, const DominoesOptions& options,
                    const std::filesystem::path& fashion_mnist) {
  options.validate();
  const FashionMnist training = read_fashion_mnist(fashion_mnist, "train");
  const FashionMnist test = read_fashion_mnist(fashion_mnist, "t10k");
  make_folder(folder / "images");

  Random random(options.seed);
  std::string manifest = "img_filename,y,split,place\n";
  const auto write_split = [&](const char* name, int64_t samples, double correlation, Decks& decks,
                               const at::Tensor& originals) {
    const auto dominoes = make_split(name, samples, correlation, decks, random);
    write_images(folder, dominoes, originals);
    manifest += manifest_rows(name, dominoes);
  };
  Decks training_decks(training, random);
  write_split("train", options.train_samples, options.correlation, training_decks, training.images);
  write_split("val", options.val_samples, options.correlation, training_decks, training.images);
  Decks test_decks(test, random);
  write_split("test", options.test_samples, 0.5, test_decks, test.images);

  Names{{"pullover", "coat"}, {"sneaker", "bag"}}.write(folder);
  write_transform(folder);
  write_file(folder / "metadata.csv", manifest);
}

}  // namespace neurontune::demo
