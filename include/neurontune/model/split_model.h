#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <string>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/export.h"

namespace neurontune {

/// An argument of a model.
struct ModelInput {
  std::string name;      ///< as the model's code calls it
  std::string type;      ///< TorchScript's name of the type, e.g. "Tensor"
  bool required = true;  ///< whether it has no default
};

/// How far the parts of a split model are from the whole one on some batch.
struct SplitVerification {
  double max_abs_difference = 0;  ///< of the parts' output against the model's, over all numbers
  double tolerance = 0;           ///< what was allowed
};

/// A classifier split into its features, all that comes before the head, and its head: what the
/// pipeline needs of a model, whatever it is made of.
class SplitModel {
 public:
  virtual ~SplitModel() = default;

  /// Where its tensors are.
  virtual at::Device device() const = 0;

  /// The arguments, in order; none where a data set's tensors are taken as they come.
  virtual std::vector<ModelInput> inputs() const { return {}; }

  /// A copy of the head, in the model's own dtype, on its device.
  virtual Head head() const = 0;

  /// What enters the head: [N, M], in the model's dtype, in evaluation mode, without autograd.
  ///
  /// @param inputs a tensor for each of the model's arguments, one sample a row, on any device;
  ///               never written to
  /// @throws Error if the model cannot take them, or what enters the head is not one embedding a
  ///         sample
  virtual at::Tensor features(const std::vector<at::Tensor>& inputs) const = 0;

  /// Makes the features faster where that gives the same ones, to a tolerance, on these inputs:
  /// 1e-4 of the largest number, 2e-2 in half precision.
  /// @return whether it did
  virtual bool speed_up(const std::vector<at::Tensor>&) { return false; }

  /// Checks that the split gives what the model gives, and a sample the same alone and in a batch.
  ///
  /// @param inputs of at least 1 sample
  /// @throws Error if it does not, or a number is not finite
  virtual SplitVerification verify(const std::vector<at::Tensor>& inputs) const = 0;

  /// Says which features these are: a cache of them is reused while this text stays the same.
  virtual std::string fingerprint() const = 0;
};

/// A features function and a head as a model: for programs that have no TorchScript file.
class NEURONTUNE_EXPORT FeaturesAndHead : public SplitModel {
 public:
  /// As SplitModel::features.
  using Features = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

  /// @param features    in evaluation mode; called without autograd
  /// @param head        linear, on the device that the features take and return tensors on
  /// @param fingerprint changes whenever the features do; of a checkpoint's name and step, say
  FeaturesAndHead(Features features, Head head, std::string fingerprint);

  at::Device device() const override { return head_.weight.device(); }  ///< the head's
  Head head() const override;
  at::Tensor features(const std::vector<at::Tensor>& inputs) const override;

  /// There is no whole model to compare with: checks repetition and batches only.
  SplitVerification verify(const std::vector<at::Tensor>& inputs) const override;
  std::string fingerprint() const override { return fingerprint_; }

 private:
  Features features_;
  Head head_;
  std::string fingerprint_;
};

}  // namespace neurontune
