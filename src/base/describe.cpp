#include "base/describe.h"

#include "base/number_text.h"

#include <c10/core/ScalarType.h>

#include <cstdio>
#include <sstream>

namespace neurontune {

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  return std::string(c10::getDtypeNames(tensor.scalar_type()).first)
      .append(" ")
      .append(describe(tensor.sizes()));
}

std::string describe(at::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

std::string describe(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

std::string joined(const std::vector<std::string>& texts, const std::string& separator) {
  std::string text;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) text.append(separator);
    text.append(texts[i]);
  }
  return text;
}

std::string listed(const std::vector<std::string>& items, std::size_t most) {
  if (items.size() <= most) return joined(items, ", ");
  const auto end = items.begin() + static_cast<std::ptrdiff_t>(most);
  return joined({items.begin(), end}, ", ") + " and " + std::to_string(items.size() - most) +
         " more";
}

std::string as_percent(double fraction) { return fixed(100 * fraction, 1) + " %"; }

}  // namespace neurontune
