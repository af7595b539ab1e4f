#include "neurontune/baselines/self.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/computing_type.h"
#include "base/option_checks.h"
#include "core/splits.h"
#include "neurontune/base/error.h"
#include "neurontune/method/retraining.h"

namespace neurontune {
namespace {

/// Rows of one class, by whether the ERM head is right: int64 [n] each, ascending, on the CPU.
struct ClassRows {
  at::Tensor misclassified, correct;
};

std::vector<ClassRows> rows_of_classes(const at::Tensor& labels, const at::Tensor& predicted,
                                       int64_t classes) {
  const auto right = predicted.eq(labels);
  std::vector<ClassRows> rows;
  for (int64_t label = 0; label < classes; ++label) {
    const auto of_class = labels.eq(label);
    rows.push_back({of_class.logical_and(right.logical_not()).nonzero().squeeze(1),
                    of_class.logical_and(right).nonzero().squeeze(1)});
  }
  return rows;
}

/// Correct samples asked of a class without a mistake: the mean error count of the others.
int64_t mean_error_count(const std::vector<ClassRows>& rows) {
  int64_t mistakes = 0, with_mistakes = 0;
  for (const auto& of_class : rows) {
    mistakes += of_class.misclassified.numel();
    with_mistakes += of_class.misclassified.numel() > 0 ? 1 : 0;
  }
  if (mistakes == 0)
    throw Error(
        "the head misclassifies no sample of the fine-tuning split, expected at least one; give "
        "data that the model was not trained on, or more of it");
  return std::max<int64_t>(
      1, std::llround(static_cast<double>(mistakes) / static_cast<double>(with_mistakes)));
}

/// Every mistake, and of each class as many correct samples: int64 [n].
at::Tensor error_set(const std::vector<ClassRows>& rows, const at::Generator& generator) {
  const int64_t mean = mean_error_count(rows);
  std::vector<at::Tensor> chosen;
  for (const auto& [misclassified, correct] : rows) {
    const int64_t wanted = misclassified.numel() > 0 ? misclassified.numel() : mean;
    const auto order = at::randperm(correct.numel(), generator, at::kLong);
    chosen.push_back(misclassified);
    chosen.push_back(correct.index_select(0, order.slice(0, 0, std::min(wanted, correct.numel()))));
  }
  return at::cat(chosen);
}

RetrainingOptions retraining_options(const SelfOptions& options, double learning_rate) {
  RetrainingOptions retraining;
  retraining.epochs = 1;
  retraining.batches_per_epoch = options.steps;
  retraining.batch_size = options.batch_size;
  retraining.learning_rate = learning_rate;
  retraining.momentum = options.momentum;
  retraining.weight_decay = options.weight_decay;
  return retraining;
}

}  // namespace

void SelfOptions::validate() const {
  check_each(
      "learning_rates", learning_rates, [](double value) { return value > 0; }, "a number over 0");
  check_at_least("steps", steps, 1);
  retraining_options(*this, learning_rates.front()).validate();
}

SelfResult self(const LabelledEmbeddings& fine_tuning, const LabelledEmbeddings& held_out,
                const Head& erm, const SelfOptions& options) {
  options.validate();
  check_splits(fine_tuning, held_out, erm, "the fine-tuning split");
  const c10::NoGradGuard no_grad;
  const auto device = fine_tuning.embeddings.device();
  const auto head = to(erm, device, computing_type(fine_tuning.embeddings));
  auto generator = at::make_generator<at::CPUGeneratorImpl>(options.seed);
  const auto rows =
      error_set(rows_of_classes(fine_tuning.labels.cpu(),
                                predictions(head, fine_tuning.embeddings).cpu(), head.classes()),
                generator)
          .to(device);
  const auto embeddings = fine_tuning.embeddings.index_select(0, rows);
  const auto labels = fine_tuning.labels.index_select(0, rows);

  SelfResult best{{}, 0, rows.numel(), -1};
  for (const double rate : options.learning_rates) {
    // A clone each: every learning rate sees the same batches.
    HeadRetrainer retrainer(embeddings, labels, head, retraining_options(options, rate),
                            generator.clone());
    retrainer.run_epoch();
    const double accuracy = worst_class_accuracy(retrainer.head(), held_out);
    if (accuracy <= best.held_out_worst_class_accuracy) continue;
    best.head = retrainer.head();
    best.learning_rate = rate;
    best.held_out_worst_class_accuracy = accuracy;
  }
  return best;
}

}  // namespace neurontune
