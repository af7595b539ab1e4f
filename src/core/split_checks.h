#pragma once

#include <string>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"

namespace neurontune {

/// Checks a split against the head it goes with: shapes, labels, finite values.
/// @throws Error that begins with `split`, or is about the head
void check_split(const LabelledEmbeddings& data, const Head& head, const std::string& split);

}  // namespace neurontune
