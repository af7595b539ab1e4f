#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace neurontune {

/// A tensor in an error message: "float32 [19867, 2048]".
std::string describe(const at::Tensor& tensor);

}  // namespace neurontune
