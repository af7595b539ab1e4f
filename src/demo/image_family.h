#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "demo/fashion_mnist.h"
#include "demo/random.h"

namespace neurontune::demo {

/// How a spurious attribute gets into an image.
enum class Family {
  dominoes,  ///< a second photograph above the first
  textured,  ///< a striped background in two colours, stronger in some images than in others
  patch,     ///< a coloured square in a corner, clear in some images and faint in others
};

/// Paints images, one after another.
class Painter {
 public:
  virtual ~Painter() = default;

  /// @param object    uint8 [28, 28], the photograph that shows the label
  /// @param attribute of as many as there are classes
  /// @param image     uint8, the family's [channels, height, width]; all of it is painted
  virtual void paint(const uint8_t* object, int64_t attribute, uint8_t* image) = 0;
};

/// What the images of a family have in common.
struct FamilyDesign {
  Family family;
  const char* name;
  std::array<int64_t, 3> shape;         ///< channels, height, width of an image
  std::vector<Clothing> labels;         ///< C classes are the first C of these, the hardest first
  std::vector<std::string> attributes;  ///< as many, what they are called
};

const FamilyDesign& design(Family family);

/// @throws OptionError if there is no family of this name; the text lists those there are
Family parse_family(const std::string& name);

/// @param part    originals that are not used for anything else; must outlive the painter
/// @param classes how many attributes there are
/// @param random  which originals and colours are used; must outlive the painter
std::unique_ptr<Painter> make_painter(Family family, const FashionMnist& part, int64_t classes,
                                      Random& random);

}  // namespace neurontune::demo
