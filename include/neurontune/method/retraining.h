#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "neurontune/method/class_balanced_sampler.h"
#include "neurontune/model/head.h"

namespace neurontune {

class LaunchGraph;

/// Where retraining starts.
enum class Start {
  erm,    ///< the ERM model's own head
  fresh,  ///< uniform weights in ±1/√M and a zero bias
};

/// Settings of the retraining of the last layer.
struct RetrainingOptions {
  Start start = Start::erm;
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
Head fresh_head(const Head& like, at::Generator generator);

/// Retrains a head on class-balanced batches behind a mask: SGD on the mean cross-entropy of
/// softmax(W · (z ∘ m) + b), whose gradient is written out. That of a head of several layers is
/// autograd's. On CUDA an epoch of a linear head is one CUDA graph, from the second one behind the
/// same mask on.
///
/// Bit-identical for the same inputs, generator state, device and LibTorch build, whatever the
/// number of threads.
class HeadRetrainer {
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
  HeadRetrainer(HeadRetrainer&&) noexcept;
  ~HeadRetrainer();

  /// Sets the mask, [M] or, of a linear head, [C, M] (1 where kept), and restarts the momentum.
  /// Weights of a masked dimension wait unchanged until it comes back.
  void set_mask(const at::Tensor& mask);

  /// Runs one epoch; returns the mean loss over its batches.
  double run_epoch();

  /// The head with the mask folded into its weight: W ∘ m. A copy.
  Head head() const;

 private:
  struct Batch;
  void select_columns();
  at::Tensor all_columns() const;
  void run_linear();
  void run_batches();
  void step_through_batches();
  void find_logits(const Batch& batch, int64_t first, int64_t last) const;
  void descend(const Batch& batch, int64_t first, int64_t last);
  at::Tensor mask_of(int64_t first, int64_t last) const;
  void step_layers(const at::Tensor& rows, const at::Tensor& row_losses);

  at::Tensor embeddings_;  ///< [N, M]
  at::Tensor labels_;      ///< int64 [N]
  RetrainingOptions options_;
  ClassBalancedSampler sampler_;
  Head head_;        ///< unmasked weights of all dimensions
  at::Tensor mask_;  ///< [M] or [C, M]

  // The problem on M' of the M columns: those that the mask keeps, where they are few, else all.
  at::Tensor columns_;      ///< int64 [M'], or undefined for all
  at::Tensor inputs_;       ///< [N, M']
  at::Tensor column_mask_;  ///< [1, M'] or [C, M'], or undefined where it is 1 everywhere
  at::Tensor weight_;       ///< [C, M']
  at::Tensor weight_velocity_, bias_velocity_;
  std::vector<at::Tensor> later_velocities_;

  // Of an epoch: always in one place, for the graph.
  at::Tensor batches_;     ///< int64 [batches, B]: rows
  at::Tensor row_losses_;  ///< [batches, B]
  std::unique_ptr<LaunchGraph> graph_;
};

const char* name(Start start);

}  // namespace neurontune
