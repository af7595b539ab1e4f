#pragma once

#include <torch/csrc/utils/pybind.h>

namespace neurontune::python {

// The functions of neurontune._core, by what they are of. Settings come as JSON, and reports go as
// JSON, in the library's own words: python/neurontune/_core.pyi has every signature.

void bind_runs(pybind11::module_& module);
void bind_steps(pybind11::module_& module);
void bind_models(pybind11::module_& module);

}  // namespace neurontune::python
