#include "neurontune/baselines/shortcut_probe.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/computing_type.h"
#include "base/option_checks.h"
#include "baselines/probe_set.h"
#include "core/splits.h"
#include "neurontune/base/error.h"
#include "neurontune/metrics/group_accuracy.h"
#include "numerics/column_scaling.h"
#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr double kLeastShortcutLoss = 1e-10;

/// SGD with momentum and weight decay, as torch.optim.SGD has it.
class Sgd {
 public:
  Sgd(std::vector<at::Tensor> parameters, double learning_rate, const ShortcutProbeOptions& options)
      : parameters_(std::move(parameters)), learning_rate_(learning_rate), options_(options) {
    for (const auto& parameter : parameters_) velocities_.push_back(at::zeros_like(parameter));
  }

  /// A step down the gradient of what `loss` makes of the parameters.
  void step(const std::function<at::Tensor(const std::vector<at::Tensor>&)>& loss) {
    const auto gradients = gradients_of(loss);
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      velocities_[i].mul_(options_.momentum).add_(gradients[i]);
      velocities_[i].add_(parameters_[i], options_.weight_decay);
      parameters_[i].sub_(velocities_[i], learning_rate_);
    }
  }

 private:
  std::vector<at::Tensor> gradients_of(
      const std::function<at::Tensor(const std::vector<at::Tensor>&)>& loss) const {
    const at::AutoGradMode with_autograd(true);
    std::vector<at::Tensor> leaves;
    for (const auto& parameter : parameters_) leaves.push_back(parameter.detach().requires_grad_());
    return torch::autograd::grad({loss(leaves)}, leaves);
  }

  std::vector<at::Tensor> parameters_;  ///< stepped in place
  std::vector<at::Tensor> velocities_;
  double learning_rate_;
  const ShortcutProbeOptions& options_;
};

/// The sample's standard deviation of each column, 0 of one that counts as constant: [M], in the
/// embeddings' dtype.
at::Tensor deviations(const at::Tensor& embeddings) {
  const auto scaling = column_scaling(embeddings);
  const auto samples = static_cast<double>(embeddings.size(0));
  return (scaling.deviation * std::sqrt(samples / (samples - 1)))
      .masked_fill(scaling.constant, 0)
      .to(embeddings.scalar_type());
}

/// What of each row lies along the prompts: z Vᵀ (V Vᵀ + 1 1ᵀ)⁻¹ V, [n, M]. Differentiable by V.
at::Tensor shortcut_parts(const at::Tensor& rows, const at::Tensor& prompts) {
  const auto [inverse, info] = at::linalg_inv_ex(prompts.mm(prompts.t()) + 1);
  if (info.item<int>() != 0)
    throw Error("the probe split's embeddings vary in fewer dimensions than there are prompts, " +
                std::to_string(prompts.size(0)) + "; expected no fewer");
  return rows.mm(prompts.t()).mm(inverse).mm(prompts);
}

/// The two phases, on embeddings of the head's dtype.
class Probing {
 public:
  Probing(const LabelledEmbeddings& probe, const LabelledEmbeddings& held_out, const Head& erm,
          const ShortcutProbeOptions& options, const ProgressFn& progress)
      : probe_(probe),
        held_out_(held_out),
        erm_(erm),
        options_(options),
        progress_(progress),
        generator_(at::make_generator<at::CPUGeneratorImpl>(options.seed)) {
    const auto erm_logits = logits(erm_, probe_.embeddings);
    set_ = probe_set(erm_logits, probe_.labels, options_.probe_share);
    predicted_ = erm_logits.argmax(1);
    predicted_on_host_ = predicted_.cpu();
    labels_on_host_ = probe_.labels.cpu();
    batches_ = (set_.cor.rows.numel() + set_.mis.rows.numel()) / options_.batch_size + 1;
  }

