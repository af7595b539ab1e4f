#include "report/html/advice.h"

#include <array>

namespace neurontune::html {
namespace {

/// A part of a warning, what to try, and the only criterion of which that holds, if there is one.
struct Advice {
  const char* part;
  const char* text;
  const char* criterion = nullptr;
};

constexpr std::array<Advice, 19> kAdvice = {{
    {"is it training data",
     "pass data that the model was not trained on to --identify: without mistakes there is nothing "
     "to learn from."},
    {"cannot show biased dimensions",
     "add held-out samples of these classes, or use --identify with a larger split."},
    {"keep_at_least limits",
     "lower --keep-at-least to mask more dimensions, or raise --threshold to flag fewer."},
    {"no dimension is flagged",
     "lower --threshold, or use --significance none. If the default recipe was used, the other "
     "candidates were still compared."},
    {"class-balanced accuracy",
     "see below whether the gain in the worst group is worth it; with a lower --max-drop a repair "
     "may cost less.",
     "inferred_groups"},
    {"class-balanced accuracy",
     "check below whether the gain in the worst group is worth it; recipe robust refuses repairs "
     "that cost more than --max-drop."},
    {"share samples",
     "use disjoint parts, such as --identify val:1/2 --tune val:2/2, or keep --tune train."},
    {"there is no split test",
     "add a split test of samples that neither the model nor the repair has seen."},
    {"infinite", "lower --learning-rate."},
    {"spuriousness fitness score",
     "use a larger identification split, in which the model makes mistakes."},
    {"NeuronTune is no candidate",
     "nothing, unless you want the paper's method: then use a larger identification split."},
    {"the head has", "export the model with the outputs that the data's labels are of."},
    {"is left out", "add the attributes to the data if you want this method in the comparison."},
    {"varies with the seed", "compare several seeds, or use a larger identification split."},
    {"could not be run", "see the reason; the other results are not affected."},
    {"passed over", "convert these files if they are samples."},
    {"holds no image", "check that the folder is complete."},
    {"did you mean", "rename the column or tensor if it is the attribute."},
    {"ended short of its minimum", "nothing at first; this head was judged like all others."},
}};

}  // namespace

std::string advice(const std::string& warning, const std::string& criterion) {
  for (const auto& [part, text, only] : kAdvice)
    if (warning.find(part) != std::string::npos && (only == nullptr || criterion == only))
      return text;
  return "";
}

}  // namespace neurontune::html
