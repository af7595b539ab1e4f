#include "neurontune/baselines/afr.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/computing_type.h"
#include "base/option_checks.h"
#include "core/split_checks.h"
#include "core/splits.h"
#include "neurontune/base/error.h"
#include "numerics/aligned_rows.h"
#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

// Logits of the heads trained side by side, of each sample.
constexpr int64_t kLogitsOnCpu = 16;
constexpr int64_t kLogitsElsewhere = 4096;

struct Setting {
  double gamma, penalty;
};

std::vector<Setting> settings_of(const AfrOptions& options) {
  std::vector<Setting> settings;
  for (const double gamma : options.gammas)
    for (const double penalty : options.penalties) settings.push_back({gamma, penalty});
  return settings;
}

/// μ_i ∝ exp(−γ p_i) / n_{y_i}, for each setting's γ.
/// @return [S, N]; the rows sum to 1
at::Tensor sample_weights(const LabelledEmbeddings& data, const Head& erm,
                          const std::vector<Setting>& settings) {
  const auto class_counts = at::bincount(data.labels, {}, erm.classes());
  const auto counts = class_counts.index_select(0, data.labels).to(erm.weight.scalar_type());
  const auto probability =
      logits(erm, data.embeddings).softmax(1).gather(1, data.labels.unsqueeze(1)).squeeze(1);
  const auto count = static_cast<int64_t>(settings.size());
  auto weights = at::empty({count, data.labels.size(0)}, probability.options());
  // A setting's sum on one thread: the same whatever their number.
  for_fixed_blocks(weights.device(), count, 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const double gamma = settings[static_cast<std::size_t>(i)].gamma;
      const auto unscaled = (probability * -gamma).exp() / counts;
      weights[i].copy_(unscaled / unscaled.sum());
    }
  });
  return weights;
}

/// Trains the heads of several settings side by side, so that each product with the embeddings
/// serves them all.
class HeadStack {
 public:
  /// @param inputs    [N, M]
  /// @param labels    int64 [N]
  /// @param start     θ₀, [C, M]
  /// @param weights   μ, [S, N]
  /// @param penalties λ, [S]
  HeadStack(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& start,
            const at::Tensor& weights, const at::Tensor& penalties, const AfrOptions& options)
      : inputs_(inputs),
        start_(start),
        weights_(weights.unsqueeze(1)),
        one_hot_(at::one_hot(labels, start.size(0)).t().to(start.scalar_type()).contiguous()),
        penalties_(penalties.view({-1, 1, 1})),
        options_(options),
        heads_(start.repeat({weights.size(0), 1, 1})) {}

  /// θ ← θ − η g, with g = ∇Σ μ_i CE_i + 2λ(θ − θ₀), cut to the norm as PyTorch's clip_grad_norm_
  /// does. With P the softmax of the logits and Y the one-hot labels, dCE/dlogits = P − Y.
  void step() {
    const auto logits = heads_.flatten(0, 1).mm(inputs_.t());
    const auto softmax = logits.view({heads_.size(0), heads_.size(1), -1}).softmax(1);
    const auto residuals = (softmax - one_hot_).mul_(weights_);
    auto gradients = residuals.flatten(0, 1).mm(inputs_).view_as(heads_);
    gradients.addcmul_(heads_ - start_, penalties_, 2);
    const auto norms = gradients.square().sum({1, 2}, /*keepdim=*/true).sqrt();
    const auto factors = (options_.gradient_norm / (norms + 1e-6)).clamp_max(1);
    heads_.addcmul_(gradients, factors, -options_.learning_rate);
  }

  const at::Tensor& heads() const { return heads_; }  ///< [S, C, M]

 private:
  at::Tensor inputs_;
  at::Tensor start_;
  at::Tensor weights_;    ///< [S, 1, N]
  at::Tensor one_hot_;    ///< [C, N]
  at::Tensor penalties_;  ///< [S, 1, 1]
  const AfrOptions& options_;
  at::Tensor heads_;
};

