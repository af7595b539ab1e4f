#include "base/checks.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "base/describe.h"
#include "base/float_bits.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

constexpr int64_t kRowsAtOnce = 4096;

}  // namespace

void check_class_indices(const at::Tensor& indices, const std::string& what, int64_t classes,
                         int64_t samples) {
  if (indices.dim() != 1 || indices.scalar_type() != at::kLong)
    throw Error(what + " are " + describe(indices) + ", expected int64 [N]");
  if (indices.size(0) != samples)
    throw Error(what + " have " + std::to_string(indices.size(0)) + " rows, expected " +
                std::to_string(samples));
  const auto bad = indices.lt(0).logical_or(indices.ge(classes)).nonzero();
  if (bad.size(0) == 0) return;
  const auto row = bad[0][0].item<int64_t>();
  throw Error(what + " hold " + std::to_string(indices[row].item<int64_t>()) + " in row " +
              std::to_string(row) + ", expected 0 to " + std::to_string(classes - 1));
}

void check_labelled(const at::Tensor& embeddings, const at::Tensor& labels, int64_t classes,
                    const std::string& split) {
  if (embeddings.dim() != 2 || !embeddings.is_floating_point() || embeddings.numel() == 0)
    throw Error(split + ": embeddings are " + describe(embeddings) +
                ", expected floating point [N, M], N and M at least 1");
  check_class_indices(labels, split + ": labels", classes, embeddings.size(0));
  if (labels.device() != embeddings.device())
    throw Error(split + ": labels are on " + labels.device().str() + ", embeddings on " +
                embeddings.device().str());
}

namespace {

/// Whether an exponent is all ones, which that of an infinity and of NaN is.
template <typename Scalar>
bool any_not_finite(const Scalar* values, int64_t count) {
  using Bits = FloatBits<Scalar>;
  const Bits exponent = bits_of(std::numeric_limits<Scalar>::infinity());
  Bits found = 0;
  for (int64_t i = 0; i < count; ++i)
    found |= static_cast<Bits>((bits_of(values[i]) & exponent) == exponent);
  return found != 0;
}

/// Of some rows; on the CPU, where each is contiguous, at the speed of memory.
bool any_not_finite(const at::Tensor& rows) {
  if (!rows.is_cpu() || rows.stride(1) != 1) return !rows.isfinite().all().item<bool>();
  std::atomic<bool> found = false;
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, rows.scalar_type(), "any_not_finite", [&] {
        const auto* const data = rows.const_data_ptr<scalar_t>();
        at::parallel_for(0, rows.size(0), 1, [&](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row)
            if (any_not_finite(data + row * rows.stride(0), rows.size(1))) found = true;
        });
      });
  return found;
}

}  // namespace

std::optional<NotFinite> first_not_finite(const at::Tensor& matrix) {
  for (int64_t first = 0; first < matrix.size(0); first += kRowsAtOnce) {
    const auto block = matrix.slice(0, first, std::min(first + kRowsAtOnce, matrix.size(0)));
    if (!any_not_finite(block)) continue;
    const auto bad = block.isfinite().logical_not().nonzero();
    const auto row = bad[0][0].item<int64_t>(), column = bad[0][1].item<int64_t>();
    return NotFinite{first + row, column, block[row][column].item<double>()};
  }
  return std::nullopt;
}

void check_finite(const at::Tensor& embeddings, const std::string& split) {
  if (const auto found = first_not_finite(embeddings))
    throw Error(split + ": the embedding in row " + std::to_string(found->row) + ", dimension " +
                std::to_string(found->column) + " is " + describe(found->value) +
                ", expected a finite number");
}

}  // namespace neurontune
