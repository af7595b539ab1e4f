#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "neurontune/export.h"

namespace neurontune {

/// Orders a batch's tensors as a model's arguments, by name. An argument may have a number behind
/// it, as traced models do: `input_ids.1` is `input_ids`. Beside that:
/// - A single input that no argument is named after goes to the first argument.
/// - A single `inputs` [N, L, 3] for a model that requires two or three arguments holds input_ids,
///   attention_mask and token_type_ids in its last dimension. They go to the arguments of these
///   names, or in this order where the required arguments have other names.
///
/// @param inputs    a tensor for each name, as `Dataset::batch` gives them
/// @param arguments all of the model's, those with a default last
/// @param required  how many of the arguments have no default
/// @return at least `required` tensors, for the first arguments; those left out have a default
/// @throws Error listing both lists of names if an input is no argument, an argument that is
///         required or stands before one that is given has no input, or one has two
NEURONTUNE_EXPORT std::vector<at::Tensor> in_argument_order(
    const std::vector<at::Tensor>& inputs, const std::vector<std::string>& input_names,
    const std::vector<std::string>& arguments, int64_t required);

}  // namespace neurontune
