#include "io/unsigned_integers.h"

#include <ATen/ATen.h>

#include "neurontune/base/error.h"

namespace neurontune {

at::Tensor as_unsigned(const at::Tensor& bits, int64_t mask) {
  at::Tensor wide = bits.to(at::kLong).bitwise_and(mask);
  if (wide.numel() > 0 && wide.min().item<int64_t>() < 0) {
    throw Error("holds numbers over 2^63 - 1, expected those that int64 can hold");
  }
  return wide;
}

}  // namespace neurontune
