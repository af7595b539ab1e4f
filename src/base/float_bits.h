#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace neurontune {

/// The unsigned integer of a floating-point type's size, of 2, 4 or 8 bytes.
template <typename Scalar>
using FloatBits = std::conditional_t<sizeof(Scalar) == 2, uint16_t,
                                     std::conditional_t<sizeof(Scalar) == 4, uint32_t, uint64_t>>;

template <typename Scalar>
FloatBits<Scalar> bits_of(Scalar value) {
  return std::bit_cast<FloatBits<Scalar>>(value);
}

}  // namespace neurontune
