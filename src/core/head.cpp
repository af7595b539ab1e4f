#include "neurontune/core/head.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "base/describe.h"
#include "neurontune/base/error.h"
#include "numerics/aligned_rows.h"
#include "numerics/fixed_blocks.h"

namespace neurontune {
namespace {}  // namespace

void check_head(const Head& head, const std::string& name) {
  if (!head.weight.defined()) throw Error(name + ": the head has no weight");
  if (head.weight.dim() != 2 || !head.weight.is_floating_point() || head.weight.numel() == 0)
    throw Error(name + ": weight is " + describe(head.weight) + ", expected floating point [C, M]");
  if (!head.bias.defined()) return;
  const auto outputs = head.weight.size(0);
  if (head.bias.dim() != 1 || !head.bias.is_floating_point() || head.bias.size(0) != outputs)
    throw Error(name + ": bias is " + describe(head.bias) + ", expected floating point [" +
                std::to_string(outputs) + "]");
}

bool is_finite(const Head& head) {
  std::vector<at::Tensor> parameters = {head.weight};
  if (head.bias.defined()) parameters.push_back(head.bias);
  parameters.insert(parameters.end(), head.later_parameters.begin(), head.later_parameters.end());
  return std::all_of(parameters.begin(), parameters.end(), [](const at::Tensor& parameter) {
    return parameter.isfinite().all().item<bool>();
  });
}

Head to(const Head& head, at::Device device, at::ScalarType dtype) {
  const auto copy = [&](const at::Tensor& tensor) {
    return tensor.detach().to(device, dtype, /*non_blocking=*/false, /*copy=*/true).contiguous();
  };
  Head converted = head;
  converted.weight = copy(head.weight);
  if (head.bias.defined()) converted.bias = copy(head.bias);
  for (auto& parameter : converted.later_parameters) parameter = copy(parameter);
  return converted;
}

Head two_classes(const Head& one_logit) {
  const auto below = [](const at::Tensor& row) { return at::cat({at::zeros_like(row), row}); };
  Head head = one_logit;
  head.weight = below(one_logit.weight);
  if (one_logit.bias.defined()) head.bias = below(one_logit.bias);
  head.single_logit = true;
  return head;
}

Head one_logit(const Head& head) {
  const auto difference = [](const at::Tensor& rows) {
    return rows.narrow(0, 1, 1) - rows.narrow(0, 0, 1);
  };
  Head single = head;
  single.weight = difference(head.weight);
  if (head.bias.defined()) single.bias = difference(head.bias);
  return single;
}

at::Tensor logits(const Head& head, const at::Tensor& embeddings) {
  check_head(head, "head");
  if (embeddings.dim() != 2 || embeddings.size(1) != head.embedding_dim())
    throw Error("embeddings are " + describe(embeddings) + ", the head expects [N, " +
                std::to_string(head.embedding_dim()) + "]");
  const c10::NoGradGuard no_grad;
  auto result = at::empty({embeddings.size(0), head.classes()}, head.weight.options());
  const auto weight = aligned_rows(head.weight);
  for_fixed_blocks(
      embeddings.device(), embeddings.size(0), kRowsPerBlock, [&](int64_t first, int64_t last) {
        const c10::NoGradGuard no_grad_here;  // of this thread
        const auto rows =
            aligned_rows(embeddings.slice(0, first, last).to(head.weight.scalar_type()));
        auto block = result.slice(0, first, last);
        if (!head.is_linear())
          block.copy_(head.later_layers->forward(at::linear(rows, weight, head.bias),
                                                 head.later_parameters));
        else if (head.bias.defined())
          at::addmm_out(block, head.bias, rows, weight.t());
        else
          at::mm_out(block, rows, weight.t());
      });
  return result;
}

at::Tensor predictions(const Head& head, const at::Tensor& embeddings) {
  return logits(head, embeddings).argmax(1);
}

}  // namespace neurontune
