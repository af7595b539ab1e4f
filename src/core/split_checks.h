#pragma once

#include <string>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"

namespace neurontune {

/// Checks a split against the head it goes with: shapes, labels, finite values.
/// @throws Error that begins with `split`, or is about the head
void check_split(const LabelledEmbeddings& data, const Head& head, const std::string& split);

/// Checks that every value is finite, unless that is known.
/// @throws Error naming the split and the first value that is not
void check_finite(const LabelledEmbeddings& data, const std::string& split);

/// A split that was checked, for what comes next: detached from any graph, and known to be finite.
LabelledEmbeddings checked(const LabelledEmbeddings& data);

}  // namespace neurontune
