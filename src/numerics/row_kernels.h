#pragma once

#include <cstdint>

#include "numerics/wide_registers.h"

namespace neurontune {

// What includes this is compiled without contracting a product and a sum into one operation, see
// src/CMakeLists.txt: registers of one width have that operation and those of another have not.

/// Σ a b, in sixteen sums that are added up in pairs: the same on registers of any width.
template <typename Real>
NEURONTUNE_INLINE Real dot(const Real* a, const Real* b, int64_t n) {
  constexpr int kLanes = 16;
  Real lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  for (; i < n; ++i) lanes[0] += a[i] * b[i];
  return lanes[0];
}

/// Adds to `sum`, of n numbers, `count` rows times their factors, which lie `stride` apart; four
/// rows at a time.
template <typename Real>
NEURONTUNE_INLINE void add_rows(const Real* const* rows, const Real* factors, int64_t count,
                                int64_t stride, int64_t n, Real* sum) {
  int64_t row = 0;
  for (; row + 4 <= count; row += 4) {
    const Real *a = rows[row], *b = rows[row + 1], *c = rows[row + 2], *d = rows[row + 3];
    const Real fa = factors[row * stride], fb = factors[(row + 1) * stride],
               fc = factors[(row + 2) * stride], fd = factors[(row + 3) * stride];
    for (int64_t i = 0; i < n; ++i) sum[i] += fa * a[i] + fb * b[i] + fc * c[i] + fd * d[i];
  }
  for (; row < count; ++row)
    for (int64_t i = 0; i < n; ++i) sum[i] += factors[row * stride] * rows[row][i];
}

/// Of stochastic gradient descent: learning rate, momentum, weight decay.
template <typename Real>
struct Sgd {
  Real rate, momentum, decay;
};

/// A step on n parameters: v ← μ v + (m g + λ p), without the decay where m is 0, and p ← p − η v.
/// @param mask m, or null for 1 everywhere
template <typename Real>
NEURONTUNE_INLINE void sgd_steps(Real* parameters, Real* velocities, const Real* gradients,
                                 const Real* mask, int64_t n, const Sgd<Real>& sgd) {
  const auto step = [&](int64_t i, Real gradient, Real decay) NEURONTUNE_INLINE_LAMBDA {
    velocities[i] = sgd.momentum * velocities[i] + (gradient + decay * parameters[i]);
    parameters[i] -= sgd.rate * velocities[i];
  };
  if (mask == nullptr) {
    for (int64_t i = 0; i < n; ++i) step(i, gradients[i], sgd.decay);
  } else {
    for (int64_t i = 0; i < n; ++i) step(i, gradients[i] * mask[i], mask[i] != 0 ? sgd.decay : 0);
  }
}

}  // namespace neurontune
