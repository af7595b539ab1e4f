#include "demo/image_family.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>

#include "demo/deck.h"
#include "demo/fashion_mnist.h"
#include "neurontune/base/error.h"

namespace neurontune::demo {
namespace {

constexpr int64_t kPixels = kSide * kSide;
constexpr int64_t kCanvas = 32;  // of a textured image
constexpr int64_t kChannels = 3;

using Colour = std::array<double, kChannels>;  // of 0…1

uint8_t to_byte(double brightness) {
  return static_cast<uint8_t>(std::floor(std::clamp(brightness, 0.0, 1.0) * 255 + 0.5));
}

/// From `least` up to `most`.
double between(double least, double most, Random& random) {
  return least + (most - least) * fraction(random);
}

/// The attribute's photograph above the label's.
class DominoPainter : public Painter {
 public:
  DominoPainter(const FashionMnist& part, const std::vector<Clothing>& attributes, Random& random)
      : originals_(part.images.const_data_ptr<uint8_t>()),
        decks_(make_decks(part, attributes, random)) {}

  void paint(const uint8_t* object, int64_t attribute, uint8_t* image) override {
    const int64_t top = decks_[static_cast<size_t>(attribute)].draw();
    image = std::copy_n(originals_ + top * kPixels, kPixels, image);
    std::copy_n(object, kPixels, image);
  }

 private:
  const uint8_t* originals_;
  std::vector<Deck> decks_;
};

const std::vector<Clothing> kDominoTops = {Clothing::sneaker, Clothing::bag, Clothing::trouser,
                                           Clothing::sandal};

/// Stripes of two colours.
struct Texture {
  const char* name;
  int64_t across, down;  ///< how far a step to the right, and one down, goes through the stripes
  Colour dark, light;
};

const std::vector<Texture> kTextures = {
    {"blue horizontal stripes", 0, 1, {0.10, 0.25, 0.55}, {0.45, 0.65, 0.95}},
    {"green vertical stripes", 1, 0, {0.10, 0.40, 0.15}, {0.55, 0.85, 0.45}},
    {"red rising stripes", 1, 1, {0.55, 0.15, 0.10}, {0.95, 0.55, 0.45}},
    {"yellow falling stripes", 1, -1, {0.50, 0.40, 0.05}, {0.95, 0.85, 0.35}}};

/// An object somewhere before a background that shows the texture more or less.
class TexturePainter : public Painter {
 public:
  explicit TexturePainter(Random& random) : random_(random) {}

  void paint(const uint8_t* object, int64_t attribute, uint8_t* image) override {
    paint_background(kTextures[static_cast<size_t>(attribute)]);
    paint_object(object);
    for (const Colour& pixel : canvas_) {
      const double noise = between(-kNoise, kNoise, random_);
      for (int64_t channel = 0; channel < kChannels; ++channel) {
        image[channel * kCanvas * kCanvas] = to_byte(pixel[static_cast<size_t>(channel)] + noise);
      }
      ++image;
    }
  }

 private:
  static constexpr double kNoise = 0.08;

  void paint_background(const Texture& texture) {
    const double visible = fraction(random_);
    const double strength = visible * visible;  // hardly there in every third image
    const double grey = between(0.15, 0.45, random_);
    const double period = between(4, 8, random_), start = between(0, period, random_);
    for (int64_t y = 0; y < kCanvas; ++y) {
      for (int64_t x = 0; x < kCanvas; ++x) {
        const double along =
            start + static_cast<double>(x * texture.across + y * texture.down + kCanvas);
        const double place = std::fmod(along, period) / period;
        const double wave = place < 0.5 ? 2 * place : 2 - 2 * place;
        Colour& pixel = canvas_[static_cast<size_t>(y * kCanvas + x)];
        for (size_t channel = 0; channel < pixel.size(); ++channel) {
          const double colour =
              texture.dark[channel] + wave * (texture.light[channel] - texture.dark[channel]);
          pixel[channel] = grey + strength * (colour - grey);
        }
      }
    }
  }

