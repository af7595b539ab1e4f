#include "describe.h"

#include <c10/core/ScalarType.h>

#include <sstream>

namespace neurontune {

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream text;
  text << c10::getDtypeNames(tensor.scalar_type()).first << ' ' << tensor.sizes();
  return text.str();
}

}  // namespace neurontune
