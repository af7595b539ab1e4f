#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"
#include "neurontune/numerics/curvature.h"

namespace neurontune {

/// Settings of retraining that stays near the ERM head.
struct NEURONTUNE_EXPORT AnchoredOptions {
  /// λ of λ/2 ∥W − W_ERM∥², on dimensions of deviation 1, each over 0; at least one
  std::vector<double> penalties = {10, 1, 0.1, 0.01};
  /// γ of the weights exp(−γ p): the larger, the more misclassified samples count; each 0 or more,
  /// at least one
  std::vector<double> gammas = {0, 4};
  int64_t iterations = 100;  ///< of L-BFGS at most, at least 1
  double tolerance = 1e-4;   ///< largest component of the gradient that ends it, over 0
  int64_t folds = 2;         ///< by which `anchored` chooses λ and γ: 2 to 100
  uint64_t seed = 0;         ///< of the folds

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// One of the fits.
struct AnchoredSetting {
  double penalty = 0;  ///< λ
  double gamma = 0;    ///< γ
};

/// Each γ with all λ before the next γ.
NEURONTUNE_EXPORT std::vector<AnchoredSetting> anchored_settings(const AnchoredOptions& options);

/// Fits a linear head to data that it was not trained on, and pulls it towards where it was: the
/// softmax regression with classes balanced and a penalty on the distance of its weights from the
/// ERM head's (its bias is free). Where embeddings have more dimensions than there are samples, any
/// unpenalised fit is worse than the ERM head; the penalty prevents that. Within a class a sample
/// weighs exp(−γ p), with p the ERM head's probability of the class (AFR, Qiu et al. 2023, arXiv
/// 2306.11074). It sees no attributes.
///
/// The same inputs, device and LibTorch build give the same bits, whatever the number of threads.
///
/// @param data on any device
/// @param erm  linear, on the same device
/// @param curvature of the samples or of others like them; null for their own
/// @return a head of each setting, in `anchored_settings`' order, of the ERM head's dtype
/// @throws Error if the head has several layers, shapes disagree, a label is out of range, a value
///         is not finite or a class is absent
NEURONTUNE_EXPORT std::vector<Head> anchored_heads(
    const LabelledEmbeddings& data, const Head& erm, const AnchoredOptions& options = {},
    std::shared_ptr<const Curvature> curvature = nullptr);

/// What `anchored` chose.
struct AnchoredResult {
  Head head;                        ///< the retrained one
  AnchoredSetting setting;          ///< with which it was retrained
  double worst_class_accuracy = 0;  ///< of the setting, on folds that its heads were not fitted to
};

/// The same with λ and γ chosen: those of the best worst-class accuracy out of fold, of equals the
/// first; fitted to all of the data.
/// @throws Error also if a class has fewer samples than there are folds
NEURONTUNE_EXPORT AnchoredResult anchored(const LabelledEmbeddings& data, const Head& erm,
                                          const AnchoredOptions& options = {});

}  // namespace neurontune
