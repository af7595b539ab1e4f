#pragma once

#include <neurontune/base/progress.h>
#include <neurontune/core/head.h>
#include <neurontune/core/labelled_embeddings.h>
#include <neurontune/data/embeddings.h>
#include <torch/csrc/utils/pybind.h>

#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace neurontune::python {

namespace py = pybind11;

// What Python hands over: tensors, of which none is copied where dtype and device fit.
using SplitTuple = std::tuple<at::Tensor, at::Tensor, std::optional<at::Tensor>>;
using HeadTuple = std::tuple<at::Tensor, std::optional<at::Tensor>>;

/// A head of two classes or more; one logit, [1, M], becomes two.
Head head_of(const HeadTuple& tensors);

/// A head as it came: of one logit where it had one.
HeadTuple tuple_of(const Head& head);

/// Splits by name, checked.
EmbeddingFolder data_of(const std::map<std::string, SplitTuple>& splits, const HeadTuple& head);

/// A split as a single step takes it: float32 (half types stay), labels int64 where the embeddings
/// are.
LabelledEmbeddings labelled_of(const SplitTuple& split);

/// The head as it is computed with beside a split.
Head head_beside(const HeadTuple& head, const at::Tensor& embeddings);

/// Looks for signals, so that Ctrl-C ends the work at its next step, and calls `callback` unless it
/// is None. The library runs without the interpreter's lock; this takes it.
/// @param callback must outlive the function: only a reference is kept, since copies are made and
///                 dropped without the lock
ProgressFn progress_of(const py::object& callback);

/// Runs the library's work without the interpreter's lock.
template <typename Work>
auto unlocked(const Work& work) {
  const py::gil_scoped_release released;
  return work();
}

}  // namespace neurontune::python
