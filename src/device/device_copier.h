#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

#include <optional>
#include <vector>

namespace neurontune {

/// Copies tensors from the CPU to a device through pinned memory and on a stream of its own, so
/// that neither what the device does meanwhile nor the thread that uses it waits for the copy. On
/// the CPU nothing is copied.
class DeviceCopier {
 public:
  explicit DeviceCopier(at::Device device);

  /// Returns when the tensors are there.
  std::vector<at::Tensor> copy(const std::vector<at::Tensor>& tensors) const;

  /// Says that copied tensors are used by what this thread launches from now on: their memory is
  /// not given to a later copy before that is done.
  void take_over(const std::vector<at::Tensor>& tensors) const;

 private:
  at::Device device_;
  std::optional<c10::Stream> stream_;  ///< none on the CPU
};

}  // namespace neurontune
