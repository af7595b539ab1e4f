#include "neurontune/method/identification.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <utility>

#include "base/describe.h"
#include "core/split_checks.h"
#include "method/flagging.h"

namespace neurontune {
namespace {

/// Under this share of mistakes the identification split looks like data the model was trained on.
constexpr double kMemorised = 0.005;

std::string listed_numbers(const std::vector<int64_t>& numbers) {
  std::vector<std::string> texts;
  for (const auto number : numbers) texts.push_back(std::to_string(number));
  return listed(texts);
}

void warn_of_classes(const SpuriousnessScores& scores, std::vector<std::string>& warnings) {
  std::vector<int64_t> faultless, hopeless, absent;
  for (int64_t label = 0; label < scores.classes(); ++label) {
    const bool any_correct = scores.correct[label] > 0, any_wrong = scores.misclassified[label] > 0;
    if (!any_correct && !any_wrong) absent.push_back(label);
    if (any_correct && !any_wrong) faultless.push_back(label);
    if (!any_correct && any_wrong) hopeless.push_back(label);
  }
  const auto warn = [&](const std::vector<int64_t>& labels, const std::string& missing) {
    if (!labels.empty())
      warnings.push_back((labels.size() == 1 ? "class " : "classes ") + listed_numbers(labels) +
                         " cannot show biased dimensions: the identification split has no " +
                         missing + (labels.size() == 1 ? " of it" : " of them"));
  };
  warn(faultless, "mistake");
  warn(hopeless, "correct prediction");
  warn(absent, "sample");
}

void warn_of_predictions(const SpuriousnessScores& scores, const AccuracyMetrics& erm,
                         std::vector<std::string>& warnings) {
  if (1 - erm.mean_accuracy < kMemorised)
    warnings.push_back("the ERM head is wrong on only " + as_percent(1 - erm.mean_accuracy) +
                       " of the identification split; is it training data? use held-out data");
  warn_of_classes(scores, warnings);
}

void warn_of_flags(const BiasedDimensions& biased, std::vector<std::string>& warnings) {
  if (biased.keep_at_least_binds)
    warnings.push_back(
        "keep_at_least limits the mask: the threshold alone would flag more dimensions than the " +
        std::to_string(biased.count()) + " that are flagged");
  if (biased.count() == 0)
    warnings.emplace_back("no dimension is flagged as biased: there is nothing to mask");
}

}  // namespace

MistakeTestOptions test_options(const IdentificationOptions& options) {
  return {options.false_discovery_rate, options.strata, options.detectable_effect,
          options.activation};
}

std::optional<MistakeTest> asked_test(const LabelledEmbeddings& held_out, const RankedSplit& ranked,
                                      const Head& head, const IdentificationOptions& options) {
  if (options.significance == Significance::none) return std::nullopt;
  return test_mistakes(held_out, ranked, head, test_options(options));
}

Flags flag(const LabelledEmbeddings& held_out, const RankedSplit& ranked, const Head& head,
           const SpuriousnessScores& scores, const IdentificationOptions& options) {
  auto test = asked_test(held_out, ranked, head, options);
  if (!test) return {biased_dimensions(scores, options), {}};
  const bool plain = options.significance == Significance::plain;
  const auto& significant = (plain ? test->plain : test->given_margin).significant;
  return {biased_dimensions(scores, options, significant), std::move(test)};
}

Identification identify(const LabelledEmbeddings& held_out, const Head& head,
                        const IdentificationOptions& options) {
  options.validate();
  check_split(held_out, head, "the identification split");
  const c10::NoGradGuard no_grad;
  const auto data = checked(held_out);
  return identify(data, RankedSplit(data, head.classes(), options.activation), head, options);
}

Identification identify_nothing(const LabelledEmbeddings& held_out, const Head& head,
                                const IdentificationOptions& options) {
  const RankedSplit ranked(held_out, head.classes(), options.activation);
  auto found = judge(held_out, ranked, head);
  found.test = asked_test(held_out, ranked, head, options);
  const auto& scores = found.scores.scores;
  const auto mask = options.aggregate == Aggregate::per_class ? scores : scores[0];
  found.biased = {at::zeros_like(mask, at::kBool), at::ones_like(mask)};
  return found;
}

Identification judge(const LabelledEmbeddings& held_out, const RankedSplit& ranked,
                     const Head& head) {
  const auto predicted = predictions(head, held_out.embeddings);
  Identification result;
  result.accuracy = accuracy_metrics(predicted, held_out.labels, head.classes());
  result.scores = ranked.scores(predicted);
  result.sfit = spuriousness_fitness(result.scores);
  warn_of_predictions(result.scores, result.accuracy, result.warnings);
  return result;
}

void add_flags(const LabelledEmbeddings& held_out, const RankedSplit& ranked, const Head& head,
               const IdentificationOptions& options, Identification& result) {
  auto flags = flag(held_out, ranked, head, result.scores, options);
  result.biased = std::move(flags.biased);
  result.test = std::move(flags.test);
  warn_of_flags(result.biased, result.warnings);
}

Identification identify(const LabelledEmbeddings& held_out, const RankedSplit& ranked,
                        const Head& head, const IdentificationOptions& options) {
  auto result = judge(held_out, ranked, head);
  add_flags(held_out, ranked, head, options, result);
  return result;
}

}  // namespace neurontune
