#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <string>
#include <vector>

namespace neurontune {

/// A tensor in an error message: "float32 [19867, 2048]".
std::string describe(const at::Tensor& tensor);

/// A number as a person would write it: "0.1", "1e-05".
std::string describe(double number);

/// A list in a message: "a, b, c". A long one ends after `most` items: "a, b and 990 more".
std::string listed(const std::vector<std::string>& items, std::size_t most = 10);

/// A fraction as a percentage: "12.5 %".
std::string as_percent(double fraction);

}  // namespace neurontune
