#include "numerics/leading_eigenvectors.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <tuple>

#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {

constexpr int64_t kAll = 512;  ///< matrices up to this are decomposed whole
constexpr int64_t kIterations = 8;
constexpr int64_t kSpare = 2;  ///< times as many vectors are iterated as are wanted

LeadingEigenvectors last_of(const at::Tensor& values, const at::Tensor& vectors, int64_t count) {
  const int64_t all = values.size(0);
  const int64_t first = std::max<int64_t>(0, all - count);
  return {values.slice(0, first, all).contiguous(), vectors.slice(1, first, all).contiguous()};
}

LeadingEigenvectors iterated(const at::Tensor& matrix, int64_t count) {
  const int64_t columns = std::min(matrix.size(0), kSpare * count);
  auto generator = at::make_generator<at::CPUGeneratorImpl>(0);
  auto basis = at::randn({matrix.size(0), columns}, generator, at::kDouble).to(matrix.device());
  for (int64_t i = 0; i < kIterations; ++i) basis = std::get<0>(at::linalg_qr(matrix.mm(basis)));
  const auto [values, rotation] = at::linalg_eigh(basis.t().mm(matrix.mm(basis)));
  return last_of(values, basis.mm(rotation), count);
}

}  // namespace

LeadingEigenvectors leading_eigenvectors(const at::Tensor& matrix, int64_t count) {
  LeadingEigenvectors result;
  on_one_thread(matrix.device(), [&] {
    if (matrix.size(0) > kAll) {
      result = iterated(matrix, count);
      return;
    }
    const auto [values, vectors] = at::linalg_eigh(matrix);
    result = last_of(values, vectors, count);
  });
  return result;
}

}  // namespace neurontune
