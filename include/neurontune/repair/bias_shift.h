#pragma once

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/export.h"

namespace neurontune {

/// Moves the biases of a linear head until it is as accurate in one class as in the next: C − 1
/// numbers, and every weight as it came. It sees no attributes.
///
/// Each step moves a class's bias by its accuracy's distance from the mean of the classes', in
/// units of the mean margin, in steps that become smaller. Kept are the biases of the best
/// worst-class accuracy on the way; of equals the first, which are the head's own.
///
/// The same inputs, device and LibTorch build give the same bits, whatever the number of threads.
///
/// @param held_out data that the head was not trained on, on any device
/// @param erm      linear, with a bias
/// @return the head on the embeddings' device, in float32, or float64 where they are
/// @throws Error if the head has several layers or no bias, shapes disagree, a label is out of
///         range, a value is not finite or a class is absent
NEURONTUNE_EXPORT Head shift_biases(const LabelledEmbeddings& held_out, const Head& erm);

}  // namespace neurontune
