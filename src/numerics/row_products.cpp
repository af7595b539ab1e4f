#include "numerics/row_products.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <vector>

#include "numerics/aligned_rows.h"
#include "numerics/dense_product.h"
#include "numerics/row_kernels.h"

namespace neurontune {
namespace {

/// With more classes matrix products are faster.
constexpr int64_t kFewClasses = 16;

template <typename Real>
struct Views {
  const Real* inputs;
  int64_t rows, stride, columns, classes;
};

template <typename Real>
Views<Real> views(const at::Tensor& inputs, int64_t classes) {
  return {inputs.const_data_ptr<Real>(), inputs.size(0), inputs.stride(0), inputs.size(1), classes};
}

template <typename Real>
NEURONTUNE_INLINE void multiply(const Views<Real>& of, const Real* matrix, Real* products) {
  for (int64_t row = 0; row < of.rows; ++row)
    for (int64_t label = 0; label < of.classes; ++label)
      products[row * of.classes + label] =
          dot(of.inputs + row * of.stride, matrix + label * of.columns, of.columns);
}

template <typename Real>
NEURONTUNE_INLINE void add_up(const Views<Real>& of, const Real* factors, Real* sums) {
  std::vector<const Real*> rows(of.rows);
  for (int64_t row = 0; row < of.rows; ++row) rows[row] = of.inputs + row * of.stride;
  for (int64_t label = 0; label < of.classes; ++label)
    add_rows(rows.data(), factors + label, of.rows, of.classes, of.columns,
             sums + label * of.columns);
}

bool has_few_classes(const at::Tensor& inputs, int64_t classes) {
  return inputs.is_cpu() && inputs.stride(1) == 1 && classes <= kFewClasses;
}

}  // namespace

at::Tensor row_products(const at::Tensor& inputs, const at::Tensor& matrix) {
  if (!has_few_classes(inputs, matrix.size(0)))
    return product_with_transpose(aligned_rows(inputs), matrix);
  const auto rows = matrix.contiguous();
  auto products = at::empty({inputs.size(0), matrix.size(0)}, inputs.options());
  AT_DISPATCH_FLOATING_TYPES(inputs.scalar_type(), "row_products", [&] {
    const auto of = views<scalar_t>(inputs, matrix.size(0));
    const auto* const data = rows.const_data_ptr<scalar_t>();
    auto* const out = products.mutable_data_ptr<scalar_t>();
    with_wide_registers([&]() NEURONTUNE_INLINE_LAMBDA { multiply(of, data, out); });
  });
  return products;
}

at::Tensor weighted_row_sums(const at::Tensor& factors, const at::Tensor& inputs) {
  if (!has_few_classes(inputs, factors.size(1)))
    return product_with_transpose(factors.t(), aligned_rows(inputs).t());
  const auto rows = factors.contiguous();
  auto sums = at::zeros({factors.size(1), inputs.size(1)}, inputs.options());
  AT_DISPATCH_FLOATING_TYPES(inputs.scalar_type(), "weighted_row_sums", [&] {
    const auto of = views<scalar_t>(inputs, factors.size(1));
    const auto* const data = rows.const_data_ptr<scalar_t>();
    auto* const out = sums.mutable_data_ptr<scalar_t>();
    with_wide_registers([&]() NEURONTUNE_INLINE_LAMBDA { add_up(of, data, out); });
  });
  return sums;
}

}  // namespace neurontune
