#include "model/torchscript.h"

#include <torch/csrc/jit/runtime/jit_exception.h>

#include <string_view>

#include "base/one_line.h"

namespace neurontune::torchscript {
namespace {

constexpr size_t kLongestReason = 500;  // some operators list all their variants

std::string what_of(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  return torch_error ? torch_error->what_without_backtrace() : error.what();
}

/// What stands behind the traceback that the interpreter puts before a cause. A submodule's cause
/// may be wrapped once more, so the last one counts. Empty if there is no traceback.
std::string behind_traceback(const std::string& text) {
  constexpr std::string_view kTraceback = "Traceback of TorchScript", kCause = "\nRuntimeError: ";
  const auto found = text.rfind(kCause);
  if (text.find(kTraceback) == std::string::npos || found == std::string::npos) return "";
  return text.substr(found + kCause.size());
}

/// "ValueError" of "builtins.ValueError".
std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

/// What the model's code raised, with its name; of an assertion the name is in the message.
std::string raised(const torch::jit::JITException& error) {
  const auto original = error.getOriginalMsg().value_or(error.what());
  const auto inner = behind_traceback(original);
  const auto message = on_one_line(inner.empty() ? original : inner, kLongestReason);
  const auto name = error.getPythonClassName();
  if (!name) return message == "AssertionError:" ? "AssertionError without a message" : message;
  return last_part(*name) + (message.empty() ? " without a message" : ": " + message);
}

std::string first_line(const std::string& text) {
  const auto begin = text.find_first_not_of("\n ");
  if (begin == std::string::npos) return "unknown error";
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

std::string one_line(const std::exception& error) {
  if (const auto* own = dynamic_cast<const torch::jit::JITException*>(&error)) return raised(*own);
  const auto text = what_of(error);
  const auto cause = behind_traceback(text);
  // Before it runs, a model's code is quoted behind the first line.
  return cause.empty() ? first_line(text) : on_one_line(cause, kLongestReason);
}

}  // namespace neurontune::torchscript
