#include "metrics/accuracy_fall.h"

#include "base/describe.h"

namespace neurontune {
namespace {

constexpr double kWorthAWarning = 0.05;

}  // namespace

std::optional<std::string> accuracy_fall(const std::string& data, double before, double after) {
  if (!(before - after > kWorthAWarning)) return std::nullopt;
  return "class-balanced accuracy on " + data + " fell from " + as_percent(before) + " to " +
         as_percent(after);
}

}  // namespace neurontune
