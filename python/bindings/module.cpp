#include <c10/util/Exception.h>
#include <neurontune/base/error.h>
#include <neurontune/version.h>
#include <torch/version.h>

#include "bindings.h"

namespace neurontune::python {
namespace {

/// A wrong setting is a ValueError, anything else a RuntimeError, both with the library's one line.
void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const OptionError& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const Error& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  } catch (const c10::Error& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what_without_backtrace());
  }
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ library, function by function.";
  module.attr("TORCH_VERSION") = TORCH_VERSION;
  module.attr("__version__") = kVersion;
  pybind11::register_local_exception_translator(translate);
  bind_runs(module);
  bind_steps(module);
  bind_models(module);
}

}  // namespace neurontune::python
