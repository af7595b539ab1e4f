#include "data/presets.h"

namespace neurontune {
namespace presets {

// configs/data/*.json, embedded by the build.
extern const char metadata[];
extern const char waterbirds[];
extern const char celeba[];
extern const char celeba_metadata[];
extern const char multinli[];
extern const char civilcomments[];
extern const char subpopbench[];
extern const char imagenet9[];
extern const char imagenet9_backgrounds[];
extern const char nico[];
extern const char folders[];

}  // namespace presets

std::vector<std::pair<std::string, std::string>> manifest_presets() {
  return {{"metadata", presets::metadata},
          {"waterbirds", presets::waterbirds},
          {"celeba", presets::celeba},
          {"celeba-metadata", presets::celeba_metadata},
          {"multinli", presets::multinli},
          {"civilcomments", presets::civilcomments},
          {"subpopbench", presets::subpopbench},
          {"imagenet9", presets::imagenet9},
          {"imagenet9-backgrounds", presets::imagenet9_backgrounds},
          {"nico", presets::nico},
          {"folders", presets::folders}};
}

}  // namespace neurontune
