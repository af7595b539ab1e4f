#include "model/verify.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <algorithm>

#include "base/describe.h"
#include "device/full_precision.h"
#include "model/erm_model_impl.h"
#include "model/torchscript.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

constexpr double kSplitTolerance = 1e-4;
// A batch of one takes other kernels than a batch of many, so sums come in another order. What
// training mode does is far larger than either.
constexpr double kBatchTolerance = 1e-3;
constexpr double kLowPrecisionTolerance = 2e-2;  // float16, bfloat16; TF32, unless it is off

constexpr double kSmallOutput = 1e-2;

constexpr const char* kTrainingMode =
    "; the model was exported in training mode: call model.eval() before exporting it";

double max_abs(const at::Tensor& tensor) {
  return tensor.numel() == 0 ? 0.0 : tensor.to(at::kDouble).abs().max().item<double>();
}

/// Relative to the largest number; of numbers that are all but zero, a little more than rounding.
double allowed(double relative, const at::Tensor& output) {
  return relative * std::max(kSmallOutput, max_abs(output));
}

void check_logits_are_finite(const at::Tensor& output, const std::string& model) {
  const int64_t bad = output.numel() - output.isfinite().sum().item<int64_t>();
  if (bad != 0) {
    throw Error(model + ": " + std::to_string(bad) + " of " + std::to_string(output.numel()) +
                " logits are NaN or infinite, expected finite logits");
  }
}

bool is_half(const at::Tensor& output) {
  return output.scalar_type() == at::kHalf || output.scalar_type() == at::kBFloat16;
}

double batch_tolerance(const at::Tensor& output) {
  return output.is_cpu() && !is_half(output) ? kBatchTolerance : kLowPrecisionTolerance;
}

void check_close(const at::Tensor& expected, const at::Tensor& found, const std::string& finding,
                 const char* advice) {
  const double tolerance = allowed(batch_tolerance(expected), expected);
  const bool comparable = expected.sizes() == found.sizes();
  const double difference = comparable ? max_abs(found - expected) : 0;
  if (!comparable || !(difference <= tolerance)) {
    throw Error(
        finding + " (" +
        (comparable
             ? "logits differ by " + describe(difference) + ", allowed " + describe(tolerance)
             : "shapes " + describe(expected.sizes()) + " and " + describe(found.sizes())) +
        ")" + advice);
  }
}

int64_t samples_of(const std::vector<at::Tensor>& inputs) {
  if (inputs.empty() || inputs[0].dim() == 0 || inputs[0].size(0) == 0)
    throw Error("there is no sample to verify the model on");
  return inputs[0].size(0);
}

/// `rows` of each input that has a row a sample.
std::vector<at::Tensor> rows_of(const std::vector<at::Tensor>& inputs, const at::Tensor& rows) {
  const int64_t samples = samples_of(inputs);
  std::vector<at::Tensor> chosen;
  for (const auto& input : inputs) {
    const bool per_sample = input.dim() > 0 && input.size(0) == samples;
    chosen.push_back(per_sample ? input.index_select(0, rows.to(input.device())) : input);
  }
  return chosen;
}

void check_rows(const at::Tensor& output, int64_t samples, const std::string& model) {
  if (output.dim() == 0 || output.size(0) != samples)
    throw Error(model + ": the output has the shape " + describe(output.sizes()) + " for " +
                std::to_string(samples) + " samples, expected a row a sample");
}

at::Tensor of_other_batch(const ModelFunction& model, const std::vector<at::Tensor>& inputs,
                          const std::string& name) {
  try {
    return model(inputs);
  } catch (const Error& error) {
    throw Error(name + " cannot take a batch of " + std::to_string(samples_of(inputs)) +
                ", so was exported in training mode or for one batch size: " + error.what());
  }
}

/// The inputs of the first sample, and of the first one that differs from it; where none does, one
/// made up of it.
std::vector<at::Tensor> two_samples(const std::vector<at::Tensor>& inputs) {
  const auto first = rows_of(inputs, at::tensor({int64_t{0}}));
  auto second = first;
  bool differs = false;
  for (int64_t row = 1; row < samples_of(inputs) && !differs; ++row) {
    second = rows_of(inputs, at::tensor({row}));
    for (std::size_t i = 0; i < first.size(); ++i) differs = differs || !first[i].equal(second[i]);
  }
  std::vector<at::Tensor> both;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const bool per_sample = inputs[i].dim() > 0 && inputs[i].size(0) == samples_of(inputs);
    const bool made_up = !differs && first[i].is_floating_point();
    both.push_back(per_sample ? at::cat({first[i], made_up ? first[i] * 0.5 : second[i]})
                              : first[i]);
  }
  return both;
}

/// Two samples in a batch must give what each gives alone.
void check_batches(const ModelFunction& model, const std::vector<at::Tensor>& inputs,
                   const std::string& name) {
  const auto pair = two_samples(inputs);
  const auto both = of_other_batch(model, pair, name);
  check_rows(both, 2, name);
  for (const int64_t row : {0, 1}) {
    const auto alone = of_other_batch(model, rows_of(pair, at::tensor({row})), name);
    check_rows(alone, 1, name);
    check_close(both.narrow(0, row, 1), alone,
                name + " gives a sample other logits alone than in a batch",
                "; the model was exported in training mode (call model.eval() before exporting "
                "it) or for one batch size, or works along the batch");
  }
}

