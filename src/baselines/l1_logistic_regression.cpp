#include "baselines/l1_logistic_regression.h"

#include <ATen/ATen.h>
#include <linear.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

namespace neurontune {
namespace {

/// Gives rand() a sequence of its own, and on destruction the host program's back, where it was.
class OwnRandSequence {
 public:
  explicit OwnRandSequence(unsigned seed) : host_(initstate(seed, state_.data(), state_.size())) {}
  ~OwnRandSequence() { setstate(host_); }
  OwnRandSequence(const OwnRandSequence&) = delete;
  OwnRandSequence& operator=(const OwnRandSequence&) = delete;

 private:
  alignas(int32_t) std::array<char, 128> state_{};
  char* host_;
};

/// Keeps liblinear from printing while it lives. Then liblinear prints as it does unless told
/// otherwise: it does not say what the host program may have told it.
class QuietLiblinear {
 public:
  QuietLiblinear() {
    set_print_string_function([](const char*) {});
  }
  ~QuietLiblinear() { set_print_string_function(nullptr); }
  QuietLiblinear(const QuietLiblinear&) = delete;
  QuietLiblinear& operator=(const QuietLiblinear&) = delete;
};

struct FreeModel {
  void operator()(model* fitted) const { free_and_destroy_model(&fitted); }
};

/// A matrix as liblinear reads it: for each row the values that are not 0, with columns counted
/// from 1, then a 1 for the intercept and an end mark.
class SparseRows {
 public:
  explicit SparseRows(const at::Tensor& features)
      : intercept_column_(static_cast<int>(features.size(1)) + 1) {
    const auto values = features.accessor<double, 2>();
    std::vector<std::size_t> starts;
    for (int64_t row = 0; row < features.size(0); ++row) {
      starts.push_back(nodes_.size());
      for (int column = 1; column < intercept_column_; ++column)
        if (values[row][column - 1] != 0) nodes_.push_back({column, values[row][column - 1]});
      nodes_.push_back({intercept_column_, 1});
      nodes_.push_back({-1, 0});
    }
    for (const auto start : starts) rows_.push_back(nodes_.data() + start);
  }

  /// The problem of telling the rows of `targets` 1 from those of −1. Points into both.
  problem with_targets(std::vector<double>& targets) {
    return {.l = static_cast<int>(rows_.size()),
            .n = intercept_column_,
            .y = targets.data(),
            .x = rows_.data(),
            .bias = 1};
  }

 private:
  int intercept_column_;
  std::vector<feature_node> nodes_;
  std::vector<feature_node*> rows_;
};

/// 1 for the class, −1 for the rest.
std::vector<double> one_against_rest(const at::Tensor& labels, int64_t positive) {
  const auto values = labels.accessor<int64_t, 1>();
  std::vector<double> targets;
  for (int64_t row = 0; row < labels.size(0); ++row)
    targets.push_back(values[row] == positive ? 1 : -1);
  return targets;
}

/// The weights and the intercept of one regression: float64 [M + 1].
at::Tensor fit(SparseRows& rows, const at::Tensor& labels, int64_t positive,
               const parameter& settings) {
  auto targets = one_against_rest(labels, positive);
  const auto task = rows.with_targets(targets);
  const std::unique_ptr<model, FreeModel> fitted(train(&task, &settings));
  // Of the labels 1 and −1 it takes 1 for the positive one, whichever comes first.
  return at::from_blob(fitted->w, {task.n}, at::kDouble).clone();
}

}  // namespace

LogisticRegression l1_logistic_regression(const at::Tensor& features, const at::Tensor& labels,
                                          int64_t classes, double inverse_penalty, uint64_t seed,
                                          double tolerance) {
  static std::mutex one_at_a_time;  // liblinear's printing and rand() are the whole process's
  const std::lock_guard lock(one_at_a_time);
  const QuietLiblinear quiet;
  parameter settings{};
  settings.solver_type = L1R_LR;
  settings.C = inverse_penalty;
  settings.eps = tolerance;

  SparseRows rows(features);
  std::vector<at::Tensor> regressions;
  for (int64_t label = classes == 2 ? 1 : 0; label < classes; ++label) {
    const OwnRandSequence sequence(static_cast<unsigned>(seed));
    regressions.push_back(fit(rows, labels, label, settings));
  }
  const auto coefficients = at::stack(regressions);
  const int64_t dimensions = features.size(1);
  return {coefficients.narrow(1, 0, dimensions), coefficients.select(1, dimensions)};
}

}  // namespace neurontune
