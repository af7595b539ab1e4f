#pragma once

#include <c10/core/Device.h>

namespace neurontune {

/// Mixed precision while it lives, on this thread, for operations on one kind of device: LibTorch's
/// own choice of which run in float16 (CUDA) or bfloat16 (CPU) and which in float32.
class Autocast {
 public:
  /// @param wanted where false, nothing is changed
  Autocast(at::Device device, bool wanted);
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast();

 private:
  at::DeviceType device_;
  bool wanted_, before_ = false;
};

}  // namespace neurontune
