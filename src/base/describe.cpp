#include "base/describe.h"

#include <c10/core/ScalarType.h>

#include <cstdio>
#include <sstream>

namespace neurontune {

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream text;
  text << c10::getDtypeNames(tensor.scalar_type()).first << ' ' << tensor.sizes();
  return text.str();
}

std::string describe(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

std::string listed(const std::vector<std::string>& items, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < items.size() && i < most; ++i)
    text += (i == 0 ? "" : ", ") + items[i];
  if (items.size() > most) text += " and " + std::to_string(items.size() - most) + " more";
  return text;
}

std::string as_percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * fraction);
  return text;
}

}  // namespace neurontune
