#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace neurontune {

/// A tensor in an error message: "float32 [19867, 2048]".
std::string describe(const at::Tensor& tensor);

/// A number as a person would write it: "0.1", "1e-05".
std::string describe(double number);

/// A fraction as a percentage: "12.5 %".
std::string as_percent(double fraction);

}  // namespace neurontune
