#include "core/split_checks.h"

#include <ATen/ATen.h>

#include "base/checks.h"
#include "base/describe.h"
#include "neurontune/base/error.h"

namespace neurontune {

void check_split(const LabelledEmbeddings& data, const Head& head, const std::string& split) {
  check_head(head, "the head");
  check_labelled(data.embeddings, data.labels, head.classes(), split);
  if (data.embeddings.size(1) != head.embedding_dim())
    throw Error(split + ": embeddings are " + describe(data.embeddings) +
                ", the head expects [N, " + std::to_string(head.embedding_dim()) + "]");
  check_finite(data, split);
}

void check_finite(const LabelledEmbeddings& data, const std::string& split) {
  if (!data.known_finite) check_finite(data.embeddings, split);
}

LabelledEmbeddings checked(const LabelledEmbeddings& data) {
  return {data.embeddings.detach(), data.labels.detach(), true};
}

}  // namespace neurontune