  void paint_object(const uint8_t* object) {
    const size_t room = kCanvas - kSide + 1;
    const auto left = static_cast<int64_t>(below(random_, room));
    const auto top = static_cast<int64_t>(below(random_, room));
    for (int64_t y = 0; y < kSide; ++y) {
      for (int64_t x = 0; x < kSide; ++x) {
        const double brightness = object[y * kSide + x] / 255.0;
        const double cover = std::min(1.0, 4 * brightness);  // garments are bright, edges smooth
        for (double& value : canvas_[static_cast<size_t>((top + y) * kCanvas + left + x)]) {
          value += cover * (brightness - value);
        }
      }
    }
  }

  Random& random_;
  std::array<Colour, kCanvas * kCanvas> canvas_{};
};

struct NamedColour {
  const char* name;
  Colour colour;
};

const std::vector<NamedColour> kPatches = {
    {"red", {0.9, 0.1, 0.1}},     {"blue", {0.1, 0.2, 0.9}},    {"green", {0.1, 0.7, 0.1}},
    {"yellow", {0.9, 0.9, 0.1}},  {"magenta", {0.9, 0.1, 0.9}}, {"cyan", {0.1, 0.9, 0.9}},
    {"orange", {1.0, 0.55, 0.1}}, {"violet", {0.5, 0.1, 0.8}},  {"brown", {0.5, 0.3, 0.1}},
    {"white", {1.0, 1.0, 1.0}}};

/// An object in grey, and over it, more or less opaque, a square of the attribute's colour in any
/// of the corners.
class PatchPainter : public Painter {
 public:
  explicit PatchPainter(Random& random) : random_(random) {}

  void paint(const uint8_t* object, int64_t attribute, uint8_t* image) override {
    const Colour& colour = kPatches[static_cast<size_t>(attribute)].colour;
    const double opacity = fraction(random_);
    const auto corner = below(random_, 4);
    const int64_t left = corner % 2 == 0 ? 0 : kSide - kPatch;
    const int64_t top = corner / 2 == 0 ? 0 : kSide - kPatch;
    for (const double value : colour) {
      std::copy_n(object, kPixels, image);
      for (int64_t y = top; y < top + kPatch; ++y) {
        for (int64_t x = left; x < left + kPatch; ++x) {
          const double under = image[y * kSide + x] / 255.0;
          image[y * kSide + x] = to_byte(under + opacity * (value - under));
        }
      }
      image += kPixels;
    }
  }

 private:
  static constexpr int64_t kPatch = 5;

  Random& random_;
};

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.emplace_back(one.name);
  return names;
}

std::vector<std::string> names_of(const std::vector<Clothing>& all) {
  std::vector<std::string> names;
  for (const Clothing clothing : all) names.emplace_back(name(clothing));
  return names;
}

const std::vector<FamilyDesign>& designs() {
  using enum Clothing;
  static const std::vector<FamilyDesign> all = {
      {Family::dominoes,
       "dominoes",
       {1, 2 * kSide, kSide},
       {pullover, coat, tshirt, dress},
       names_of(kDominoTops)},
      {Family::textured,
       "textured",
       {kChannels, kCanvas, kCanvas},
       {coat, dress, tshirt, trouser},
       names_of(kTextures)},
      {Family::patch,
       "patch",
       {kChannels, kSide, kSide},
       {pullover, coat, shirt, tshirt, dress, sneaker, ankle_boot, sandal, trouser, bag},
       names_of(kPatches)}};
  return all;
}

}  // namespace

const FamilyDesign& design(Family family) { return designs().at(static_cast<size_t>(family)); }

Family parse_family(const std::string& name) {
  for (const FamilyDesign& known : designs()) {
    if (name == known.name) return known.family;
  }
  throw OptionError("family is " + name + ", expected dominoes, textured or patch");
}

std::unique_ptr<Painter> make_painter(Family family, const FashionMnist& part, int64_t classes,
                                      Random& random) {
  switch (family) {
    case Family::textured:
      return std::make_unique<TexturePainter>(random);
    case Family::patch:
      return std::make_unique<PatchPainter>(random);
    default:
      return std::make_unique<DominoPainter>(
          part, std::vector(kDominoTops.begin(), kDominoTops.begin() + classes), random);
  }
}

}  // namespace neurontune::demo
