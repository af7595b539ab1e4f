#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace neurontune {

/// Coefficients of logistic regressions.
struct LogisticRegression {
  at::Tensor weight;     ///< float64 [R, M]
  at::Tensor intercept;  ///< float64 [R]
};

/// L1-penalised logistic regression: minimises C · Σ log(1 + exp(−y (w·z + b))) + ‖w‖₁ + |b| by
/// liblinear's L1R_LR (Yuan et al. 2012, "An Improved GLMNET for L1-regularized Logistic
/// Regression"). Two classes take one regression, of class 1; more take one for each class against
/// the rest.
///
/// liblinear draws from the C library's rand(): this gives it a sequence of its own, and the host
/// program's goes on undisturbed, as long as no other thread draws meanwhile. liblinear prints
/// nothing meanwhile, and afterwards by its own function again: one that the host program gave it
/// has to be given anew. One call runs at a time.
///
/// @param features        float64 [N, M] on the CPU
/// @param labels          int64 [N] on the CPU, in 0…classes−1, each class present
/// @param classes         at least 2
/// @param inverse_penalty C, over 0
/// @param tolerance       of the stopping criterion, relative to the rarer class's share
LogisticRegression l1_logistic_regression(const at::Tensor& features, const at::Tensor& labels,
                                          int64_t classes, double inverse_penalty, uint64_t seed,
                                          double tolerance = 1e-4);

}  // namespace neurontune
