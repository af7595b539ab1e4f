#include "neurontune/method/mistake_test.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/option_checks.h"
#include "core/split_checks.h"
#include "method/flagging.h"
#include "method/ranked_split.h"

namespace neurontune {
namespace {

constexpr double kPower = 0.8;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Counts over the values of some samples, which come in rising order.
template <typename Scalar>
class RankSum {
 public:
  void add(Scalar value, bool mistake) {
    if (value != tied_value_) close_tie();
    tied_value_ = value;
    (mistake ? tied_mistakes_ : tied_correct_) += 1;
  }

  /// To be called after the last value too.
  void close_tie() {
    const double tied = tied_mistakes_ + tied_correct_;
    wins_ += tied_mistakes_ * (correct_ + tied_correct_ / 2);
    cubes_ += tied * tied * tied;
    mistakes_ += tied_mistakes_;
    correct_ += tied_correct_;
    tied_mistakes_ = tied_correct_ = 0;
  }

  double samples() const { return mistakes_ + correct_; }
  double pairs() const { return mistakes_ * correct_; }
  /// U less its mean: the pairs whose mistake is higher, a tie half, less half the pairs.
  double excess() const { return wins_ - pairs() / 2; }
  /// Of U where both kinds are alike; of at least two samples.
  double variance() const {
    const double n = samples();
    return pairs() / 12 * ((n * n * n - cubes_) / (n * (n - 1)));
  }

 private:
  Scalar tied_value_ = 0;
  double tied_mistakes_ = 0, tied_correct_ = 0, mistakes_ = 0, correct_ = 0;
  double wins_ = 0;   ///< U
  double cubes_ = 0;  ///< Σ t³ over the ties' sizes, of which untied values are those of 1
};

/// The strata's rank sums together, each weighed by 1/(n + 1), which is locally best.
struct VanElteren {
  double excess = 0, variance = 0, correction = 0;
  double comparable = 0;  ///< Σ n₁n₂/(n + 1)

  template <typename Scalar>
  void add(const RankSum<Scalar>& stratum, double continuity) {
    if (stratum.pairs() == 0) return;
    const double weight = 1 / (stratum.samples() + 1);
    excess += weight * stratum.excess();
    variance += weight * weight * stratum.variance();
    comparable += weight * stratum.pairs();
    correction += weight * continuity;
  }

