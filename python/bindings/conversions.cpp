#include "conversions.h"

#include <ATen/ATen.h>

namespace neurontune::python {

Head head_of(const HeadTuple& tensors) {
  const auto& [weight, bias] = tensors;
  const Head head{weight.detach(), bias ? bias->detach() : at::Tensor()};
  check_head(head, "the head");
  return head.classes() == 1 ? two_classes(head) : head;
}

HeadTuple tuple_of(const Head& head) {
  const auto own = head.is_linear() && head.single_logit ? one_logit(head) : head;
  return {own.weight, own.bias.defined() ? std::optional(own.bias) : std::nullopt};
}

EmbeddingFolder data_of(const std::map<std::string, SplitTuple>& splits, const HeadTuple& head) {
  std::map<std::string, EmbeddingSplit> named;
  for (const auto& [name, tensors] : splits) {
    const auto& [embeddings, labels, attributes] = tensors;
    named[name] = {embeddings, labels, attributes.value_or(at::Tensor()), {}};
  }
  return EmbeddingFolder::of_tensors(named, head_of(head));
}

LabelledEmbeddings labelled_of(const SplitTuple& split) {
  const auto& [embeddings, labels, attributes] = split;
  const auto data =
      embeddings.scalar_type() == at::kDouble ? embeddings.to(at::kFloat) : embeddings;
  const bool integers = at::isIntegralType(labels.scalar_type(), /*includeBool=*/true);
  return {data.detach(),
          integers ? labels.to(data.device(), at::kLong).contiguous() : labels.to(data.device())};
}

Head head_beside(const HeadTuple& head, const at::Tensor& embeddings) {
  return to(head_of(head), embeddings.device(), at::kFloat);
}

ProgressFn progress_of(const py::object& callback) {
  return [callback = py::handle(callback)](std::string_view stage, int64_t done, int64_t total) {
    const py::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (!callback.is_none()) callback(stage, done, total);
  };
}

}  // namespace neurontune::python
