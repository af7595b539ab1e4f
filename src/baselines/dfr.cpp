#include "neurontune/baselines/dfr.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "base/checks.h"
#include "base/computing_type.h"
#include "base/describe.h"
#include "base/option_checks.h"
#include "baselines/l1_logistic_regression.h"
#include "core/split_checks.h"
#include "core/splits.h"
#include "neurontune/base/error.h"
#include "neurontune/metrics/group_accuracy.h"
#include "numerics/column_scaling.h"
#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

void check_grouped(const GroupedEmbeddings& split, int64_t classes, int64_t attribute_values,
                   const std::string& name) {
  check_labelled(split.data.embeddings, split.data.labels, classes, name);
  check_finite(split.data, name);
  if (!split.attributes.defined())
    throw Error(name + " has no attributes; deep feature reweighting needs the groups");
  check_class_indices(split.attributes, name + ": attributes", attribute_values,
                      split.data.embeddings.size(0));
  if (split.attributes.device() != split.data.embeddings.device())
    throw Error(name + ": attributes are on " + split.attributes.device().str() +
                ", embeddings on " + split.data.embeddings.device().str());
}

void check(const GroupedEmbeddings& split, const std::string& name, const at::Tensor& like,
           int64_t classes, int64_t attribute_values) {
  check_grouped(split, classes, attribute_values, name);
  const auto& embeddings = split.data.embeddings;
  if (embeddings.size(1) != like.size(1))
    throw Error(name + ": embeddings are " + describe(embeddings) + ", those of the tuning split " +
                describe(like));
  if (embeddings.device() != like.device())
    throw Error("the tuning split is on " + like.device().str() + ", " + name + " on " +
                embeddings.device().str());
  check_every_class(split.data.labels, classes, name);
}

void check_both(const GroupedEmbeddings& tuning, const GroupedEmbeddings& held_out, int64_t classes,
                int64_t attribute_values) {
  check_at_least("classes", classes, 2);
  check_at_least("attribute_values", attribute_values, 1);
  const auto& like = tuning.data.embeddings;
  check(tuning, "the tuning split", like, classes, attribute_values);
  check(held_out, "the held-out split", like, classes, attribute_values);
}

/// What features are standardised by, on the CPU, where the regressions are fitted.
ColumnScaling scaling_on_cpu(const at::Tensor& embeddings) {
  const auto scaling = column_scaling(embeddings);
  return {scaling.mean.cpu(), scaling.deviation.cpu()};
}

/// Draws subsets with as many samples of each group present as the smallest has, without
/// replacement.
class GroupBalancedSubsets {
 public:
  GroupBalancedSubsets(const GroupedEmbeddings& split, int64_t attribute_values, uint64_t seed)
      : generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {
    const auto groups = (split.data.labels * attribute_values + split.attributes).cpu();
    const auto [ordered, rows] = groups.sort(/*stable=*/true, /*dim=*/0, /*descending=*/false);
    const auto counts = std::get<2>(at::unique_consecutive(ordered, false, /*return_counts=*/true));
    size_ = counts.min().item<int64_t>();
    const std::vector<int64_t> sizes(counts.const_data_ptr<int64_t>(),
                                     counts.const_data_ptr<int64_t>() + counts.numel());
    rows_of_group_ = rows.split_with_sizes(sizes);
  }

  /// int64 [n], rows of the split, a group after the other.
  at::Tensor draw() {
    std::vector<at::Tensor> drawn;
    for (const auto& rows : rows_of_group_) {
      const auto order = at::randperm(rows.numel(), generator_, at::kLong);
      drawn.push_back(rows.index_select(0, order.slice(0, 0, size_)));
    }
    return at::cat(drawn);
  }

 private:
  std::vector<at::Tensor> rows_of_group_;  ///< of the groups present, int64 [n_g], ascending
  int64_t size_ = 0;                       ///< of the smallest
  at::Generator generator_;
};

/// A group-balanced subset, standardised, on the CPU.
struct Subset {
  at::Tensor features;  ///< float64 [n, M]
  at::Tensor labels;    ///< int64 [n]
};

Subset subset(const LabelledEmbeddings& data, const at::Tensor& rows, const ColumnScaling& scaler) {
  const auto on_device = rows.to(data.embeddings.device());
  const auto raw = data.embeddings.index_select(0, on_device).to(at::kCPU, at::kDouble);
  return {((raw - scaler.mean) / scaler.deviation).contiguous(),
          data.labels.index_select(0, on_device).cpu()};
}

