#include "method/lbfgs.h"

#include <ATen/ATen.h>

#include <deque>
#include <optional>
#include <vector>

#include "method/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr std::size_t kMemory = 10;
constexpr int kHalvings = 30;
constexpr double kSufficientDecrease = 1e-4;

double sum_of_products(const at::Tensor& a, const at::Tensor& b) {
  return (a * b).sum().item<double>();
}

struct Point {
  at::Tensor parameters, gradient;
  double value = 0;
};

/// How the gradient changed with the last steps.
class Curvature {
 public:
  explicit Curvature(const Preconditioner& precondition) : precondition_(precondition) {}

  void add(const at::Tensor& step, const at::Tensor& change) {
    const double product = sum_of_products(step, change);
    if (!(product > 0)) return;  // rounding: the function is strictly convex
    if (pairs_.size() == kMemory) pairs_.pop_front();
    pairs_.push_back({step, change, product});
  }

  /// The two-loop recursion, from the preconditioner scaled to the last pair.
  at::Tensor inverse_times(const at::Tensor& gradient) const {
    auto direction = gradient.clone();
    std::vector<double> factors;
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
      factors.push_back(sum_of_products(pair->step, direction) / pair->product);
      direction.sub_(pair->change, factors.back());
    }
    direction = precondition_(direction);
    if (!pairs_.empty()) {
      const auto& last = pairs_.back();
      direction.mul_(last.product / sum_of_products(last.change, precondition_(last.change)));
    }
    for (const auto& pair : pairs_) {
      const double along = sum_of_products(pair.change, direction) / pair.product;
      direction.add_(pair.step, factors.back() - along);
      factors.pop_back();
    }
    return direction;
  }

 private:
  struct Pair {
    at::Tensor step, change;
    double product;  ///< of the two
  };
  const Preconditioner& precondition_;
  std::deque<Pair> pairs_;
};

/// The first of the halved steps that lowers the value enough; none where none does.
std::optional<Point> line_search(const Point& from, const at::Tensor& direction, double slope,
                                 const Objective& objective) {
  double length = 1;
  for (int halving = 0; halving < kHalvings; ++halving, length /= 2) {
    Point next{from.parameters + direction * length, at::empty_like(from.gradient)};
    next.value = objective(next.parameters, next.gradient);
    if (next.value <= from.value + kSufficientDecrease * length * slope) return next;
  }
  return std::nullopt;
}

}  // namespace

at::Tensor minimise(const at::Tensor& start, const Objective& objective,
                    const Preconditioner& precondition, const LbfgsOptions& options) {
  Point point{start, at::empty_like(start)};
  point.value = objective(point.parameters, point.gradient);
  Curvature curvature(precondition);
  for (int64_t iteration = 0; iteration < options.iterations; ++iteration) {
    at::Tensor direction;
    double slope = 0, largest = 0;
    on_one_thread(start.device(), [&] {
      largest = point.gradient.abs().max().item<double>();
      direction = curvature.inverse_times(point.gradient).neg_();
      slope = sum_of_products(point.gradient, direction);
    });
    if (largest <= options.tolerance) break;
    auto next = line_search(point, direction, slope, objective);
    if (!next) break;
    on_one_thread(start.device(), [&] {
      curvature.add(next->parameters - point.parameters, next->gradient - point.gradient);
    });
    point = std::move(*next);
  }
  return point.parameters;
}

}  // namespace neurontune
