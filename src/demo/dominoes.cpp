#include "demo/dominoes.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "demo/biased_groups.h"
#include "demo/deck.h"
#include "demo/random.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "neurontune/data/image.h"
#include "neurontune/data/names.h"

namespace neurontune::demo {
namespace {

const std::vector kLabels = {Clothing::pullover, Clothing::coat};    // the bottom half
const std::vector kAttributes = {Clothing::sneaker, Clothing::bag};  // the top half

struct Decks {
  std::vector<Deck> bottoms, tops;

  Decks(const FashionMnist& data, Random& random)
      : bottoms(make_decks(data, kLabels, random)), tops(make_decks(data, kAttributes, random)) {}
};

struct Domino {
  std::string file;
  int64_t label, attribute;
  int64_t bottom, top;  ///< originals
};

/// A split of `samples` images, half of each class, of which `correlation` agree in the attribute.
std::vector<Domino> make_split(const char* name, int64_t samples, double correlation, Decks& decks,
                               Random& random) {
  std::vector<Domino> dominoes;
  for (const auto [label, attribute] : biased_groups(samples, 2, correlation)) {
    dominoes.push_back({{},
                        label,
                        attribute,
                        decks.bottoms[static_cast<size_t>(label)].draw(),
                        decks.tops[static_cast<size_t>(attribute)].draw()});
  }
  shuffle(dominoes, random);
  for (size_t index = 0; index < dominoes.size(); ++index) {
    std::array<char, 48> file{};
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
  write_file(folder / "transform.json", json_text(transform, -1) + "\n");
}

}  // namespace

void DominoesOptions::validate() const {
  check_biased_samples(2, correlation, train_samples, val_samples, test_samples);
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