/// The head that does on embeddings what the regressions do on standardised features:
/// w · (z − mean) / deviation + b.
Head folded(const LogisticRegression& regression, const ColumnScaling& scaler,
            const at::Tensor& embeddings) {
  const auto weight = regression.weight / scaler.deviation;
  Head head{weight, {}};
  on_one_thread(at::kCPU, [&] { head.bias = regression.intercept - weight.mv(scaler.mean); });
  if (weight.size(0) == 1) {
    head = two_classes(head);
    head.single_logit = false;
  }
  return to(head, embeddings.device(), computing_type(embeddings));
}

/// Regressions on group-balanced subsets of a split.
class BalancedFits {
 public:
  BalancedFits(const GroupedEmbeddings& split, int64_t classes, int64_t attribute_values,
               uint64_t seed)
      : data_(checked(split.data)),
        scaler_(scaling_on_cpu(data_.embeddings)),
        subsets_(split, attribute_values, seed),
        classes_(classes),
        seed_(seed) {}

  Subset draw() { return subset(data_, subsets_.draw(), scaler_); }

  LogisticRegression fit(const Subset& drawn, double inverse_penalty) const {
    return l1_logistic_regression(drawn.features, drawn.labels, classes_, inverse_penalty, seed_);
  }

  Head head(const LogisticRegression& regression) const {
    return folded(regression, scaler_, data_.embeddings);
  }

  /// The mean of fits to new subsets.
  Head mean(double inverse_penalty, int64_t refits) {
    std::vector<at::Tensor> weights, intercepts;
    for (int64_t refit = 0; refit < refits; ++refit) {
      const auto regression = fit(draw(), inverse_penalty);
      weights.push_back(regression.weight);
      intercepts.push_back(regression.intercept);
    }
    LogisticRegression mean;
    on_one_thread(at::kCPU, [&] {
      mean = {at::stack(weights).mean(0), at::stack(intercepts).mean(0)};
    });
    return head(mean);
  }

 private:
  LabelledEmbeddings data_;
  ColumnScaling scaler_;
  GroupBalancedSubsets subsets_;
  int64_t classes_;
  uint64_t seed_;
};

/// C by worst-group accuracy on the held-out data, of one fit each; without a head.
DfrResult chosen(BalancedFits& fits, const GroupedEmbeddings& held_out, int64_t classes,
                 int64_t attribute_values, const DfrOptions& options) {
  DfrResult result{{}, 0, -1};
  const auto drawn = fits.draw();
  for (const double inverse_penalty : options.inverse_penalties) {
    const auto head = fits.head(fits.fit(drawn, inverse_penalty));
    const double accuracy =
        group_metrics(predictions(head, held_out.data.embeddings), held_out.data.labels,
                      held_out.attributes, classes, attribute_values)
            .worst_group_accuracy;
    if (accuracy <= result.held_out_worst_group_accuracy) continue;
    result.inverse_penalty = inverse_penalty;
    result.held_out_worst_group_accuracy = accuracy;
  }
  return result;
}

}  // namespace

void DfrOptions::validate() const {
  check_each(
      "inverse_penalties", inverse_penalties, [](double value) { return value > 0; },
      "a number over 0");
  check_at_least("refits", refits, 1);
}

DfrResult dfr(const GroupedEmbeddings& tuning, const GroupedEmbeddings& held_out, int64_t classes,
              int64_t attribute_values, const DfrOptions& options) {
  options.validate();
  check_both(tuning, held_out, classes, attribute_values);
  const c10::NoGradGuard no_grad;
  BalancedFits fits(tuning, classes, attribute_values, options.seed);
  auto result = chosen(fits, held_out, classes, attribute_values, options);
  result.head = fits.mean(result.inverse_penalty, options.refits);
  return result;
}

DfrResult dfr(const GroupedEmbeddings& tuning, const GroupedEmbeddings& held_out,
              const GroupedEmbeddings& refitting, int64_t classes, int64_t attribute_values,
              const DfrOptions& options) {
  options.validate();
  check_both(tuning, held_out, classes, attribute_values);
  check(refitting, "the refitting split", tuning.data.embeddings, classes, attribute_values);
  const c10::NoGradGuard no_grad;
  BalancedFits fits(tuning, classes, attribute_values, options.seed);
  auto result = chosen(fits, held_out, classes, attribute_values, options);
  BalancedFits refits(refitting, classes, attribute_values, options.seed);
  result.head = refits.mean(result.inverse_penalty, options.refits);
  return result;
}

}  // namespace neurontune
