#pragma once

#include <neurontune/shortcut/shortcut_search.h>
#include <torch/csrc/utils/pybind.h>

namespace neurontune::python {

/// A search for a shortcut as the fields of neurontune.Groups.
inline pybind11::dict groups_dict(const ShortcutSearch& search) {
  namespace py = pybind11;
  const auto tensor = [](const at::Tensor& found) {
    return found.defined() ? py::cast(found) : py::object(py::none());
  };
  py::dict groups;
  groups["verdict"] = name(search.verdict);
  groups["reason"] = search.reason;
  groups["evidence"] = search.evidence();
  groups["separation"] = search.separation;
  groups["reliance"] = search.reliance;
  groups["suspected_labels"] = search.suspected_labels;
  groups["rows"] = tensor(search.trusted);
  groups["beliefs"] = tensor(search.beliefs);
  groups["warnings"] = search.warnings;
  return groups;
}

}  // namespace neurontune::python
