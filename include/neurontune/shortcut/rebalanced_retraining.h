#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/numerics/curvature.h"
#include "neurontune/shortcut/inferred_groups.h"

namespace neurontune {

/// Settings of the retraining on rebalanced groups.
struct NEURONTUNE_EXPORT RebalancingOptions {
  double penalty = 1e-2;     ///< λ of λ/2 ∥W∥², on dimensions of deviation 1; over 0
  int64_t iterations = 100;  ///< of L-BFGS at most, at least 1
  double tolerance = 1e-4;   ///< largest component of the gradient that ends it, over 0
  /// μ of μ/2 Σ ∥W s∥² over the effects s: what it costs if an attribute moves the logits; 0 or
  /// more
  double attribute_penalty = 0.1;

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// What each sample weighs where all classes are to count alike, and within a class all values of
/// the attribute: Σ_a p(a) / (samples of (y, a)) over the number of groups. A group of less than
/// one sample counts as much of a group as it has of a sample.
///
/// @param labels  int64 [N], in 0…C−1
/// @param beliefs floating [N, A], the rows sum to 1; on the same device
/// @return float64 [N]
NEURONTUNE_EXPORT at::Tensor rebalancing_weights(const at::Tensor& labels,
                                                 const at::Tensor& beliefs, int64_t classes);

/// The same of what inferred groups believe of samples.
/// @throws Error as `InferredGroups::beliefs` does
NEURONTUNE_EXPORT at::Tensor rebalancing_weights(const LabelledEmbeddings& data,
                                                 const InferredGroups& groups);

/// Fits a linear head anew: the L2-penalised softmax regression of weighted samples, behind a mask,
/// that may be kept from following an attribute. It has one minimum, which does not depend on where
/// it starts: no batches, no seed. The penalty is on W of dimensions scaled to deviation 1, the
/// bias is free.
///
/// The same inputs, device and LibTorch build give the same bits, whatever the number of threads.
class NEURONTUNE_EXPORT RebalancedRetrainer {
 public:
  /// @param tuning on any device
  /// @param like   a linear head [C, M]: results have a bias where it has one, and its dtype
  /// @param curvature of the samples or of others like them; null for their own
  /// @throws Error if shapes disagree, the head has several layers, a label is out of range or a
  ///         value is not finite
  RebalancedRetrainer(const LabelledEmbeddings& tuning, const Head& like,
                      const RebalancingOptions& options = {},
                      std::shared_ptr<const Curvature> curvature = nullptr);
  RebalancedRetrainer(RebalancedRetrainer&&) noexcept;  ///< it can be moved, not copied
  ~RebalancedRetrainer();

  /// From here on the penalty is on the distance of W from that of a head, of the shape of `like`,
  /// and fits start there.
  /// @param penalty λ of λ/2 ∥W − W₀∥², over 0
  void anchor_at(const Head& head, double penalty);

  /// The head, the mask folded into its weight. Each fit starts where the last one ended.
  /// @param weights float64 [N], not negative, with a sum over 0; scaled to a sum of 1
  /// @param mask    floating [M] or [C, M], what dimensions are multiplied by
  /// @param effects float64 [K, M]: how an attribute moves embeddings, which the logits are not to
  ///                follow; undefined for none
  /// @throws Error if a shape is another
  Head fit(const at::Tensor& weights, const at::Tensor& mask, const at::Tensor& effects = {});

  /// Why the last fit ended short of its minimum, a sentence; empty where it did not, or the
  /// iterations were spent.
  const std::string& shortfall() const;

 private:
  class Regression;
  std::unique_ptr<Regression> regression_;
};

}  // namespace neurontune
