#pragma once

#include <ATen/Context.h>

namespace neurontune {

/// While it lives, cuDNN's float32 convolutions keep float32's digits, where it would otherwise
/// round to TF32: for comparing what must differ by rounding alone.
class FullPrecision {
 public:
  FullPrecision() : before_(at::globalContext().allowTF32CuDNN()) {
    at::globalContext().setAllowTF32CuDNN(false);
  }
  FullPrecision(const FullPrecision&) = delete;
  FullPrecision& operator=(const FullPrecision&) = delete;
  ~FullPrecision() { at::globalContext().setAllowTF32CuDNN(before_); }

 private:
  bool before_;
};

}  // namespace neurontune
