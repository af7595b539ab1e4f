#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/numerics/activation.h"

namespace neurontune {

/// Settings of the tests that tell dimensions that fire higher on mistakes from chance.
struct NEURONTUNE_EXPORT MistakeTestOptions {
  double false_discovery_rate = 0.05;  ///< of a class's significant dimensions; over 0, below 1
  int64_t strata = 5;                  ///< quantiles of the distance from the boundary, at least 1
  double detectable_effect = 0.5;      ///< that `Verdict::none` rules out; over 0, up to 1
  Activation activation = Activation::raw;  ///< what of a neuron's output is ranked

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What a class's tests say of all its dimensions together.
enum class Verdict {
  found,      ///< at least one dimension is significant
  none,       ///< none is, though an effect of `detectable_effect` would have been seen
  undecided,  ///< none is, and the class has too few mistakes or correct samples to tell
};

NEURONTUNE_EXPORT const char* name(Verdict verdict);

/// One null hypothesis, tested in every class and dimension against: the mistakes fire higher.
struct NullTest {
  at::Tensor p_values;  ///< float64 [C, M], one-sided; 1 where nothing can be compared
  /// float64 [C, M], in −1…1: the rank-biserial correlation 2U/(n₁n₂) − 1, the share of pairs whose
  /// mistake fires higher less the share whose correct sample does; 0 where there is no pair.
  at::Tensor effects;
  at::Tensor significant;  ///< bool [C, M], at `false_discovery_rate` within each class
  /// [C] the smallest effect that a class's counts would show; over 1 where not even the largest
  /// would, infinite where nothing can be compared.
  std::vector<double> minimal_effects;
  std::vector<Verdict> verdicts;  ///< [C]
};

/// Whether a class's mistakes fire higher than its correct samples, beyond chance.
struct MistakeTest {
  NullTest plain;                      ///< null: mistakes and correct samples fire alike
  NullTest given_margin;               ///< null: alike where they are as far from the boundary
  std::vector<int64_t> correct;        ///< [C] samples of each class predicted right
  std::vector<int64_t> misclassified;  ///< [C] and wrong
};

/// Tests in each class and dimension whether the misclassified samples fire higher than the correct
/// ones.
///
/// `plain` is the rank-sum test (Mann & Whitney 1947): midranks, the normal approximation with the
/// variance corrected for ties and a continuity correction. `given_margin` is the stratified one
/// (van Elteren 1960) over quantiles of abs(the label's logit less the largest other one) within
/// the class; each stratum with both kinds weighs 1/(n + 1), and nothing is corrected for
/// continuity. Its effect is the strata's mean, weighted by n₁n₂/(n + 1). `significant` is by
/// Benjamini & Hochberg (1995) over a class's dimensions.
///
/// The smallest effect that would be seen is that which the approximation finds with a power of 0.8
/// at false_discovery_rate / M, which one dimension alone passes whatever the others.
///
/// No attributes are seen. The samples are sorted on the embeddings' device, where their ranks take
/// about one and a half times the embeddings' memory in float32 (elsewhere than on the CPU twice),
/// and counted on the CPU, some columns at a time. The same
/// inputs, device and LibTorch build give the same bits, whatever the number of threads.
///
/// @param held_out data the head was not trained on, on any device
/// @param erm      the trained head, of one or several layers, on the same device
/// @return on the embeddings' device
/// @throws Error if shapes disagree, a label is out of range or a value is not finite; OptionError
///         for an option
NEURONTUNE_EXPORT MistakeTest test_mistakes(const LabelledEmbeddings& held_out, const Head& erm,
                                            const MistakeTestOptions& options = {});

}  // namespace neurontune
