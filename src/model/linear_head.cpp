#include "neurontune/model/linear_head.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "describe.h"
#include "method/fixed_blocks.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

constexpr int64_t kRowsPerBlock = 1024;

}  // namespace

void check_head(const LinearHead& head, const std::string& name) {
  if (!head.weight.defined()) throw Error(name + ": the head has no weight");
  if (head.weight.dim() != 2 || !head.weight.is_floating_point() || head.weight.numel() == 0)
    throw Error(name + ": weight is " + describe(head.weight) + ", expected floating point [C, M]");
  if (!head.bias.defined()) return;
  if (head.bias.dim() != 1 || !head.bias.is_floating_point() || head.bias.size(0) != head.classes())
    throw Error(name + ": bias is " + describe(head.bias) + ", expected floating point [" +
                std::to_string(head.classes()) + "]");
}

LinearHead to(const LinearHead& head, at::Device device, at::ScalarType dtype) {
  const auto copy = [&](const at::Tensor& tensor) {
    return tensor.detach().to(device, dtype, /*non_blocking=*/false, /*copy=*/true).contiguous();
  };
  return {copy(head.weight), head.bias.defined() ? copy(head.bias) : at::Tensor()};
}

at::Tensor logits(const LinearHead& head, const at::Tensor& embeddings) {
  check_head(head, "head");
  if (embeddings.dim() != 2 || embeddings.size(1) != head.embedding_dim())
    throw Error("embeddings are " + describe(embeddings) + ", the head expects [N, " +
                std::to_string(head.embedding_dim()) + "]");
  const c10::NoGradGuard no_grad;
  const auto result = at::empty({embeddings.size(0), head.classes()}, head.weight.options());
  const auto columns = head.weight.t();
  for_fixed_blocks(
      embeddings.device(), embeddings.size(0), kRowsPerBlock, [&](int64_t first, int64_t last) {
        const c10::NoGradGuard no_grad_here;  // of this thread
        const auto rows = embeddings.slice(0, first, last).to(head.weight.scalar_type());
        auto block = result.slice(0, first, last);
        if (head.bias.defined())
          at::addmm_out(block, head.bias, rows, columns);
        else
          at::mm_out(block, rows, columns);
      });
  return result;
}

at::Tensor predictions(const LinearHead& head, const at::Tensor& embeddings) {
  return logits(head, embeddings).argmax(1);
}

}  // namespace neurontune
