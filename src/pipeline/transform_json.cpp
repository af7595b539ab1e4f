#include "pipeline/transform_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "base/describe.h"
#include "base/edit_distance.h"
#include "base/lower_case.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;
using Keys = std::vector<std::string>;

/// A JSON object in which null is as good as absent, with messages that name the source and key.
class Object {
 public:
  Object(std::string source, const Json& json) : source_(std::move(source)), json_(json) {}

  bool has(const std::string& key) const { return json_.contains(key) && !json_.at(key).is_null(); }
  bool has_any(const Keys& keys) const {
    return std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return has(key); });
  }

  const Json& at(const std::string& key) const {
    if (!has(key)) throw OptionError(source_ + ": " + key + " is missing");
    return json_.at(key);
  }

  bool flag(const std::string& key, bool otherwise) const {
    if (!has(key)) return otherwise;
    if (!at(key).is_boolean()) refuse(key, "true or false");
    return at(key).get<bool>();
  }

  double number(const std::string& key, double otherwise) const {
    if (!has(key)) return otherwise;
    if (!at(key).is_number()) refuse(key, "a number");
    return at(key).get<double>();
  }

  int64_t side(const std::string& key) const {
    const bool valid = at(key).is_number_integer() && at(key).get<int64_t>() > 0;
    if (!valid) refuse(key, "a whole number over 0");
    return at(key).get<int64_t>();
  }

  /// The numbers of a list.
  std::vector<int64_t> sides(const std::string& key, size_t count) const {
    bool valid = at(key).is_array() && at(key).size() == count;
    for (const Json& side : at(key)) {
      valid = valid && side.is_number_integer() && side.get<int64_t>() > 0;
    }
    if (!valid) refuse(key, "a list of " + std::to_string(count) + " whole numbers over 0");
    return at(key).get<std::vector<int64_t>>();
  }

  Object object(const std::string& key) const {
    if (!at(key).is_object()) refuse(key, "an object");
    return {source_ + ": " + key, at(key)};
  }

  void expect_known(const Keys& known) const {
    for (const auto& [key, value] : json_.items()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      throw OptionError(source_ + ": unknown key " + key + nearest_known(key, known));
    }
  }

  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const {
    throw OptionError(source_ + ": " + key + " is " + shown_json(at(key)) + ", expected " +
                      expected);
  }

 private:
  std::string source_;
  const Json& json_;
};

/// A filter by its name in any case, or its number in Pillow.
std::string interpolation_of(const Object& json, const std::string& key) {
  static const std::array<const char*, 6> by_number = {"nearest", "lanczos", "bilinear",
                                                       "bicubic", "box",     "hamming"};
  const Json& value = json.at(key);
  if (value.is_number_unsigned() && value.get<size_t>() < by_number.size()) {
    return by_number[value.get<size_t>()];
  }
  auto name = in_lower_case(value.is_string() ? value.get<std::string>() : "");
  if (std::find(by_number.begin(), by_number.end(), name) == by_number.end()) {
    json.refuse(key,
                "nearest, bilinear, bicubic, lanczos, box, hamming or their numbers in Pillow");
  }
  return name;
}

// --- timm ----------------------------------------------------------------------------------------

const Keys kTimmMarks = {"input_size", "crop_pct", "crop_mode"};

int64_t scaled(int64_t side, double fraction) {
  return static_cast<int64_t>(std::floor(static_cast<double>(side) / fraction));
}

/// timm.data.transforms_imagenet_eval.
Json timm_transform(const Object& json, const ImageTransform& base) {
  json.expect_known(
      {"input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode", "crop", "channels"});
  Json own;
  for (const char* key : {"channels", "crop", "mean", "std"}) {
    if (json.has(key)) own[key] = json.at(key);
  }
  if (json.has("interpolation")) own["interpolation"] = interpolation_of(json, "interpolation");
  std::vector<int64_t> crop = base.crop;
  if (json.has("input_size")) {
    if (json.has("crop")) json.refuse("crop", "input_size or crop, not both");
    const auto size = json.sides("input_size", 3);  // C, H, W
    own["channels"] = size[0];
    own["crop"] = crop = {size[1], size[2]};
  } else if (json.has("crop")) {
    crop = json.sides("crop", json.at("crop").size() == 2 ? 2 : 1);
  }
  if (crop.empty()) json.at("input_size");
  const double fraction = json.number("crop_pct", 0.875);
  if (!(fraction > 0 && fraction <= 1)) json.refuse("crop_pct", "over 0 to 1");
  const bool squash = json.has("crop_mode") && json.at("crop_mode") == "squash";
  if (!squash && json.has("crop_mode") && json.at("crop_mode") != "center") {
    json.refuse("crop_mode", "center or squash");
  }
  const int64_t height = scaled(crop.front(), fraction), width = scaled(crop.back(), fraction);
  if (!squash && height != width) {
    json.refuse(json.has("input_size") ? "input_size" : "crop", "a square, or crop_mode squash");
  }
  own["resize"] = squash ? Json{height, width} : Json::array({height});
  return own;
}

// --- Hugging Face --------------------------------------------------------------------------------

const Keys kHuggingFaceMarks = {"image_processor_type",
                                "feature_extractor_type",
                                "processor_class",
                                "do_resize",
                                "size",
                                "resample",
                                "do_center_crop",
                                "crop_size",
                                "do_rescale",
                                "rescale_factor",
                                "do_normalize",
                                "image_mean",
                                "image_std",
                                "do_convert_rgb"};

