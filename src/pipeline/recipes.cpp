#include "pipeline/recipes.h"

#include <utility>
#include <vector>

#include "base/describe.h"
#include "neurontune/base/error.h"
#include "neurontune/pipeline/config.h"

namespace neurontune {
namespace recipes {

// configs/recipes/*.json, embedded by the build.
extern const char guarded[];
extern const char paper[];
extern const char robust[];

}  // namespace recipes

namespace {

std::vector<std::pair<std::string, const char*>> all() {
  return {{"robust", recipes::robust}, {"guarded", recipes::guarded}, {"paper", recipes::paper}};
}

}  // namespace

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const auto& [name, text] : all()) names.push_back(name);
  return names;
}

std::string recipe_text(const std::string& name) {
  for (const auto& [candidate, text] : all())
    if (candidate == name) return text;
  const auto known = recipe_names();
  throw OptionError("recipe is " + name + ", expected one of " + listed(known, known.size()));
}

}  // namespace neurontune
