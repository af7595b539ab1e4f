#pragma once

#include <optional>
#include <string>

namespace neurontune {

/// A warning where class-balanced accuracy on `data` fell by more than 0.05, else nothing.
/// @param data "held-out data"
std::optional<std::string> accuracy_fall(const std::string& data, double before, double after);

}  // namespace neurontune