  double effect() const { return comparable > 0 ? 2 * excess / comparable : 0; }
  double p_value() const {
    if (variance <= 0) return 1;  // a constant column, or nothing to compare
    return std::erfc((excess - correction) / std::sqrt(2 * variance)) / 2;
  }
};

/// A class's samples. A stratum holds those that are compared with each other.
struct ClassSamples {
  at::Tensor mistakes;  ///< bool [n]
  at::Tensor strata;    ///< int64 [n], in 0…`strata_count`−1
  int64_t strata_count = 0;
};

struct ColumnTests {
  VanElteren plain, given_margin;
};

/// @param values  of the class's samples in one dimension, rising
/// @param order   whose they are
template <typename Scalar>
ColumnTests test_column(const Scalar* values, const int32_t* order, const ClassSamples& samples) {
  const auto* const mistakes = samples.mistakes.const_data_ptr<bool>();
  const auto* const strata = samples.strata.const_data_ptr<int64_t>();
  RankSum<Scalar> whole;
  std::vector<RankSum<Scalar>> parts(samples.strata_count);
  for (int64_t rank = 0; rank < samples.mistakes.numel(); ++rank) {
    const auto sample = order[rank];
    whole.add(values[rank], mistakes[sample]);
    parts[strata[sample]].add(values[rank], mistakes[sample]);
  }
  whole.close_tie();
  ColumnTests tests;
  tests.plain.add(whole, /*continuity=*/0.5);
  for (auto& part : parts) {
    part.close_tie();
    tests.given_margin.add(part, /*continuity=*/0);
  }
  return tests;
}

double normal_quantile(double probability) {
  return at::special_ndtri(at::scalar_tensor(probability, at::kDouble)).item<double>();
}

/// The effect r that is found with power 1 − β at level α: with A = Σ n₁n₂/(n + 1) and no ties the
/// statistic has mean r A/2 and variance A/12, so r = (z_α + z_β)/√(3A).
double minimal_effect(double comparable, double level) {
  const double deviations = std::max(0.0, normal_quantile(kPower) - normal_quantile(level));
  return comparable > 0 ? deviations / std::sqrt(3 * comparable) : kInfinity;
}

/// Writes into row `label` what every dimension says of the class, and the class's minimal effects.
void test_class(const RankedSplit& ranked, const ClassSamples& samples, int64_t label, double level,
                MistakeTest& result) {
  const auto write = [&](NullTest& test, int64_t column, const VanElteren& statistic) {
    const int64_t place = label * ranked.dimensions() + column;
    test.p_values.mutable_data_ptr<double>()[place] = statistic.p_value();
    test.effects.mutable_data_ptr<double>()[place] = statistic.effect();
    // Every column compares as many.
    if (column == 0) test.minimal_effects[label] = minimal_effect(statistic.comparable, level);
  };
  ranked.for_each_column(label, [&](int64_t column, const RankedColumns::Order& order) {
    AT_DISPATCH_FLOATING_TYPES_AND2(
        at::kHalf, at::kBFloat16, order.values.scalar_type(), "test_column", [&] {
          const auto tests = test_column(order.values.const_data_ptr<scalar_t>(),
                                         order.samples.const_data_ptr<int32_t>(), samples);
          write(result.plain, column, tests.plain);
          write(result.given_margin, column, tests.given_margin);
        });
  });
}

/// How far each sample is from where its label would win, or lose: float64 [N].
at::Tensor boundary_distance(const at::Tensor& outputs, const at::Tensor& labels) {
  const auto of_label = labels.unsqueeze(1);
  const auto others = outputs.scatter(1, of_label, -kInfinity);
  return (outputs.gather(1, of_label).squeeze(1) - others.amax(1)).abs();
}

/// The quantile of each value: int64 [n], in 0…strata−1; equal values share theirs.
at::Tensor quantile_strata(const at::Tensor& values, int64_t strata) {
  const auto sorted = std::get<0>(values.sort());
  std::vector<int64_t> places;
  for (int64_t k = 1; k < strata; ++k) places.push_back(k * values.numel() / strata);
  const auto bounds = sorted.index_select(0, at::tensor(places, at::kLong));
  return at::searchsorted(bounds, values, /*out_int32=*/false, /*right=*/true);
}

/// Significant p values of each row, by Benjamini and Hochberg: those up to the largest that is, as
/// the k-th smallest of M, at most k/M of the rate.
at::Tensor discoveries(const at::Tensor& p_values, double rate) {
  const int64_t dims = p_values.size(1);
  const auto sorted = std::get<0>(p_values.sort(1));
  const auto limits =
      at::arange(1, dims + 1, p_values.options()) * (rate / static_cast<double>(dims));
  return p_values.le(sorted.masked_fill(sorted.gt(limits), -1).amax(1, /*keepdim=*/true));
}

NullTest untested(int64_t classes, int64_t dims) {
  NullTest test;
  test.p_values = at::ones({classes, dims}, at::kDouble);
  test.effects = at::zeros({classes, dims}, at::kDouble);
  test.minimal_effects.assign(classes, kInfinity);
  return test;
}

/// Discoveries and verdicts from the p values, moved to `device`.
void conclude(NullTest& test, const MistakeTestOptions& options, at::Device device) {
  test.significant = discoveries(test.p_values, options.false_discovery_rate);
  for (int64_t label = 0; label < test.significant.size(0); ++label) {
    const bool detectable = test.minimal_effects[label] <= options.detectable_effect;
    test.verdicts.push_back(test.significant[label].any().item<bool>() ? Verdict::found
                            : detectable                               ? Verdict::none
                                                                       : Verdict::undecided);
  }
  for (auto* tensor : {&test.p_values, &test.effects, &test.significant})
    *tensor = tensor->to(device);
}

}  // namespace

const char* name(Verdict verdict) {
  switch (verdict) {
    case Verdict::found:
      return "found";
    case Verdict::none:
      return "none";
    case Verdict::undecided:
      return "undecided";
  }
  return "";
}

void MistakeTestOptions::validate() const {
  check_number("false_discovery_rate", false_discovery_rate,
               false_discovery_rate > 0 && false_discovery_rate < 1, "over 0, below 1");
  check_at_least("strata", strata, 1);
  check_number("detectable_effect", detectable_effect,
               detectable_effect > 0 && detectable_effect <= 1, "over 0, up to 1");
}

MistakeTest test_mistakes(const LabelledEmbeddings& held_out, const Head& erm,
                          const MistakeTestOptions& options) {
  options.validate();
  check_split(held_out, erm, "the held-out split");
  const c10::NoGradGuard no_grad;
  const auto data = checked(held_out);
  const RankedSplit ranked(data, erm.classes(), options.activation);
  return test_mistakes(data, ranked, erm, options);
}

MistakeTest test_mistakes(const LabelledEmbeddings& held_out, const RankedSplit& ranked,
                          const Head& erm, const MistakeTestOptions& options) {
  const int64_t dims = held_out.embeddings.size(1);
  const auto outputs = logits(erm, held_out.embeddings).cpu().to(at::kDouble);
  const auto labels = held_out.labels.cpu();
  const auto wrong = outputs.argmax(1).ne(labels);
  const auto distance = boundary_distance(outputs, labels);
  const double level = options.false_discovery_rate / static_cast<double>(dims);

  MistakeTest result;
  result.plain = untested(erm.classes(), dims);
  result.given_margin = untested(erm.classes(), dims);
  for (int64_t label = 0; label < erm.classes(); ++label) {
    const auto rows = ranked.rows(label).cpu();
    const auto mistakes = wrong.index_select(0, rows);
    result.misclassified.push_back(mistakes.sum().item<int64_t>());
    result.correct.push_back(rows.numel() - result.misclassified.back());
    if (result.misclassified.back() == 0 || result.correct.back() == 0) continue;

    const int64_t strata = std::min(options.strata, rows.numel());
    const auto stratum = quantile_strata(distance.index_select(0, rows), strata);
    test_class(ranked, {mistakes, stratum, strata}, label, level, result);
  }
  conclude(result.plain, options, held_out.embeddings.device());
  conclude(result.given_margin, options, held_out.embeddings.device());
  return result;
}

}  // namespace neurontune