/// Keys that name no step of an image's, or one that is not taken: of a value other than false or
/// null they are refused.
const Keys kUntaken = {"do_flip_channel_order", "do_reduce_labels",    "do_pad", "pad_size",
                       "input_data_format",     "return_tensors",      "device", "size_divisor",
                       "disable_grouping",      "do_convert_grayscale"};

/// What is not in the file but in the processor's class.
struct Processor {
  const char* name;  ///< before ImageProcessor or FeatureExtractor
  bool square;       ///< whether a size of one number is both sides, else the short one
};

constexpr std::array kProcessors = {
    Processor{"ViT", true},       Processor{"DeiT", true},         Processor{"Beit", true},
    Processor{"Siglip", true},    Processor{"CLIP", false},        Processor{"Bit", false},
    Processor{"ConvNext", false}, Processor{"MobileNetV1", false}, Processor{"MobileNetV2", false}};

std::optional<Processor> processor_of(const Object& json) {
  const std::string key =
      json.has("image_processor_type") ? "image_processor_type" : "feature_extractor_type";
  if (!json.has(key)) return std::nullopt;
  const std::string type = json.at(key).is_string() ? json.at(key).get<std::string>() : "";
  Keys known;
  for (const Processor& processor : kProcessors) {
    const std::string name = processor.name;
    for (const char* end : {"ImageProcessor", "ImageProcessorFast", "FeatureExtractor"}) {
      if (type == name + end) return processor;
    }
    known.push_back(name);
  }
  json.refuse(key, "the ImageProcessor of " + listed(known, known.size()) +
                       "; write resize, crop, … instead");
}

std::vector<int64_t> height_and_width(const Object& size) {
  size.expect_known({"height", "width"});
  return {size.side("height"), size.side("width")};
}

std::vector<int64_t> resize_of(const Object& json, const std::optional<Processor>& processor) {
  if (json.at("size").is_object()) {
    const Object size = json.object("size");
    if (!size.has("shortest_edge")) return height_and_width(size);
    size.expect_known({"shortest_edge"});
    return {size.side("shortest_edge")};
  }
  const int64_t side = json.side("size");
  if (!processor) json.refuse("size", R"({"shortest_edge": S} or {"height": H, "width": W})");
  return processor->square ? std::vector{side, side} : std::vector{side};
}

std::vector<int64_t> crop_of(const Object& json) {
  if (!json.at("crop_size").is_object()) return {json.side("crop_size")};
  return height_and_width(json.object("crop_size"));
}

/// ConvNeXt's resizes small images further, to crop them, and large ones to the very size.
void apply_crop_pct(const Object& json, Json& own) {
  const double fraction = json.number("crop_pct", 224.0 / 256);
  if (!(fraction > 0 && fraction <= 1)) json.refuse("crop_pct", "over 0 to 1");
  const auto side = own["resize"][0].get<int64_t>();
  own["resize"] = side < 384 ? Json::array({scaled(side, fraction)}) : Json{side, side};
  own["crop"] = side < 384 ? Json::array({side}) : Json::array();
}

Json hugging_face_transform(const Object& json) {
  Keys known = kHuggingFaceMarks;
  known.insert(known.end(), {"crop_pct", "data_format"});
  known.insert(known.end(), kUntaken.begin(), kUntaken.end());
  json.expect_known(known);
  for (const auto& key : kUntaken) {
    if (json.has(key) && json.at(key) != false) json.refuse(key, "false or null");
  }
  if (json.has("data_format") && json.at("data_format") != "channels_first") {
    json.refuse("data_format", "channels_first");
  }
  const auto processor = processor_of(json);
  const bool convnext = processor && processor->name == std::string("ConvNext");
  if (json.has("crop_pct") && !convnext)
    json.refuse("crop_pct", "none but of a ConvNext processor");

  Json own = {{"channels", 3}, {"resize", Json::array()}, {"crop", Json::array()}};
  if (json.flag("do_resize", json.has("size"))) {
    own["resize"] = resize_of(json, processor);
    own["interpolation"] = interpolation_of(json, "resample");
    if (convnext) apply_crop_pct(json, own);
  }
  if (json.flag("do_center_crop", json.has("crop_size"))) own["crop"] = crop_of(json);

  constexpr double kByte = 1.0 / 255;
  if (!json.flag("do_rescale", true)) json.refuse("do_rescale", "true");
  if (std::abs(json.number("rescale_factor", kByte) - kByte) > 1e-6 * kByte) {
    json.refuse("rescale_factor", "1/255 = 0.00392156862745098");
  }
  const bool normalised = json.flag("do_normalize", true);
  own["mean"] = normalised ? json.at("image_mean") : Json::array({0});
  own["std"] = normalised ? json.at("image_std") : Json::array({1});
  return own;
}

}  // namespace

Json own_transform(const std::string& source, const Json& json, const ImageTransform& base) {
  const Object object(source, json);
  if (object.has_any(kHuggingFaceMarks)) return hugging_face_transform(object);
  if (object.has_any(kTimmMarks)) return timm_transform(object, base);
  Json own = json;
  if (object.has("interpolation")) own["interpolation"] = interpolation_of(object, "interpolation");
  return own;
}

}  // namespace neurontune
