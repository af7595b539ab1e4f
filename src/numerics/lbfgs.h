#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <functional>

namespace neurontune {

/// A smooth convex function's value at `parameters`, and its gradient into `gradient`.
using Objective = std::function<double(const at::Tensor& parameters, at::Tensor& gradient)>;
/// About the inverse of the Hessian times a vector; symmetric and positive definite.
using Preconditioner = std::function<at::Tensor(const at::Tensor& vector)>;

struct LbfgsOptions {
  int64_t iterations = 100;
  double tolerance = 1e-4;  ///< largest component of the gradient that ends it
};

/// Where a minimisation ended.
struct Minimum {
  at::Tensor parameters;
  double largest_slope = 0;   ///< the largest component of the gradient there
  bool is_exhausted = false;  ///< no step lowered the value, though the gradient is over tolerance
};

/// Minimises smooth, strictly convex functions by L-BFGS with backtracking (Nocedal & Wright,
/// algorithms 7.4 and 3.1). torch::optim::LBFGS is not used for its sums depend on the number of
/// threads and it takes no preconditioner, which here saves four passes over the data in five.
class Lbfgs {
 public:
  explicit Lbfgs(Preconditioner precondition, const LbfgsOptions& options = {});

  /// What is learnt of the curvature stays: a function much like the last one takes fewer steps.
  /// @param start float64, of any shape; not changed
  /// @return where the gradient is small enough, a step no longer helps, or no iteration is left
  Minimum minimise(const at::Tensor& start, const Objective& objective);

 private:
  /// How the gradient changed with a step.
  struct Pair {
    at::Tensor step, change;
    double product;  ///< of the two
  };
  void learn(const at::Tensor& step, const at::Tensor& change);
  at::Tensor inverse_hessian_times(const at::Tensor& gradient) const;

  Preconditioner precondition_;
  LbfgsOptions options_;
  std::deque<Pair> pairs_;
};

}  // namespace neurontune
