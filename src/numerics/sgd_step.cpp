#include "numerics/sgd_step.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include "numerics/row_kernels.h"
#include "numerics/wide_registers.h"

namespace neurontune {
namespace {

bool is_plain(const at::Tensor& tensor) {
  return !tensor.defined() || (tensor.is_cpu() && tensor.is_contiguous());
}

template <typename Real>
void step_rows(const at::Tensor& parameter, const at::Tensor& velocity, const at::Tensor& gradient,
               const at::Tensor& mask, const Sgd<Real>& sgd) {
  const int64_t rows = parameter.dim() > 1 ? parameter.size(0) : 1;
  const int64_t columns = rows > 0 ? parameter.numel() / rows : 0;
  auto* const p = parameter.mutable_data_ptr<Real>();
  auto* const v = velocity.mutable_data_ptr<Real>();
  const auto* const g = gradient.const_data_ptr<Real>();
  const auto* const m = mask.defined() ? mask.const_data_ptr<Real>() : nullptr;
  const int64_t mask_stride = m != nullptr && mask.size(0) > 1 ? columns : 0;
  with_wide_registers([&]() NEURONTUNE_INLINE_LAMBDA {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * columns;
      const auto* const of_row = m == nullptr ? nullptr : m + row * mask_stride;
      sgd_steps(p + at, v + at, g + at, of_row, columns, sgd);
    }
  });
}

}  // namespace

void sgd_step(at::Tensor parameter, at::Tensor velocity, const at::Tensor& gradient,
              const at::Tensor& mask, const SgdRates& rates) {
  if (is_plain(parameter) && is_plain(velocity) && is_plain(gradient) && is_plain(mask)) {
    AT_DISPATCH_FLOATING_TYPES(parameter.scalar_type(), "sgd_step", [&] {
      step_rows<scalar_t>(
          parameter, velocity, gradient, mask,
          {static_cast<scalar_t>(rates.learning_rate), static_cast<scalar_t>(rates.momentum),
           static_cast<scalar_t>(rates.weight_decay)});
    });
    return;
  }
  const auto decays = mask.defined() ? parameter * mask.ne(0) : parameter;
  velocity.mul_(rates.momentum)
      .add_(mask.defined() ? gradient * mask : gradient)
      .add_(decays, rates.weight_decay);
  parameter.sub_(velocity, rates.learning_rate);
}

}  // namespace neurontune