  /// Learns the prompts: [K, M].
  at::Tensor detect() {
    const auto unit =
        at::randn({options_.prompts, erm_.embedding_dim()}, generator_, erm_.weight.scalar_type());
    const auto prompts = unit.to(erm_.weight.device()) * deviations(probe_.embeddings);
    Sgd optimiser({prompts}, options_.detection_learning_rate, options_);
    at::Tensor best;
    double best_accuracy = -1;
    for (int64_t epoch = 1; epoch <= options_.detection_epochs; ++epoch) {
      const auto batches = detection_batches();
      on_one_thread(prompts.device(), [&] {
        for (const auto& rows : batches.unbind())
          optimiser.step([&](const auto& leaves) { return detection_loss(rows, leaves[0]); });
      });
      const double accuracy = accuracy_of_shortcuts(prompts);
      if (accuracy > best_accuracy) {
        best = prompts.clone();
        best_accuracy = accuracy;
      }
      if (progress_) progress_("detect", epoch, options_.detection_epochs);
    }
    return best;
  }

  /// Retrains the head against them.
  ShortcutProbeResult mitigate(const at::Tensor& prompts) {
    auto head = to(erm_, erm_.weight.device(), erm_.weight.scalar_type());
    std::vector<at::Tensor> parameters = {head.weight};
    if (head.bias.defined()) parameters.push_back(head.bias);
    Sgd optimiser(parameters, options_.mitigation_learning_rate, options_);
    ShortcutProbeResult best{{}, prompts, 0, -1};
    for (int64_t epoch = 1; epoch <= options_.mitigation_epochs; ++epoch) {
      const auto batches = mitigation_batches();
      on_one_thread(prompts.device(), [&] {
        for (const auto& rows : batches.unbind())
          optimiser.step(
              [&](const auto& leaves) { return mitigation_loss(rows, prompts, leaves); });
      });
      const double accuracy = worst_class_accuracy(head, held_out_);
      if (accuracy > best.held_out_worst_class_accuracy) {
        best.head = to(head, head.weight.device(), head.weight.scalar_type());
        best.selected_epoch = epoch;
        best.held_out_worst_class_accuracy = accuracy;
      }
      if (progress_) progress_("tune", epoch, options_.mitigation_epochs);
    }
    return best;
  }

 private:
  at::Tensor uniform(int64_t columns) {
    return at::rand({batches_, columns}, generator_, at::kDouble);
  }

  /// An epoch of pairs, D_cor's samples before D_mis's: int64 [batches, 2⌊B/2⌋].
  at::Tensor detection_batches() {
    const int64_t pairs = options_.batch_size / 2;
    const auto classes = at::randint(0, erm_.classes(), {batches_, pairs}, generator_, at::kLong);
    const auto mis = set_.mis.pick(classes, uniform(pairs));
    const auto cor = set_.cor.pick(predicted_on_host_.take(mis), uniform(pairs));
    return at::cat({cor, mis}, 1).to(probe_.embeddings.device());
  }

  /// An epoch of pairs, D_mis's samples before D_cor's: int64 [batches, 2B].
  at::Tensor mitigation_batches() {
    const int64_t pairs = options_.batch_size;
    const auto ranks =
        at::randint(0, set_.mis.rows.numel(), {batches_, pairs}, generator_, at::kLong);
    const auto mis = set_.mis.rows.take(ranks);
    const auto cor = set_.cor.pick(labels_on_host_.take(mis), uniform(pairs));
    return at::cat({mis, cor}, 1).to(probe_.embeddings.device());
  }

  /// How badly the shortcut parts predict what the head takes the samples for, plus η · their norm.
  at::Tensor detection_loss(const at::Tensor& rows, const at::Tensor& prompts) const {
    const auto inputs = probe_.embeddings.index_select(0, rows);
    const auto parts = shortcut_parts(inputs, prompts);
    const auto loss = at::cross_entropy_loss(at::linear(parts, erm_.weight, erm_.bias),
                                             predicted_.index_select(0, rows));
    return loss + options_.similarity_weight * at::norm(parts, 2, 1).mean();
  }

