// Selects an epoch of NeuronTune by a criterion of one's own: the smallest expected cost on
// held-out data, where one kind of mistake costs ten times as much as the other.

#include <ATen/ATen.h>
#include <neurontune/method/neuron_tune.h>

#include <algorithm>
#include <cstdio>

namespace {

/// Random embeddings of two classes. Dimension 0 tells them apart; dimension 1 does so more
/// clearly, but only where the attribute agrees with the label.
neurontune::LabelledEmbeddings draw_split(int64_t samples, double agreement) {
  const at::Tensor labels = at::rand({samples}).lt(0.5).to(at::kLong);
  const at::Tensor attributes = at::where(at::rand({samples}).lt(agreement), labels, 1 - labels);
  at::Tensor embeddings = at::randn({samples, 32});
  embeddings.select(1, 0).add_(2.0 * labels - 1.0);
  embeddings.select(1, 1).add_(4.0 * (2.0 * attributes - 1.0));
  return {embeddings, labels};
}

/// The criterion: what a head's mistakes cost, on average over the samples.
double expected_cost(const neurontune::Head& head, const neurontune::LabelledEmbeddings& split) {
  const at::Tensor predicted = neurontune::predictions(head, split.embeddings);  // int64 [N]
  const auto missed = predicted.eq(0).logical_and(split.labels.eq(1)).sum().item<int64_t>();
  const auto false_alarms = predicted.eq(1).logical_and(split.labels.eq(0)).sum().item<int64_t>();
  return static_cast<double>(10 * missed + false_alarms) /
         static_cast<double>(split.labels.size(0));
}

}  // namespace

int main() {
  at::manual_seed(0);
  const auto tuning = draw_split(20000, 0.95), identification = draw_split(2000, 0.95);
  const auto selection = draw_split(2000, 0.95), test = draw_split(4000, 0.5);
  const at::Tensor weight = at::randn({2, 32}).mul(0.01);
  weight.select(1, 1).copy_(at::arange(-1, 2, 2));  // the head to repair looks at dimension 1
  const neurontune::Head erm{weight, {}};

  // Every epoch's head is in the trajectory, whatever the library's own criterion prefers.
  neurontune::NeuronTuneOptions options;
  options.identify.threshold = 1;  // a dimension that is clearly more active on mistakes
  const auto result = neurontune::neuron_tune(identification, tuning, erm, options);
  std::printf("The library's choice is epoch %ld. %s\n", static_cast<long>(result.selected_epoch),
              result.reason.c_str());

  const auto best = std::min_element(
      result.trajectory.begin(), result.trajectory.end(), [&](const auto& a, const auto& b) {
        return expected_cost(a.head, selection) < expected_cost(b.head, selection);
      });
  std::printf("By expected cost it is epoch %ld.\n", static_cast<long>(best->epoch));
  std::printf("Cost on test: %.3f before, %.3f by the library's choice, %.3f by this criterion.\n",
              expected_cost(erm, test), expected_cost(result.head, test),
              expected_cost(best->head, test));
}
