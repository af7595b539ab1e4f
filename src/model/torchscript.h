#pragma once

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <ATen/core/grad_mode.h>

#include <exception>
#include <string>
#include <typeinfo>
#include <utility>

#include "neurontune/base/error.h"

namespace neurontune::torchscript {

/// What a TorchScript exception is about, in one line: without C++ backtraces and without the
/// interpreter's traceback through the model's code. What the model's code raises keeps its name
/// and message: "ValueError: images must be square".
std::string one_line(const std::exception& error);

/// While it lives, calls from this thread are made as the library makes them: no warnings on
/// stderr, though a handler that the host has set gets them, and no graph optimiser, whose
/// rewriting after the first runs would let equal inputs give unequal bits.
class CallScope {
 public:
  CallScope() : warnings_(handler()) {}

 private:
  class Silence : public c10::WarningHandler {
    void process(const c10::Warning&) override {}
  };

  c10::WarningHandler* handler() {
    auto* current = c10::WarningUtils::get_warning_handler();
    const bool prints = typeid(*current) == typeid(c10::WarningHandler);  // LibTorch's own
    return prints ? &silence_ : current;
  }

  Silence silence_;
  c10::WarningUtils::WarningHandlerGuard warnings_;
  torch::jit::GraphOptimizerEnabledGuard unoptimised_{false};
};

/// Calls into TorchScript; what it throws becomes one Error that starts with `context`.
template <typename Call>
auto differentiable_call(const std::string& context, Call&& into_torchscript) {
  CallScope scope;
  try {
    return into_torchscript();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(context + ": " + one_line(error));
  }
}

/// The same without autograd.
template <typename Call>
auto call(const std::string& context, Call&& into_torchscript) {
  const at::NoGradGuard no_grad;
  return differentiable_call(context, std::forward<Call>(into_torchscript));
}

}  // namespace neurontune::torchscript
