#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "neurontune/core/head.h"
#include "neurontune/export.h"

namespace neurontune {

/// Where retraining starts.
enum class Start {
  erm,    ///< the ERM model's own head
  fresh,  ///< uniform weights in ±1/√M and a zero bias
};

/// Settings of the retraining of the last layer.
struct NEURONTUNE_EXPORT RetrainingOptions {
  Start start = Start::erm;         ///< the ERM head, or a fresh one
  int64_t refresh = 0;              ///< identify anew every so many epochs; 0 never; at least 0
  int64_t epochs = 20;              ///< 1 to 100000
  int64_t batches_per_epoch = 200;  ///< 1 to 1000000; times batch_size at most 100000000
  int64_t batch_size = 128;         ///< samples, 1 to 1000000
  double learning_rate = 1e-2;      ///< of SGD, over 0
  double momentum = 0.9;            ///< 0 up to but not 1
  double weight_decay = 1e-4;  ///< L2, on weight and bias as torch.optim.SGD has it; at least 0

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// A head with uniform weights in ±1/√M and a zero bias, where `like` has one; on the CPU, of the
/// shape and dtype of `like`. In a head of several layers each matrix is drawn so, by its own
/// number of inputs, biases are 0, and other vectors (of norms) stay.
NEURONTUNE_EXPORT Head fresh_head(const Head& like, at::Generator generator);

/// Retrains a head on class-balanced batches behind a mask: SGD on the mean cross-entropy of
/// softmax(W · (z ∘ m) + b), whose gradient is written out. That of a head of several layers is
/// autograd's. On CUDA an epoch of a linear head is one CUDA graph, from the second one behind the
/// same mask on.
///
/// Bit-identical for the same inputs, generator state, device and LibTorch build, whatever the
/// number of threads.
class NEURONTUNE_EXPORT HeadRetrainer {
 public:
  /// @param embeddings floating point [N, M], on any device; not copied where rows are contiguous,
  ///                   but for the columns that a mask keeps, if those are at most 0.3 of all
  /// @param labels     int64 [N], in 0…C−1, on the same device
  /// @param start      [C, M]; copied, to the embeddings' device, in float32 (float64 where the
  ///                   embeddings are); without a bias none is trained
  /// @param generator  a CPU generator, for the batches
  /// @throws Error if shapes disagree or a class has no sample
  HeadRetrainer(const at::Tensor& embeddings, const at::Tensor& labels, const Head& start,
                const RetrainingOptions& options, at::Generator generator);
  HeadRetrainer(HeadRetrainer&&) noexcept;  ///< it can be moved, not copied
  ~HeadRetrainer();

  /// Sets the mask, [M] or, of a linear head, [C, M] (1 where kept), and restarts the momentum.
  /// Weights of a masked dimension wait unchanged until it comes back.
  void set_mask(const at::Tensor& mask);

  /// Runs one epoch; returns the mean loss over its batches.
  double run_epoch();

  /// The head with the mask folded into its weight: W ∘ m. A copy.
  Head head() const;

 private:
  class Training;
  std::unique_ptr<Training> training_;
};

NEURONTUNE_EXPORT const char* name(Start start);

}  // namespace neurontune
