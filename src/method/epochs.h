#pragma once

#include <cstdint>
#include <string>

#include "neurontune/method/retraining.h"

namespace neurontune {

// What every loop over the epochs of a retraining begins with, and how it ends early.

/// The head that retraining starts from.
/// @param generator draws a fresh one, and then the batches
Head starting_head(const Head& erm, Start start, const at::Generator& generator);

/// What is said of an epoch that gave a head that is not finite.
std::string infinite_retraining(int64_t epoch, const RetrainingOptions& options);

}  // namespace neurontune
