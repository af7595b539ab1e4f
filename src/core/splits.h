#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"

namespace neurontune {

/// Checks the split a baseline learns from and the one it chooses by, and that both are on the same
/// device. `learning` names the first in messages.
/// @throws Error that names the split, what was found and what was expected
void check_splits(const LabelledEmbeddings& data, const LabelledEmbeddings& held_out,
                  const Head& erm, const std::string& learning);

/// @throws Error that names the split, unless it has a sample of every class: without one neither a
///         class's accuracy nor its share means anything
void check_every_class(const at::Tensor& labels, int64_t classes, const std::string& split);

/// @throws Error unless the head is linear; `method` names who needs it
void check_linear(const Head& erm, const std::string& method);

/// The smallest accuracy over the classes present.
double worst_class_accuracy(const Head& head, const LabelledEmbeddings& data);

}  // namespace neurontune
