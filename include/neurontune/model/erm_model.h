#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/export.h"
#include "neurontune/model/split_model.h"

namespace neurontune {

/// Where a model is split.
struct SplitOptions {
  /// "auto" for the last linear layer that the output comes from; that layer's name ("fc",
  /// "classifier.1"); or the name of a submodule that starts with a linear layer and ends in the
  /// output: all of it becomes the head, and what enters it the embedding.
  std::string head = "auto";
  /// Which of several outputs holds the logits: a place in a tuple ("0"), the name of a named
  /// tuple's field or a dict's key ("logits"), a path of these ("0.logits"); "auto" for the one
  /// that a linear layer gives.
  std::string output = "auto";
};

/// A TorchScript classifier split into its features (all but the last linear layer) and its head.
///
/// Steps after the head that keep the order of the classes (softmax, log_softmax, sigmoid, a
/// positive factor, changes of shape and dtype) are part of the model, and of neither half.
///
/// Not copyable; may be moved. One object must not be used from several threads at once.
class NEURONTUNE_EXPORT ErmModel : public SplitModel {
 public:
  /// Loads a model that torch.jit.save wrote, and finds its head. Devices that its code names are
  /// replaced by `device`.
  ///
  /// @throws Error if the file is no TorchScript archive or has no head that can be retrained; the
  ///         text says why and what to do
  static ErmModel load(const std::filesystem::path& path, at::Device device = at::kCPU,
                       const SplitOptions& options = {});

  ErmModel(ErmModel&&) noexcept;             ///< it can be moved, not copied
  ErmModel& operator=(ErmModel&&) noexcept;  ///< the same
  ~ErmModel() override;

  /// "fc", "heads.head", …; "constant" in a frozen model, whose parameters have no names.
  const std::string& head_name() const;
  std::string output_name() const;  ///< as in SplitOptions; empty if there is only one

  std::vector<ModelInput> inputs() const override;
  at::Device device() const override;  ///< of its parameters
  Head head() const override;
  std::string fingerprint() const override;  ///< of the file's content, the head and the output

  /// @param inputs floating ones are converted to the model's dtype; those of arguments with a
  ///               default may be left out at the end
  at::Tensor features(const std::vector<at::Tensor>& inputs) const override;

  /// Freezes the features (batch norms folded into convolutions) and runs convolutions channels
  /// last.
  bool speed_up(const std::vector<at::Tensor>& inputs) override;

  /// What the model's forward gives at the output that comes from the head: [N, C], or [N] of a
  /// single logit.
  at::Tensor output(const std::vector<at::Tensor>& inputs) const;

  /// Compares the features, the head and the steps after it with the model's own forward. Allowed
  /// is 1e-4 of the largest number, at least 1e-4, more in half precision.
  /// @throws Error also where a sample's output depends on the run or on the batch, as in models
  ///         exported in training mode or for one batch size
  SplitVerification verify(const std::vector<at::Tensor>& inputs) const override;

  /// Writes the same file with other numbers in the head: every other byte of its content stays,
  /// but for the flags of modules in training mode, which are written in evaluation mode, as the
  /// model is judged. The file appears by rename when it is whole. This object keeps its own head.
  ///
  /// @param head of the shape of this model's, finite; converted to the model's dtype. Where the
  ///             model's head has no bias, `head` must have none, or zeros; a head without one sets
  ///             it to 0.
  /// @throws Error if the shapes differ, the loaded file has changed, or the new one cannot be
  ///         written
  void save_with_head(const Head& head, const std::filesystem::path& path) const;

 private:
  struct Impl;
  explicit ErmModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Loads a shared library of custom TorchScript operators into the process, for models that need
/// them.
/// @throws Error if it cannot be loaded
NEURONTUNE_EXPORT void load_operators(const std::filesystem::path& library);

}  // namespace neurontune
