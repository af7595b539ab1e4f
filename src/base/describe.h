#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <cstddef>
#include <string>
#include <vector>

namespace neurontune {

/// A tensor in an error message: "float32 [19867, 2048]".
std::string describe(const at::Tensor& tensor);

/// A shape: "[19867, 2048]".
std::string describe(at::IntArrayRef shape);

/// A number as a person would write it: "0.1", "1e-05".
std::string describe(double number);

/// The texts with a separator between them: "a, b".
std::string joined(const std::vector<std::string>& texts, const std::string& separator);

/// A list in a message: "a, b, c". A long one ends after `most` items: "a, b and 990 more".
std::string listed(const std::vector<std::string>& items, std::size_t most = 10);

/// A fraction as a percentage: "12.5 %".
std::string as_percent(double fraction);

}  // namespace neurontune
