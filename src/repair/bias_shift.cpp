#include "neurontune/repair/bias_shift.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/computing_type.h"
#include "core/split_checks.h"
#include "core/splits.h"
#include "neurontune/base/error.h"
#include "neurontune/metrics/group_accuracy.h"
#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

/// A step moves each bias by the mean margin times what its class's accuracy lacks. The best one is
/// kept, so that more steps do no harm, and 200 of a few thousand numbers cost nothing.
constexpr int64_t kSteps = 200;
/// Steps after which one is half as long: the first ones cross the whole range of the logits, the
/// last, a tenth as long, settle.
constexpr double kHalvedAfter = 20;

/// How far the highest logit is over the next, on average.
double mean_margin(const at::Tensor& logits) {
  if (logits.size(1) < 2) return 0;
  const auto best = std::get<0>(logits.topk(2, 1));
  double margin = 0;
  on_one_thread(at::kCPU,
                [&] { margin = (best.select(1, 0) - best.select(1, 1)).mean().item<double>(); });
  return margin;
}

/// Accuracy of each class: float64 [C].
at::Tensor class_accuracy(const at::Tensor& logits, const at::Tensor& labels, int64_t classes) {
  const auto found = accuracy_metrics(logits.argmax(1), labels, classes).class_accuracy;
  auto result = at::empty({classes}, at::kDouble);
  for (int64_t label = 0; label < classes; ++label)
    result[label] = *found[static_cast<std::size_t>(label)];
  return result;
}

}  // namespace

Head shift_biases(const LabelledEmbeddings& held_out, const Head& erm) {
  check_linear(erm, "shifting biases");
  check_split(held_out, erm, "the held-out split");
  check_every_class(held_out.labels, erm.classes(), "the held-out split");
  if (!erm.bias.defined()) throw Error("the head has no bias, so none can be shifted");
  const c10::NoGradGuard no_grad;
  auto head = to(erm, held_out.embeddings.device(), computing_type(held_out.embeddings));
  // [N, C] and [N] on the CPU, where sums over a few thousand small numbers cost nothing.
  const auto outputs = logits(head, held_out.embeddings.detach()).cpu().to(at::kDouble);
  const auto labels = held_out.labels.cpu();
  const int64_t classes = head.classes();
  const double unit = mean_margin(outputs);
  auto shift = at::zeros({classes}, at::kDouble), best_shift = shift.clone();
  double best = -1;
  for (int64_t step = 0; step <= kSteps; ++step) {
    const auto accuracy = class_accuracy(outputs + shift, labels, classes);
    if (const double worst = accuracy.min().item<double>(); worst > best) {
      best = worst;
      best_shift = shift.clone();
    }
    shift += (accuracy.mean() - accuracy) * (unit / (1 + static_cast<double>(step) / kHalvedAfter));
  }
  head.bias = head.bias + best_shift.to(head.bias.device(), head.bias.scalar_type());
  return head;
}

}  // namespace neurontune
