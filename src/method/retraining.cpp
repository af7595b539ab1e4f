#include "neurontune/method/retraining.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/checks.h"
#include "base/computing_type.h"
#include "base/describe.h"
#include "base/option_checks.h"
#include "device/launch_graph.h"
#include "method/epochs.h"
#include "method/layered_gradient.h"
#include "neurontune/base/error.h"
#include "neurontune/method/class_balanced_sampler.h"
#include "numerics/dense_product.h"
#include "numerics/fixed_blocks.h"
#include "numerics/linear_epoch.h"
#include "numerics/sgd_step.h"

namespace neurontune {
namespace {

constexpr int64_t kResidualsPerBlock = 32;
constexpr int64_t kClassesPerBlock = 256;
/// A copy of the columns that a mask keeps is made where it is at most this share of the whole.
constexpr double kSmallCopy = 0.3;

/// Makes (softmax − one-hot labels) / B of logits [C, B], and writes the cross-entropies [B].
void logits_to_residuals(const at::Tensor& logits, const at::Tensor& labels,
                         const at::Tensor& losses) {
  const int64_t batch = logits.size(1);
  for_fixed_blocks(logits.device(), batch, kResidualsPerBlock, [&](int64_t first, int64_t last) {
    const auto block = logits.slice(1, first, last);
    const auto of = labels.slice(0, first, last).unsqueeze(0);
    const auto log_softmax = block.log_softmax(0);
    losses.slice(0, first, last).copy_(log_softmax.gather(0, of).squeeze(0).neg());
    block.copy_(log_softmax.exp()).scatter_add_(0, of, at::full_like(of, -1, block.options()));
    block.div_(batch);
  });
}

}  // namespace

const char* name(Start start) {
  switch (start) {
    case Start::erm:
      return "erm";
    case Start::fresh:
      return "fresh";
  }
  return "";
}

void RetrainingOptions::validate() const {
  check_at_least("refresh", refresh, 0);
  check_between("epochs", epochs, 1, 100'000);
  check_between("batches_per_epoch", batches_per_epoch, 1, 1'000'000);
  check_between("batch_size", batch_size, 1, 1'000'000);
  // The indices of an epoch's samples are drawn at once.
  check_between("batches_per_epoch times batch_size", batches_per_epoch * batch_size, 1,
                100'000'000);
  check_number("learning_rate", learning_rate, learning_rate > 0, "a number over 0");
  check_number("momentum", momentum, momentum >= 0 && momentum < 1, "0 up to but not 1");
  check_number("weight_decay", weight_decay, weight_decay >= 0, "0 or more");
}

Head fresh_head(const Head& like, at::Generator generator) {
  const auto uniform = [&](const at::Tensor& matrix) {
    const auto unit = at::rand(matrix.sizes(), generator, matrix.scalar_type());
    const int64_t inputs = matrix.numel() / matrix.size(0);
    return (unit * 2 - 1) / std::sqrt(static_cast<double>(inputs));
  };
  auto head = to(like, at::kCPU, like.weight.scalar_type());
  head.weight = uniform(like.weight);
  if (head.bias.defined()) head.bias.zero_();
  for (std::size_t i = 0; i < head.later_parameters.size(); ++i) {
    auto& parameter = head.later_parameters[i];
    if (parameter.dim() >= 2)
      parameter = uniform(parameter);
    else if (like.later_layers->parameter_names[i].ends_with("bias"))
      parameter.zero_();
  }
  return head;
}

Head starting_head(const Head& erm, Start start, const at::Generator& generator) {
  return start == Start::erm ? erm : fresh_head(erm, generator);
}

std::string infinite_retraining(int64_t epoch, const RetrainingOptions& options) {
  return "retraining became infinite in epoch " + std::to_string(epoch) +
         "; a lower learning rate may help (now " + describe(options.learning_rate) + ")";
}

/// What HeadRetrainer holds.
class HeadRetrainer::Training {
 public:
  Training(const at::Tensor& embeddings, const at::Tensor& labels, const Head& start,
           const RetrainingOptions& options, at::Generator generator);

  void set_mask(const at::Tensor& mask);
  double run_epoch();
  Head head() const;

 private:
  struct Batch;
  void select_columns();
  at::Tensor all_columns() const;
  void run_linear();
  void run_batches();
  void step_through_batches();
  void find_logits(const Batch& batch, int64_t first, int64_t last) const;
  void descend(const Batch& batch, int64_t first, int64_t last);
  at::Tensor mask_of(int64_t first, int64_t last) const;
  void step_layers(const at::Tensor& rows, const at::Tensor& row_losses);

  at::Tensor embeddings_;  ///< [N, M]
  at::Tensor labels_;      ///< int64 [N]
  RetrainingOptions options_;
  SgdRates rates_;
  ClassBalancedSampler sampler_;
  Head head_;        ///< unmasked weights of all dimensions
  at::Tensor mask_;  ///< [M] or [C, M]

  // The problem on M' of the M columns: those that the mask keeps, where they are few, else all.
  at::Tensor columns_;      ///< int64 [M'], or undefined for all
  at::Tensor inputs_;       ///< [N, M']
  at::Tensor column_mask_;  ///< [1, M'] or [C, M'], or undefined where it is 1 everywhere
  at::Tensor weight_;       ///< [C, M']
  at::Tensor weight_velocity_, bias_velocity_;
  std::vector<at::Tensor> later_velocities_;

  // Of an epoch: always in one place, for the graph.
  at::Tensor batches_;     ///< int64 [batches, B]: rows
  at::Tensor row_losses_;  ///< [batches, B]
  std::unique_ptr<LaunchGraph> graph_;
};

HeadRetrainer::Training::Training(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const Head& start, const RetrainingOptions& options,
                                  at::Generator generator)
    : embeddings_(embeddings.detach()),
      labels_(labels.detach()),
      options_(options),
      rates_{options.learning_rate, options.momentum, options.weight_decay},
      sampler_(labels_, start.classes(), options.batch_size, std::move(generator)) {
  options_.validate();
  check_head(start, "the head to retrain");
  check_labelled(embeddings_, labels_, start.classes(), "the tuning split");
  if (embeddings_.size(1) != start.embedding_dim())
    throw Error("the tuning split: embeddings are " + describe(embeddings_) +
                ", the head expects [N, " + std::to_string(start.embedding_dim()) + "]");
  const auto dtype = computing_type(embeddings_);
  head_ = to(start, embeddings_.device(), dtype);
  batches_ = at::empty({options_.batches_per_epoch, options_.batch_size}, labels_.options());
  row_losses_ = at::empty(batches_.sizes(), head_.weight.options());
  set_mask(at::ones({head_.embedding_dim()}, head_.weight.options()));
}

void HeadRetrainer::Training::set_mask(const at::Tensor& mask) {
  const bool fits = mask.dim() == 1   ? mask.size(0) == head_.embedding_dim()
                    : mask.dim() == 2 ? head_.is_linear() && mask.sizes() == head_.weight.sizes()
                                      : false;
  if (!fits)
    throw Error("the mask is " + describe(mask) + ", expected [M] or [C, M] of a head " +
                describe(head_.weight));
  const c10::NoGradGuard no_grad;
  if (mask_.defined()) head_.weight = all_columns();
  mask_ = mask.detach().to(head_.weight.options());
  select_columns();
  weight_velocity_ = at::zeros_like(weight_);
  if (head_.bias.defined()) bias_velocity_ = at::zeros_like(head_.bias);
  later_velocities_.clear();
  for (const auto& parameter : head_.later_parameters)
    later_velocities_.push_back(at::zeros_like(parameter));
  graph_ = std::make_unique<LaunchGraph>(embeddings_.device());
}

void HeadRetrainer::Training::select_columns() {
  // Columns that are zero for every class need not be multiplied, if it takes little memory.
  const auto rows = mask_.dim() == 1 ? mask_.unsqueeze(0) : mask_;
  auto columns = rows.ne(0).any(0).nonzero().squeeze(1);
  const auto dimensions = head_.embedding_dim();
  const auto limit = kSmallCopy * static_cast<double>(dimensions);
  const bool some = static_cast<double>(columns.numel()) <= limit;
  if (!some) columns = at::arange(dimensions, columns.options());
  columns_ = some ? columns : at::Tensor();
  inputs_ = some ? embeddings_.index_select(1, columns) : embeddings_;
  if (inputs_.stride(1) != 1) inputs_ = inputs_.contiguous();
  weight_ = head_.weight.index_select(1, columns);
  column_mask_ = rows.index_select(1, columns);
  if (column_mask_.eq(1).all().item<bool>()) column_mask_ = at::Tensor();
}

/// The unmasked weights of all dimensions, those in training among them: [C, M].
at::Tensor HeadRetrainer::Training::all_columns() const {
  return columns_.defined() ? head_.weight.index_copy(1, columns_, weight_) : weight_;
}

double HeadRetrainer::Training::run_epoch() {
  const c10::NoGradGuard no_grad;
  batches_.copy_(sampler_.draw(options_.batches_per_epoch));
  const bool few_classes = head_.classes() <= kLinearEpochClasses;
  if (!head_.is_linear())
    run_batches();  // autograd and TorchScript need not do the same work each time
  else if (embeddings_.is_cpu() && few_classes)
    run_linear();
  else
    graph_->run([this] { run_batches(); });

  // Each batch's sum, then these in order: the same whatever the number of threads.
  const auto batch_losses = row_losses_.sum({1}, /*keepdim=*/false, at::kDouble).cpu();
  const double* const losses = batch_losses.const_data_ptr<double>();
  return std::accumulate(losses, losses + batches_.size(0), 0.0) /
         static_cast<double>(batches_.numel());
}

void HeadRetrainer::Training::run_linear() {
  LinearTraining head{inputs_,          labels_,    column_mask_,  weight_,
                      weight_velocity_, head_.bias, bias_velocity_};
  run_linear_epoch(head, batches_, rates_, row_losses_);
}

void HeadRetrainer::Training::run_batches() {
  const FewThreads few(options_.batch_size * weight_.size(1) * weight_.size(0));
  if (head_.is_linear()) {
    step_through_batches();
  } else {
    for (int64_t batch = 0; batch < batches_.size(0); ++batch)
      step_layers(batches_[batch], row_losses_[batch]);
  }
}

/// A batch of B under way.
struct HeadRetrainer::Training::Batch {
  at::Tensor inputs;     ///< Z, [B, M']
  at::Tensor residuals;  ///< the logits, [C, B], then R
};

/// Steps of SGD on the mean cross-entropy of each batch: with P the softmax of the logits and Y the
/// one-hot labels, dL/dlogits = (P − Y) / B = Rᵀ, so dL/dW = R Z, times the mask, and dL/db the sum
/// of R over the batch. Blocks of classes give gradients and logits, blocks of rows the softmax;
/// nothing is summed across blocks. A block's weights are still in the cache from their step when
/// the next batch's logits read them.
void HeadRetrainer::Training::step_through_batches() {
  const auto for_class_blocks = [&](const auto& work) {
    for_fixed_blocks(weight_.device(), head_.classes(), kClassesPerBlock, work);
  };
  Batch before;
  for (int64_t i = 0; i < batches_.size(0); ++i) {
    const auto rows = batches_[i];
    const Batch batch{inputs_.index_select(0, rows).to(weight_.scalar_type()),
                      at::empty({head_.classes(), rows.size(0)}, weight_.options())};
    for_class_blocks([&](int64_t first, int64_t last) {
      if (i > 0) descend(before, first, last);
      find_logits(batch, first, last);
    });
    logits_to_residuals(batch.residuals, labels_.index_select(0, rows), row_losses_[i]);
    before = batch;
  }
  for_class_blocks([&](int64_t first, int64_t last) { descend(before, first, last); });
}

void HeadRetrainer::Training::find_logits(const Batch& batch, int64_t first, int64_t last) const {
  const auto weight = weight_.slice(0, first, last), mask = mask_of(first, last);
  const auto logits = batch.residuals.slice(0, first, last);
  logits.copy_(product_with_transpose(mask.defined() ? weight * mask : weight, batch.inputs));
  if (head_.bias.defined()) logits.add_(head_.bias.slice(0, first, last).unsqueeze(1));
}

void HeadRetrainer::Training::descend(const Batch& batch, int64_t first, int64_t last) {
  const auto of_classes = [&](const at::Tensor& tensor) { return tensor.slice(0, first, last); };
  const auto residuals = batch.residuals.slice(0, first, last);
  sgd_step(of_classes(weight_), of_classes(weight_velocity_),
           product_with_transpose(residuals, batch.inputs.t()), mask_of(first, last), rates_);
  if (head_.bias.defined())
    sgd_step(of_classes(head_.bias), of_classes(bias_velocity_), residuals.sum(1), {}, rates_);
}

/// The mask of some classes' weights, or undefined where it is 1 everywhere.
at::Tensor HeadRetrainer::Training::mask_of(int64_t first, int64_t last) const {
  const bool differs = column_mask_.defined() && column_mask_.size(0) > 1;
  return differs ? column_mask_.slice(0, first, last) : column_mask_;
}

void HeadRetrainer::Training::step_layers(const at::Tensor& rows, const at::Tensor& row_losses) {
  auto masked = head_;
  masked.weight = column_mask_.defined() ? weight_ * column_mask_ : weight_;
  const auto inputs = inputs_.index_select(0, rows).to(weight_.scalar_type());
  auto gradient = layered_gradient(masked, inputs, labels_.index_select(0, rows), row_losses);
  sgd_step(weight_, weight_velocity_, gradient.weight, column_mask_, rates_);
  if (head_.bias.defined()) sgd_step(head_.bias, bias_velocity_, gradient.bias, {}, rates_);
  for (std::size_t i = 0; i < later_velocities_.size(); ++i)
    sgd_step(head_.later_parameters[i], later_velocities_[i], gradient.later[i], {}, rates_);
}

Head HeadRetrainer::Training::head() const {
  const c10::NoGradGuard no_grad;
  auto head = to(head_, head_.weight.device(), head_.weight.scalar_type());
  head.weight = all_columns() * mask_;
  return head;
}

HeadRetrainer::HeadRetrainer(const at::Tensor& embeddings, const at::Tensor& labels,
                             const Head& start, const RetrainingOptions& options,
                             at::Generator generator)
    : training_(
          std::make_unique<Training>(embeddings, labels, start, options, std::move(generator))) {}
HeadRetrainer::HeadRetrainer(HeadRetrainer&&) noexcept = default;
HeadRetrainer::~HeadRetrainer() = default;

void HeadRetrainer::set_mask(const at::Tensor& mask) { training_->set_mask(mask); }
double HeadRetrainer::run_epoch() { return training_->run_epoch(); }
Head HeadRetrainer::head() const { return training_->head(); }

}  // namespace neurontune
