#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"

namespace neurontune {

/// Settings of the estimation of an attribute that nobody labelled.
struct NEURONTUNE_EXPORT InferredGroupsOptions {
  double confidence = 0.9;  ///< first belief in the value that the evidence names; over 0, below 1
  double smoothing = 2;     ///< added to each count of evidence, over 0
  /// Of the classes' rates of evidence for another value, the quantile that the prior takes: 0
  /// to 1.
  double error_quantile = 0.25;
  /// Of the covariance, over 0 to 1: towards the identity times the mean variance in the classes.
  double shrinkage = 0.1;
  int64_t rounds = 3;        ///< of expectation-maximisation, 1 to 1000
  double group_samples = 5;  ///< groups much larger than this count alike; over 0

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// A model of embeddings with a class and an attribute of as many values, whose effects add up:
/// z | y, a ~ N(c_y + s_a, Σ), on embeddings scaled to mean 0 and deviation 1 in each dimension.
/// The attribute is what the ERM head takes for the class where it leans on a shortcut.
struct NEURONTUNE_EXPORT InferredGroups {
  at::Tensor mean;               ///< float64 [M], of the scaling
  at::Tensor deviation;          ///< float64 [M], of the scaling
  at::Tensor class_effects;      ///< c, float64 [C, M]
  at::Tensor attribute_effects;  ///< s, float64 [C, M]
  at::Tensor discriminants;      ///< Σ⁻¹ sᵀ, float64 [M, C]
  at::Tensor log_prior;          ///< log p(a | y), float64 [C, C]; frozen at what the evidence says
  /// Added to it, so that no value but the class's own is likelier than it on average over the
  /// class's samples: float64 [C, C], at most 0.
  at::Tensor calibration;

  /// p(a | z, y), which uses the label: float64 [N, C] on the embeddings' device.
  /// @throws Error if shapes disagree or a label is out of range
  at::Tensor beliefs(const LabelledEmbeddings& data) const;

  /// How the attribute moves embeddings, not scaled: the effects of its values from their mean,
  /// float64 [C, M].
  at::Tensor effects() const;

  /// The Mahalanobis distances √((s_a − s_b)ᵀ Σ⁻¹ (s_a − s_b)) of the attribute's values, in
  /// standard deviations: float64 [C, C]. Beliefs that cut overlapping values apart make them
  /// larger than those of the values themselves.
  at::Tensor distances() const;
};

/// Fits the model from what the evidence says of each sample. It sees no attributes.
///
/// Each round estimates the effects by least squares of z on the label and the beliefs in a, each
/// sample weighted by the sum over a of its belief divided by (the group's samples +
/// group_samples), so that groups count about alike however rare; then Σ from what the effects
/// leave over; then the beliefs.
///
/// A prediction of another class has one of two causes: the sample has the attribute of that class,
/// or it is merely hard. The prior assumes that every class has samples with another attribute
/// equally often, and all other attributes equally often among them: its rate is a low quantile of
/// the classes' rates of such predictions. Beliefs that exceed the prior on average are lowered,
/// since they would otherwise follow any clusters that the embeddings have. There are few rounds
/// for the same reason.
///
/// The same inputs, device and LibTorch build give the same bits, whatever the number of threads.
///
/// @param held_out data the head was not trained on, on any device
/// @param evidence int64 [N], in 0…C−1, on the same device: the value that is observed in a
///                 sample, usually the ERM head's prediction
/// @param classes  C, at least 2
/// @throws Error if shapes disagree, a label is out of range, a value is not finite, or the
///         embeddings do not vary within the classes
NEURONTUNE_EXPORT InferredGroups infer_groups(const LabelledEmbeddings& held_out,
                                              const at::Tensor& evidence, int64_t classes,
                                              const InferredGroupsOptions& options = {});

}  // namespace neurontune
