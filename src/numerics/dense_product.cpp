#include "numerics/dense_product.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <optional>

namespace neurontune {
namespace {

using NoScalars = c10::List<std::optional<at::Scalar>>;
/// Of input, weight, bias, and what is done to the product, with its scalars and algorithm.
using Linear = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                          std::string_view, NoScalars, std::optional<std::string_view>);

/// The one operation of LibTorch that gives float32 products of plain tensors to oneDNN.
std::optional<c10::TypedOperatorHandle<Linear>> find_one_dnn() {
  const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!found || !found->hasKernelForDispatchKey(c10::DispatchKey::CPU)) return std::nullopt;
  try {
    return found->typed<Linear>();
  } catch (const c10::Error&) {  // a LibTorch in which it takes other arguments
    return std::nullopt;
  }
}

}  // namespace

at::Tensor product_with_transpose(const at::Tensor& left, const at::Tensor& right) {
  static const auto one_dnn = find_one_dnn();
  const bool suits =
      left.is_cpu() && left.scalar_type() == at::kFloat && left.numel() > 0 && right.numel() > 0;
  // Any other right operand oneDNN multiplies number by number, a thousand times slower.
  const bool is_dense = right.is_contiguous() || right.t().is_contiguous();
  if (!one_dnn || !suits || !is_dense) return left.mm(right.t());
  return one_dnn->call(left, right, std::nullopt, "none", NoScalars(), std::nullopt);
}

}  // namespace neurontune
