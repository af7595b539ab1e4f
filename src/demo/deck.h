#pragma once

#include <cstdint>
#include <vector>

#include "demo/fashion_mnist.h"
#include "demo/random.h"

namespace neurontune::demo {

/// The originals of one class, in random order, each given out once.
class Deck {
 public:
  Deck(const FashionMnist& data, Clothing clothing, Random& random);

  /// An original: its row in the data.
  /// @throws Error if all have been given out
  int64_t draw();

 private:
  std::vector<int64_t> originals_;
};

/// A deck for each class, shuffled in this order.
std::vector<Deck> make_decks(const FashionMnist& data, const std::vector<Clothing>& classes,
                             Random& random);

}  // namespace neurontune::demo
