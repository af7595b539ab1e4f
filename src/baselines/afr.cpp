#include "neurontune/baselines/afr.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <string>

#include "baselines/splits.h"
#include "method/fixed_blocks.h"
#include "neurontune/error.h"
#include "option_checks.h"

namespace neurontune {
namespace {

constexpr int64_t kRowsPerBlock = 256;
constexpr int64_t kColumnsPerBlock = 64;
constexpr int64_t kHeadsPerBlock = 4;
constexpr int64_t kLogitsAtOnce = 1024;  // of all heads trained side by side

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
  const auto weights = at::empty({count, data.labels.size(0)}, probability.options());
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
/// serves them all. A bias is the weight of one more dimension, which is 1.
class HeadStack {
 public:
  /// @param inputs [N, M′], M′ = M or, with a bias, M + 1
  /// @param labels int64 [N]
  /// @param start  θ₀, [C, M′]
  /// @param weights μ, [S, N]
  /// @param penalties λ, [S]
  HeadStack(at::Tensor inputs, const at::Tensor& labels, const at::Tensor& start,
            const at::Tensor& weights, const at::Tensor& penalties, const AfrOptions& options)
      : inputs_(std::move(inputs)),
        labels_(labels.view({-1, 1, 1}).expand({-1, weights.size(0), 1})),
        start_(start),
        weights_(weights.t().unsqueeze(2).contiguous()),
        penalties_(penalties.view({-1, 1, 1})),
        options_(options),
        heads_(start.repeat({weights.size(0), 1, 1})),
        gradients_(at::empty_like(heads_)),
        residuals_(at::empty({inputs_.size(0), heads_.size(0), heads_.size(1)}, start.options())) {}

  void step() {
    compute_residuals();
    compute_gradients();
    descend();
  }

  const at::Tensor& heads() const { return heads_; }  ///< [S, C, M′]

 private:
  /// The loss's derivative by each logit: μ_i (P − Y), with P the softmax and Y the one-hot label.
  void compute_residuals() {
    const auto columns = heads_.flatten(0, 1).t();
    for_fixed_blocks(
        inputs_.device(), inputs_.size(0), kRowsPerBlock, [&](int64_t first, int64_t last) {
          const auto logits = inputs_.slice(0, first, last).mm(columns);
          auto residual = logits.view({last - first, heads_.size(0), heads_.size(1)}).softmax(2);
          const auto labels = labels_.slice(0, first, last);
          residual.scatter_add_(2, labels, at::full_like(labels, -1, residual.options()));
          residuals_.slice(0, first, last).copy_(residual * weights_.slice(0, first, last));
        });
  }

  /// Columns of the weights on one thread each: no sum over samples is split.
  void compute_gradients() {
    const auto residuals = residuals_.flatten(1, 2).t();
    auto gradients = gradients_.flatten(0, 1);
    for_fixed_blocks(
        inputs_.device(), inputs_.size(1), kColumnsPerBlock, [&](int64_t first, int64_t last) {
          gradients.slice(1, first, last).copy_(residuals.mm(inputs_.slice(1, first, last)));
        });
  }

  /// θ ← θ − η g, with g = ∇Σ μ_i CE_i + 2λ(θ − θ₀), cut to the norm as PyTorch's
  /// clip_grad_norm_ does.
  void descend() {
    for_fixed_blocks(inputs_.device(), heads_.size(0), kHeadsPerBlock,
                     [&](int64_t first, int64_t last) {
                       auto heads = heads_.slice(0, first, last);
                       auto gradients = gradients_.slice(0, first, last);
                       gradients.addcmul_(heads - start_, penalties_.slice(0, first, last), 2);
                       const auto norms = gradients.square().sum({1, 2}, /*keepdim=*/true).sqrt();
                       const auto factors = (options_.gradient_norm / (norms + 1e-6)).clamp_max(1);
                       heads.addcmul_(gradients, factors, -options_.learning_rate);
                     });
  }

  at::Tensor inputs_;
  at::Tensor labels_;     ///< int64 [N, S, 1]
  at::Tensor start_;      ///< [C, M′]
  at::Tensor weights_;    ///< [N, S, 1]
  at::Tensor penalties_;  ///< [S, 1, 1]
  const AfrOptions& options_;
  at::Tensor heads_, gradients_;  ///< [S, C, M′]
  at::Tensor residuals_;          ///< [N, S, C]
};

/// The head of each setting after the last step: [S, C, M′].
at::Tensor trained_heads(const LabelledEmbeddings& data, const Head& erm,
                         const std::vector<Setting>& settings, const AfrOptions& options) {
  auto inputs = data.embeddings.to(erm.weight.scalar_type());
  auto start = erm.weight;
  if (erm.bias.defined()) {
    inputs = at::cat({inputs, at::ones({inputs.size(0), 1}, inputs.options())}, 1);
    start = at::cat({start, erm.bias.unsqueeze(1)}, 1);
  }
  const auto weights = sample_weights(data, erm, settings);
  auto penalties = at::empty({weights.size(0)}, at::kDouble);
  for (std::size_t i = 0; i < settings.size(); ++i)
    penalties[static_cast<int64_t>(i)] = settings[i].penalty;
  penalties = penalties.to(start.options());

  std::vector<at::Tensor> trained;
  const int64_t at_once = std::max<int64_t>(1, kLogitsAtOnce / erm.classes());
  for (int64_t first = 0; first < weights.size(0); first += at_once) {
    HeadStack stack(inputs, data.labels, start, weights.slice(0, first, first + at_once),
                    penalties.slice(0, first, first + at_once), options);
    for (int64_t step = 0; step < options.steps; ++step) stack.step();
    trained.push_back(stack.heads());
  }
  return at::cat(trained);
}

void check_each(const char* plural, const char* singular, const std::vector<double>& values) {
  if (values.empty()) throw OptionError(std::string(plural) + " is empty, expected at least one");
  for (const double value : values) check_number(singular, value, value >= 0, "0 or more");
}

}  // namespace

void AfrOptions::validate() const {
  check_each("gammas", "gamma", gammas);
  check_each("penalties", "a penalty", penalties);
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
  const LabelledEmbeddings data{reweighting.embeddings.detach(), reweighting.labels};
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