/// A row of the output must hold a number a class, or the one that decides between two.
void check_columns(const at::Tensor& output, const Head& head, const std::string& model) {
  const auto columns = output.numel() / output.size(0);
  const bool decides = columns == 1 && head.classes() == 2;  // or so it seems: see check_order
  if (columns != head.classes() && !decides)
    throw Error(model + ": the output has the shape " + describe(output.sizes()) +
                ", expected a number for each of the head's " + std::to_string(head.classes()) +
                " classes");
}

/// Whether the numbers of each row rise, but for rounding.
bool rise(const at::Tensor& rows) {
  const auto steps = rows.slice(1, 1) - rows.slice(1, 0, rows.size(1) - 1);
  const double largest = (rows.select(1, -1) - rows.select(1, 0)).max().item<double>();
  return largest > 0 && steps.min().item<double>() >= -1e-3 * largest;
}

/// Whether an output puts the classes in the order of the logits; one number a sample must put the
/// samples in the order in which they speak for the second of two classes.
bool orders_as(const at::Tensor& output, const at::Tensor& logits) {
  const auto rows = output.reshape({logits.size(0), -1}).to(at::kDouble);
  if (rows.size(1) == logits.size(1) && logits.size(1) > 1)
    return rise(rows.gather(1, logits.argsort(/*dim=*/int64_t{1}, /*descending=*/false)));
  const auto single =
      logits.size(1) == 1 ? logits : logits.narrow(1, 1, 1) - logits.narrow(1, 0, 1);
  return rise(rows.t().gather(1, single.t().argsort(/*dim=*/int64_t{1}, /*descending=*/false)));
}

/// Tries the steps after the head on made-up logits: what they do must not depend on the numbers.
void check_order(const std::function<at::Tensor(const at::Tensor& logits)>& after, int64_t samples,
                 int64_t columns, const at::Tensor& like, const std::string& name) {
  constexpr int64_t kTrials = 16;
  auto generator = at::make_generator<at::CPUGeneratorImpl>(0);
  std::vector<at::Tensor> outputs, logits;
  for (int64_t trial = 0; trial < kTrials; ++trial) {
    const auto made_up = at::rand({samples, columns}, generator).mul_(4).sub_(2).to(like.options());
    logits.push_back(made_up.clone());
    outputs.push_back(after(made_up));
  }
  const auto output = at::cat(outputs);
  if (!output.is_floating_point() || !orders_as(output.cpu(), at::cat(logits).cpu()))
    throw Error(name +
                ": what follows the head does not keep the order of the classes, so another head "
                "would not do there what it does here; export the model without these steps");
}

/// What the model's own layer gives: one logit where the head has two classes for it.
at::Tensor own_logits(const Head& head, const at::Tensor& features) {
  if (!head.is_linear()) {
    const auto own = logits(head, features);
    return head.single_logit ? own.narrow(1, 1, 1) - own.narrow(1, 0, 1) : own;
  }
  const auto own = head.single_logit ? one_logit(head) : head;
  return at::linear(features, own.weight, own.bias);
}

}  // namespace

at::Tensor verified_output(const ModelFunction& model, const std::vector<at::Tensor>& inputs,
                           const std::string& name) {
  auto whole = model(inputs);
  check_rows(whole, samples_of(inputs), name);
  check_logits_are_finite(whole, name);
  check_close(whole, model(inputs), name + " gives other logits when it is run again",
              kTrainingMode);
  check_batches(model, inputs, name);
  return whole;
}

double split_tolerance(const at::Tensor& output) {
  return is_half(output) ? low_precision_tolerance(output) : allowed(kSplitTolerance, output);
}

double low_precision_tolerance(const at::Tensor& output) {
  return allowed(kLowPrecisionTolerance, output);
}

SplitVerification ErmModel::verify(const std::vector<at::Tensor>& inputs) const {
  const FullPrecision full_precision;
  const auto whole =
      verified_output([&](const auto& tensors) { return output(tensors); }, inputs, impl_->name());
  const auto own = head();
  check_columns(whole, own, impl_->name());
  const auto split = torchscript::call(
      impl_->name(), [&] { return impl_->output_of(own_logits(own, features(inputs)), inputs); });
  const auto after = [&](const at::Tensor& numbers) {
    return torchscript::call(impl_->name(), [&] { return impl_->output_of(numbers, inputs); });
  };
  check_order(after, whole.size(0), own.single_logit ? 1 : own.classes(), own.weight,
              impl_->name());
  if (split.sizes() != whole.sizes())
    throw Error(impl_->name() + ": the head " + impl_->head.name + " gives the shape " +
                describe(split.sizes()) + ", the model " + describe(whole.sizes()));
  const SplitVerification verification{max_abs(split - whole), split_tolerance(whole)};
  if (!(verification.max_abs_difference <= verification.tolerance)) {
    throw Error(impl_->name() + ": the head " + impl_->head.name +
                " after the features gives logits that differ from the model's by " +
                describe(verification.max_abs_difference) + ", allowed " +
                describe(verification.tolerance));
  }
  return verification;
}

}  // namespace neurontune
