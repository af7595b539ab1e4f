#include "demo/deck.h"

#include <ATen/ATen.h>

#include <string>

#include "neurontune/base/error.h"

namespace neurontune::demo {

Deck::Deck(const FashionMnist& data, Clothing clothing, Random& random) {
  const auto index = static_cast<int64_t>(clothing);
  const at::Tensor rows = data.labels.eq(index).nonzero().view(-1).contiguous();
  const int64_t* row = rows.const_data_ptr<int64_t>();
  originals_.assign(row, row + rows.size(0));
  shuffle(originals_, random);
}

int64_t Deck::draw() {
  if (originals_.empty()) throw Error("Fashion-MNIST has too few images of a class");
  const int64_t original = originals_.back();
  originals_.pop_back();
  return original;
}

std::vector<Deck> make_decks(const FashionMnist& data, const std::vector<Clothing>& classes,
                             Random& random) {
  std::vector<Deck> decks;
  for (const Clothing clothing : classes) decks.emplace_back(data, clothing, random);
  return decks;
}

}  // namespace neurontune::demo
