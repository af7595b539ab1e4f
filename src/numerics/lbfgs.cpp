#include "numerics/lbfgs.h"

#include <ATen/ATen.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr std::size_t kMemory = 10;
constexpr int kHalvings = 30;
constexpr double kSufficientDecrease = 1e-4;
/// Of the value: what rounding may hide of its decrease.
constexpr double kRounding = 1e-6;

double sum_of_products(const at::Tensor& a, const at::Tensor& b) {
  return (a * b).sum().item<double>();
}

struct Point {
  at::Tensor parameters, gradient;
  double value = 0;
};

/// Whether the value is lower by enough; or, where rounding hides that, whether the slope is one
/// that a parabola of as much decrease has (Hager & Zhang 2005, the approximate Wolfe condition).
bool lowers(const Point& from, const Point& next, const at::Tensor& direction, double slope,
            double length) {
  if (next.value <= from.value + kSufficientDecrease * length * slope) return true;
  if (!(next.value <= from.value + kRounding * std::abs(from.value))) return false;
  return sum_of_products(next.gradient, direction) <= (2 * kSufficientDecrease - 1) * slope;
}

/// The first of the halved steps that lowers the value enough; none where none does.
std::optional<Point> line_search(const Point& from, const at::Tensor& direction, double slope,
                                 const Objective& objective) {
  double length = 1;
  for (int halving = 0; halving < kHalvings; ++halving, length /= 2) {
    Point next{from.parameters + direction * length, at::empty_like(from.gradient)};
    next.value = objective(next.parameters, next.gradient);
    bool accepted = false;
    on_one_thread(direction.device(),
                  [&] { accepted = lowers(from, next, direction, slope, length); });
    if (accepted) return next;
  }
  return std::nullopt;
}

}  // namespace

Lbfgs::Lbfgs(Preconditioner precondition, const LbfgsOptions& options)
    : precondition_(std::move(precondition)), options_(options) {}

void Lbfgs::learn(const at::Tensor& step, const at::Tensor& change) {
  const double product = sum_of_products(step, change);
  if (!(product > 0)) return;  // rounding: the function is strictly convex
  if (pairs_.size() == kMemory) pairs_.pop_front();
  pairs_.push_back({step, change, product});
}

/// The two-loop recursion, from the preconditioner scaled to the last pair.
at::Tensor Lbfgs::inverse_hessian_times(const at::Tensor& gradient) const {
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

Minimum Lbfgs::minimise(const at::Tensor& start, const Objective& objective) {
  const auto largest_of = [](const at::Tensor& gradient) {
    return gradient.abs().max().item<double>();
  };
  Point point{start, at::empty_like(start)};
  point.value = objective(point.parameters, point.gradient);
  for (int64_t iteration = 0; iteration < options_.iterations; ++iteration) {
    at::Tensor direction;
    double slope = 0;
    if (largest_of(point.gradient) <= options_.tolerance) break;
    on_one_thread(start.device(), [&] {
      direction = inverse_hessian_times(point.gradient).neg_();
      slope = sum_of_products(point.gradient, direction);
    });
    auto next = line_search(point, direction, slope, objective);
    if (!next) return {point.parameters, largest_of(point.gradient), /*is_exhausted=*/true};
    on_one_thread(start.device(), [&] {
      learn(next->parameters - point.parameters, next->gradient - point.gradient);
    });
    point = std::move(*next);
  }
  return {point.parameters, largest_of(point.gradient)};
}

}  // namespace neurontune
