#pragma once

namespace neurontune {

/// Which value of a neuron is compared: its output or its absolute value.
enum class Activation {
  raw,        ///< z, as in Theorem 4.2 of the paper
  magnitude,  ///< abs(z): for embeddings that are not rectified
};

}  // namespace neurontune
