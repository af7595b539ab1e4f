#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// What follows the linear layer of a head that is a submodule of several layers.
struct LaterLayers {
  /// Of the layers.
  using Function = std::function<at::Tensor(const at::Tensor& hidden,
                                            const std::vector<at::Tensor>& parameters)>;

  /// [N, H] → [N, C], differentiable; `parameters` as in Head, any floating dtype and device.
  Function forward;
  int64_t classes = 0;                            ///< C
  std::string weight_name;                        ///< of the linear layer, within the submodule
  std::string bias_name;                          ///< of its bias
  std::vector<std::string> parameter_names = {};  ///< of the later layers', within the submodule
};

/// The end of a classifier, from the embedding to the logits: weight · z + bias, the last linear
/// layer, and in a head of several layers what follows it.
struct NEURONTUNE_EXPORT Head {
  at::Tensor weight;  ///< floating point [C, M]; [H, M] in a head of several layers
  at::Tensor bias;    ///< floating point [C] or [H]; undefined where the layer has none
  std::vector<at::Tensor> later_parameters = {};              ///< of the later layers
  std::shared_ptr<const LaterLayers> later_layers = nullptr;  ///< null in a linear head
  /// The model has one logit s for two classes, whose logits are 0 and s here. Head files and
  /// models hold the one.
  bool single_logit = false;

  /// Whether nothing follows the linear layer.
  bool is_linear() const { return later_layers == nullptr; }
  int64_t classes() const { return is_linear() ? weight.size(0) : later_layers->classes; }  ///< C
  int64_t embedding_dim() const { return weight.size(1); }                                  ///< M
};

/// Checks shapes and dtypes; `name` is what the head is called in messages.
/// @throws Error if weight is not floating [C, M] with C, M ≥ 1 or bias is neither undefined nor
/// [C]
NEURONTUNE_EXPORT void check_head(const Head& head, const std::string& name);

/// Whether no number of the head is infinite or NaN.
NEURONTUNE_EXPORT bool is_finite(const Head& head);

/// A copy on `device` in `dtype`, detached from any autograd graph.
NEURONTUNE_EXPORT Head to(const Head& head, at::Device device, at::ScalarType dtype);

/// A linear head of one logit, [1, M], as one of two classes: weight [0; w], bias [0; b].
NEURONTUNE_EXPORT Head two_classes(const Head& one_logit);

/// Back to one logit: weight w₁ − w₀, bias b₁ − b₀, the same softmax.
/// @param head linear, of two classes
NEURONTUNE_EXPORT Head one_logit(const Head& head);

/// The head's logits, computed in the head's dtype over fixed blocks of rows, so that the bits do
/// not depend on the number of threads, nor on where the embeddings lie in memory.
///
/// @param embeddings floating point [N, M], on the head's device
/// @return [N, C] in the head's dtype
NEURONTUNE_EXPORT at::Tensor logits(const Head& head, const at::Tensor& embeddings);

/// argmax of `logits`: int64 [N]; ties go to the lowest class.
NEURONTUNE_EXPORT at::Tensor predictions(const Head& head, const at::Tensor& embeddings);

}  // namespace neurontune
