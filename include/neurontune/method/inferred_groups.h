#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "neurontune/method/labelled_embeddings.h"
#include "neurontune/model/head.h"

namespace neurontune {

/// Settings of the estimation of an attribute that no one labelled.
struct InferredGroupsOptions {
  double confidence =
      0.9;  ///< first belief in the class that the ERM head predicts; over 1/C, below 1
  double smoothing = 2;    ///< added to each count of the prior, over 0
  double shrinkage = 0.1;  ///< of the covariance towards a multiple of the identity, over 0 up to 1
  int64_t iterations = 60;  ///< of expectation-maximisation at most, at least 1
  double tolerance = 1e-4;  ///< mean change of the beliefs that ends it, 0 or more

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// A model of embeddings with a class and an attribute of as many values, whose effects add up:
/// z | y, a ~ N(c_y + s_a, Σ), on embeddings scaled to mean 0 and deviation 1 in each dimension.
/// The attribute is what the ERM head takes for the class where it leans on a shortcut.
struct InferredGroups {
  at::Tensor mean, deviation;    ///< float64 [M], of the scaling
  at::Tensor class_effects;      ///< c, float64 [C, M]
  at::Tensor attribute_effects;  ///< s, float64 [C, M]
  at::Tensor discriminants;      ///< Σ⁻¹ sᵀ, float64 [M, C]
  at::Tensor log_prior;          ///< log p(a | y), float64 [C, C]; frozen at what ERM confuses
  int64_t iterations = 0;        ///< that were needed
  bool converged = false;        ///< whether the beliefs had stopped changing

  /// p(a | z, y), which uses the label: float64 [N, C] on the embeddings' device.
  /// @throws Error if shapes disagree or a label is out of range
  at::Tensor beliefs(const LabelledEmbeddings& data) const;
};

/// Fits the model by expectation-maximisation from the ERM head's predictions. It sees no
/// attributes. The prior stays at the head's confusions; the covariance is shared by all groups.
///
/// The same inputs, device and LibTorch build give the same bits, whatever the number of threads.
///
/// @param held_out data the head was not trained on, on any device
/// @param erm      the trained head, [C, M]
/// @throws Error if shapes disagree, a label is out of range, a value is not finite, or there are
///         fewer samples than classes
InferredGroups infer_groups(const LabelledEmbeddings& held_out, const Head& erm,
                            const InferredGroupsOptions& options = {});

}  // namespace neurontune
