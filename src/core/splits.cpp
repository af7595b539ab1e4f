#include "core/splits.h"

#include <ATen/ATen.h>

#include "core/split_checks.h"
#include "neurontune/base/error.h"
#include "neurontune/metrics/group_accuracy.h"

namespace neurontune {

void check_splits(const LabelledEmbeddings& data, const LabelledEmbeddings& held_out,
                  const Head& erm, const std::string& learning) {
  check_split(data, erm, learning);
  check_split(held_out, erm, "the held-out split");
  check_every_class(data.labels, erm.classes(), learning);
  check_every_class(held_out.labels, erm.classes(), "the held-out split");
  if (data.embeddings.device() != held_out.embeddings.device())
    throw Error(learning + " is on " + data.embeddings.device().str() + ", the held-out split on " +
                held_out.embeddings.device().str());
}

void check_every_class(const at::Tensor& labels, int64_t classes, const std::string& split) {
  const auto counts = at::bincount(labels, {}, classes).cpu();
  for (int64_t label = 0; label < classes; ++label)
    if (counts[label].item<int64_t>() == 0)
      throw Error(split + " has no sample of class " + std::to_string(label) + " (of " +
                  std::to_string(classes) + " classes): each needs at least one");
}

void check_linear(const Head& erm, const std::string& method) {
  if (!erm.is_linear())
    throw Error("the head is of several layers; " + method + " needs a linear head");
}

double worst_class_accuracy(const Head& head, const LabelledEmbeddings& data) {
  return accuracy_metrics(predictions(head, data.embeddings), data.labels, head.classes())
      .worst_class_accuracy;
}

}  // namespace neurontune
