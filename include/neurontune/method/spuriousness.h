#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "neurontune/export.h"
#include "neurontune/numerics/activation.h"

namespace neurontune {

/// How a dimension's scores for the classes are combined into one.
enum class Aggregate {
  union_,        ///< the largest: biased for any class
  intersection,  ///< the smallest: biased for every class
  mean,          ///< the mean
  per_class,     ///< none: each class keeps a mask of its own
};

/// Which test a dimension must pass besides the threshold; see test_mistakes.
enum class Significance {
  none,          ///< no test: every median difference counts
  plain,         ///< higher on mistakes than chance explains
  given_margin,  ///< also when compared with samples equally far from the decision boundary
};

/// Settings of the identification of biased dimensions.
struct NEURONTUNE_EXPORT IdentificationOptions {
  double threshold = 0;  ///< λ: biased where the score is over it; finite
  /// λ as a quantile of the aggregated scores, 0…1, instead of a value; per_class of each class's.
  std::optional<double> threshold_quantile;
  Aggregate aggregate = Aggregate::union_;  ///< over the usable classes
  Activation activation = Activation::raw;  ///< what of a neuron's output is scored
  /// Dimensions never flagged, those with the smallest scores: 0…M; none means max(C, M/16).
  std::optional<int64_t> keep_at_least;
  double mask_value = 0;  ///< what biased dimensions are multiplied by; 0…1
  /// Whether flagged dimensions must be significant, and by which test.
  Significance significance = Significance::none;
  double false_discovery_rate = 0.05;  ///< of that test, within a class; over 0, below 1
  int64_t strata = 5;  ///< quantiles of the distance from the boundary, of given_margin; at least 1
  /// The effect that a class without a significant dimension is said not to have, where it has
  /// samples enough to see one: over 0, up to 1.
  double detectable_effect = 0.5;

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// Per class and dimension, how much higher a neuron fires on the class's mistakes.
struct NEURONTUNE_EXPORT SpuriousnessScores {
  at::Tensor scores;                   ///< float [C, M]; the rows of unusable classes are 0
  at::Tensor median_correct;           ///< float [C, M]; NaN where a class has no correct sample
  at::Tensor median_misclassified;     ///< float [C, M]; NaN where a class has no mistake
  std::vector<int64_t> correct;        ///< [C] samples of each class predicted right
  std::vector<int64_t> misclassified;  ///< [C] and wrong

  int64_t classes() const { return scores.size(0); }        ///< C
  int64_t embedding_dim() const { return scores.size(1); }  ///< M
  /// Whether class `label` has both correct and misclassified samples.
  bool usable(int64_t label) const;
  /// Whether any class has.
  bool any_usable() const;
};

/// Scores each dimension of each class: the median over its misclassified samples less the median
/// over its correct ones (NeuronTune, arXiv 2505.24048, section 4.2.1). The median of an even count
/// is the mean of the two middle values.
///
/// @param embeddings  floating point [N, M], on any device; half types are computed in float32
/// @param labels      int64 [N], in 0…C−1, on the same device
/// @param predictions int64 [N], in 0…C−1, on the same device
/// @param classes     C, at least 1
/// @return on the embeddings' device, in float32, or float64 where the embeddings are
/// @throws Error if shapes disagree or a label or prediction is out of range
NEURONTUNE_EXPORT SpuriousnessScores spuriousness_scores(const at::Tensor& embeddings,
                                                         const at::Tensor& labels,
                                                         const at::Tensor& predictions,
                                                         int64_t classes,
                                                         Activation activation = Activation::raw);

/// The spuriousness fitness score: Σ abs(score) over classes and dimensions, summed in float64.
/// Unusable classes add 0; none at all where no class is usable.
NEURONTUNE_EXPORT std::optional<double> spuriousness_fitness(const SpuriousnessScores& scores);

/// The dimensions that are suppressed.
struct NEURONTUNE_EXPORT BiasedDimensions {
  at::Tensor biased;                 ///< bool [M]; under per_class [C, M]
  at::Tensor mask;                   ///< float of the same shape: `mask_value` where biased, else 1
  bool keep_at_least_binds = false;  ///< whether fewer are flagged than the threshold alone would

  /// Flagged dimensions; under per_class the flags of all classes together.
  int64_t count() const;
};

/// Flags the dimensions whose aggregated score is strictly over the threshold, but keeps the
/// `keep_at_least` of smallest score (of equal ones the lowest index).
///
/// @param significant bool [C, M], of the test that `options.significance` asks for: only the
/// scores
///                    where it is true are aggregated (a mean or an intersection needs all of
///                    them); undefined for no test
/// @return on the scores' device
/// @throws Error if no class is usable or, with a mask value and keep_at_least of 0, every
///         dimension is flagged
NEURONTUNE_EXPORT BiasedDimensions biased_dimensions(const SpuriousnessScores& scores,
                                                     const IdentificationOptions& options,
                                                     const at::Tensor& significant = {});

/// One score a dimension, over the usable classes: [M]; under per_class the scores, [C, M].
/// @throws Error if no class is usable
NEURONTUNE_EXPORT at::Tensor aggregated_scores(const SpuriousnessScores& scores,
                                               Aggregate aggregate);

NEURONTUNE_EXPORT const char* name(Activation activation);
NEURONTUNE_EXPORT const char* name(Aggregate aggregate);
NEURONTUNE_EXPORT const char* name(Significance significance);

}  // namespace neurontune
