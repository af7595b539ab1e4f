#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "model/erm_model_impl.h"
#include "model/torchscript.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr double kSplitTolerance = 1e-4;
// A batch of one takes other kernels than a batch of many, so sums come in another order. What
// training mode does is far larger than either.
constexpr double kBatchTolerance = 1e-3;
constexpr double kLowPrecisionBatchTolerance = 2e-2;  // float16, bfloat16; TF32 on CUDA

constexpr const char* kTrainingMode =
    "; the model was exported in training mode: call model.eval() before exporting it";

double max_abs(const at::Tensor& tensor) {
  return tensor.numel() == 0 ? 0.0 : tensor.to(at::kDouble).abs().max().item<double>();
}

double allowed(double relative, const at::Tensor& logits) {
  return std::max(relative, relative * max_abs(logits));
}

std::string text(double number) {
  std::ostringstream stream;
  stream << number;
  return stream.str();
}

void check_finite(const at::Tensor& logits, const std::string& model) {
  const int64_t bad = logits.numel() - logits.isfinite().sum().item<int64_t>();
  if (bad != 0) {
    throw Error(model + ": " + std::to_string(bad) + " of " + std::to_string(logits.numel()) +
                " logits are NaN or infinite, expected finite logits");
  }
}

double batch_tolerance(const at::Tensor& logits) {
  const bool full_precision = logits.is_cpu() && (logits.scalar_type() == at::kFloat ||
                                                  logits.scalar_type() == at::kDouble);
  return full_precision ? kBatchTolerance : kLowPrecisionBatchTolerance;
}

void check_close(const at::Tensor& expected, const at::Tensor& found, const std::string& finding) {
  const double tolerance = allowed(batch_tolerance(expected), expected);
  const double difference = max_abs(found - expected);
  if (!(difference <= tolerance)) {
    throw Error(finding + " (logits differ by " + text(difference) + ", allowed " +
                text(tolerance) + ")" + kTrainingMode);
  }
}

/// The inputs of the first sample of a batch of `samples`.
std::vector<at::Tensor> first_sample(const std::vector<at::Tensor>& inputs, int64_t samples) {
  std::vector<at::Tensor> first;
  for (const auto& input : inputs) {
    const bool per_sample = input.dim() > 0 && input.size(0) == samples;
    first.push_back(per_sample ? input.narrow(0, 0, 1) : input);
  }
  return first;
}

at::Tensor alone(const ErmModel& model, const std::vector<at::Tensor>& inputs, int64_t samples,
                 const std::string& name) {
  try {
    return model.logits(first_sample(inputs, samples));
  } catch (const Error& error) {
    throw Error(name + " cannot take a batch of one sample, so was exported in training mode or " +
                "for one batch size: " + error.what());
  }
}

}  // namespace

SplitVerification ErmModel::verify(const std::vector<at::Tensor>& inputs) const {
  const auto whole = logits(inputs);
  check_finite(whole, impl_->name());
  check_close(whole, logits(inputs), impl_->name() + " gives other logits when it is run again");
  if (whole.size(0) >= 2) {
    check_close(whole.narrow(0, 0, 1), alone(*this, inputs, whole.size(0), impl_->name()),
                impl_->name() + " gives a sample other logits alone than in a batch");
  }

  const auto own_head = head();
  const auto split = torchscript::call(
      impl_->name(), [&] { return at::linear(features(inputs), own_head.weight, own_head.bias); });
  const SplitVerification verification{max_abs(split - whole), allowed(kSplitTolerance, whole)};
  if (!(verification.max_abs_difference <= verification.tolerance)) {
    throw Error(impl_->name() + ": the head " + impl_->head.name +
                " after the features gives logits that differ from the model's by " +
                text(verification.max_abs_difference) + ", allowed " +
                text(verification.tolerance));
  }
  return verification;
}

}  // namespace neurontune
