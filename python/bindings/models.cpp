#include <neurontune/base/error.h>
#include <neurontune/model/erm_model.h>

#include "bindings.h"
#include "conversions.h"

namespace neurontune::python {
namespace {

HeadTuple read_model_head(const std::string& path, const std::string& head) {
  return unlocked([&] {
    const auto found = ErmModel::load(path, at::kCPU, {.head = head}).head();
    if (!found.is_linear())
      throw Error(path + ": the head " + head + " has several layers; expected a linear one");
    return tuple_of(found);
  });
}

void export_model(const std::string& model, const HeadTuple& head, const std::string& out) {
  unlocked([&] { ErmModel::load(model).save_with_head(head_of(head), out); });
}

}  // namespace

void bind_models(py::module_& module) {
  module.def("read_model_head", &read_model_head);
  module.def("export_model", &export_model);
}

}  // namespace neurontune::python