/// Splits `total` settings into stacks and calls `work(first, last)` for each, on the CPU a stack
/// on one thread: its sums do not depend on how many there are.
void for_stacks(at::Device device, int64_t total, int64_t classes,
                const std::function<void(int64_t, int64_t)>& work) {
  const int64_t logits = device.is_cpu() ? kLogitsOnCpu : kLogitsElsewhere;
  const int64_t heads = std::max<int64_t>(1, logits / classes);
  for_fixed_blocks(device, (total + heads - 1) / heads, 1, [&](int64_t first, int64_t last) {
    for (int64_t stack = first; stack < last; ++stack)
      work(stack * heads, std::min(total, (stack + 1) * heads));
  });
}

/// The head of each setting after the last step: [S, C, M′]. A bias is the weight of one more
/// dimension, which is 1: M′ is then M + 1, else M.
at::Tensor trained_heads(const LabelledEmbeddings& data, const Head& erm,
                         const std::vector<Setting>& settings, const AfrOptions& options) {
  // Every step multiplies the whole split, which is in memory in any case.
  auto inputs = aligned_rows(data.embeddings.to(erm.weight.scalar_type()));
  auto start = erm.weight;
  if (erm.bias.defined()) {
    inputs = at::cat({inputs, at::ones({inputs.size(0), 1}, inputs.options())}, 1);
    start = at::cat({start, erm.bias.unsqueeze(1)}, 1);
  }
  std::vector<double> penalties;
  penalties.reserve(settings.size());
  for (const auto& setting : settings) penalties.push_back(setting.penalty);
  const auto of_settings = at::tensor(penalties, at::kDouble).to(start.options());
  const auto weights = sample_weights(data, erm, settings);
  auto trained = at::empty({weights.size(0), start.size(0), start.size(1)}, start.options());
  for_stacks(start.device(), weights.size(0), start.size(0), [&](int64_t first, int64_t last) {
    HeadStack stack(inputs, data.labels, start, weights.slice(0, first, last),
                    of_settings.slice(0, first, last), options);
    for (int64_t step = 0; step < options.steps; ++step) stack.step();
    trained.slice(0, first, last).copy_(stack.heads());
  });
  return trained;
}

bool is_not_negative(double value) { return value >= 0; }

}  // namespace

void AfrOptions::validate() const {
  check_each("gammas", gammas, is_not_negative, "0 or more");
  check_each("penalties", penalties, is_not_negative, "0 or more");
  check_at_least("steps", steps, 1);
  check_number("learning_rate", learning_rate, learning_rate > 0, "a number over 0");
  check_number("gradient_norm", gradient_norm, gradient_norm > 0, "a number over 0");
}

AfrResult afr(const LabelledEmbeddings& reweighting, const LabelledEmbeddings& held_out,
              const Head& erm, const AfrOptions& options) {
  options.validate();
  check_linear(erm, "automatic feature reweighting");
  check_splits(reweighting, held_out, erm, "the reweighting split");
  const c10::NoGradGuard no_grad;
  const auto data = checked(reweighting);
  const auto start = to(erm, data.embeddings.device(), computing_type(data.embeddings));
  const auto settings = settings_of(options);
  const auto trained = trained_heads(data, start, settings, options);

  AfrResult best{{}, 0, 0, -1};
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto parameters = trained[static_cast<int64_t>(i)];
    auto head = start;
    head.weight = parameters.narrow(1, 0, start.embedding_dim()).clone();
    if (start.bias.defined()) head.bias = parameters.select(1, start.embedding_dim()).clone();
    const double accuracy = worst_class_accuracy(head, held_out);
    if (accuracy > best.held_out_worst_class_accuracy)
      best = {head, settings[i].gamma, settings[i].penalty, accuracy};
  }
  return best;
}

}  // namespace neurontune