  /// λ · loss / shortcut loss.
  at::Tensor mitigation_loss(const at::Tensor& rows, const at::Tensor& prompts,
                             const std::vector<at::Tensor>& parameters) const {
    const auto bias = erm_.bias.defined() ? parameters[1] : at::Tensor();
    const auto inputs = probe_.embeddings.index_select(0, rows);
    const auto labels = probe_.labels.index_select(0, rows);
    const int64_t pairs = rows.numel() / 2;
    const auto taken_for =
        at::cat({predicted_.index_select(0, rows.slice(0, 0, pairs)), labels.slice(0, pairs)});
    const auto parts = shortcut_parts(inputs, prompts);
    const auto loss = at::cross_entropy_loss(at::linear(inputs, parameters[0], bias), labels);
    const auto shortcut_loss =
        at::cross_entropy_loss(at::linear(parts, parameters[0], bias), taken_for);
    return options_.shortcut_weight * loss / (shortcut_loss + kLeastShortcutLoss);
  }

  /// Of the ERM head on the shortcut parts of the held-out split: with P the map to those, which is
  /// symmetric, W (P z) = (W P) z.
  double accuracy_of_shortcuts(const at::Tensor& prompts) const {
    auto head = erm_;
    on_one_thread(prompts.device(), [&] { head.weight = shortcut_parts(erm_.weight, prompts); });
    return accuracy_metrics(predictions(head, held_out_.embeddings), held_out_.labels,
                            head.classes())
        .mean_accuracy;
  }

  LabelledEmbeddings probe_;
  LabelledEmbeddings held_out_;
  Head erm_;
  const ShortcutProbeOptions& options_;
  const ProgressFn& progress_;
  at::Generator generator_;
  ProbeSet set_;
  at::Tensor predicted_;  ///< int64 [N], by the ERM head
  at::Tensor predicted_on_host_, labels_on_host_;
  int64_t batches_ = 0;  ///< an epoch
};

}  // namespace

void ShortcutProbeOptions::validate() const {
  check_at_least("prompts", prompts, 1);
  check_number("probe_share", probe_share, probe_share > 0 && probe_share <= 0.5,
               "a number over 0, up to 0.5");
  check_number("similarity_weight", similarity_weight, similarity_weight >= 0, "0 or more");
  check_number("shortcut_weight", shortcut_weight, shortcut_weight > 0, "a number over 0");
  check_at_least("detection_epochs", detection_epochs, 1);
  check_at_least("mitigation_epochs", mitigation_epochs, 1);
  check_at_least("batch_size", batch_size, 2);
  check_number("detection_learning_rate", detection_learning_rate, detection_learning_rate > 0,
               "a number over 0");
  check_number("mitigation_learning_rate", mitigation_learning_rate, mitigation_learning_rate > 0,
               "a number over 0");
  check_number("momentum", momentum, momentum >= 0 && momentum < 1, "0 up to but not 1");
  check_number("weight_decay", weight_decay, weight_decay >= 0, "0 or more");
}

ShortcutProbeResult shortcut_probe(const LabelledEmbeddings& probe,
                                   const LabelledEmbeddings& held_out, const Head& erm,
                                   const ShortcutProbeOptions& options,
                                   const ProgressFn& progress) {
  options.validate();
  check_linear(erm, "ShortcutProbe");
  check_splits(probe, held_out, erm, "the probe split");
  if (options.prompts > erm.embedding_dim())
    throw OptionError("prompts is " + std::to_string(options.prompts) +
                      ", expected at most the embedding's " + std::to_string(erm.embedding_dim()) +
                      " dimensions");
  const c10::NoGradGuard no_grad;
  const auto dtype = computing_type(probe.embeddings);
  Probing probing({probe.embeddings.detach().to(dtype), probe.labels}, held_out,
                  to(erm, probe.embeddings.device(), dtype), options, progress);
  return probing.mitigate(probing.detect());
}

}  // namespace neurontune
