#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "neurontune/model/linear_head.h"

namespace neurontune {

/// An argument of a model's forward.
struct ModelInput {
  std::string name;  ///< as the model's code calls it
  std::string type;  ///< TorchScript's name of the type, e.g. "Tensor"
};

/// How far the two halves of a split model are from the whole one on some batch.
struct SplitVerification {
  double max_abs_difference = 0;  ///< of head(features(x)) against model(x), over all logits
  double tolerance = 0;           ///< what was allowed: 1e-4 of the largest logit, at least 1e-4
};

/// A TorchScript classifier split into its features (all but the last linear layer) and its head.
///
/// Not copyable; may be moved. One object must not be used from several threads at once.
class ErmModel {
 public:
  /// Loads a model that torch.jit.save wrote, and finds its head.
  ///
  /// @param head "auto" for the linear layer whose output is the model's output, or that layer's
  ///             name ("fc", "classifier.1"), which must then be the one found
  /// @throws Error if the file is no TorchScript archive or has no linear head; the text says why
  ///         and what to do
  static ErmModel load(const std::filesystem::path& path, at::Device device = at::kCPU,
                       const std::string& head = "auto");

  ErmModel(ErmModel&&) noexcept;
  ErmModel& operator=(ErmModel&&) noexcept;
  ~ErmModel();

  /// "fc", "heads.head", …; "constant" in a frozen model, whose parameters have no names.
  const std::string& head_name() const;
  const std::vector<ModelInput>& inputs() const;  ///< in the order of forward's arguments
  at::Device device() const;

  /// A copy of the head, in the model's own dtype, on its device.
  LinearHead head() const;

  /// What enters the head: [N, M], in the model's dtype, in evaluation mode, without autograd.
  ///
  /// @param inputs a tensor for each of forward's arguments, on any device; those with a default
  /// may
  ///               be left out at the end; never written to
  /// @throws Error if their number is wrong, the model's code fails on them, or what enters the
  /// head
  ///         is not one embedding a sample (its shape is named)
  at::Tensor features(const std::vector<at::Tensor>& inputs) const;

  /// The whole model's output: [N, C], otherwise as `features`.
  at::Tensor logits(const std::vector<at::Tensor>& inputs) const;

  /// Compares head(features(x)) with model(x).
  ///
  /// @param inputs of at least 2 samples, so that dependence on the batch shows
  /// @throws Error if they differ by more than the tolerance, or a logit is not finite, or the same
  ///         sample's logits depend on the run or the batch, as in models exported in training mode
  SplitVerification verify(const std::vector<at::Tensor>& inputs) const;

  /// Writes the same model with another head: the same code and extra files, and all other
  /// parameters and buffers bit-identical. The loaded file is read anew for it. The file appears by
  /// rename when it is whole. This object keeps its own head.
  ///
  /// @param head [C, M] as this model's, finite; converted to the model's dtype. Where the model's
  ///             head has no bias, `head` must have none, or zeros; a head without one sets it to
  ///             0.
  /// @throws Error if the shapes differ, the head shares memory with another tensor of the model,
  /// the
  ///         loaded file has changed, or the new one cannot be written
  void save_with_head(const LinearHead& head, const std::filesystem::path& path) const;

 private:
  struct Impl;
  explicit ErmModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace neurontune
