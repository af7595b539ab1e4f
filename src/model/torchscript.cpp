#include "model/torchscript.h"

#include <string_view>

namespace neurontune::torchscript {
namespace {

std::string_view line_at(std::string_view text, size_t begin) {
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

std::string one_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  // The interpreter puts a traceback of the model's code before the cause. A submodule's cause may
  // be wrapped once more, so the last one counts.
  const std::string_view cause = "\nRuntimeError: ";
  const size_t found = text.rfind(cause);
  const size_t begin =
      found == std::string::npos ? text.find_first_not_of("\n ") : found + cause.size();
  if (begin == std::string::npos) return "unknown error";
  return std::string(line_at(text, begin));
}

}  // namespace neurontune::torchscript
