#pragma once

#include "neurontune/method/selection.h"
#include "neurontune/method/shortcut_search.h"
#include "neurontune/repair/candidate.h"

namespace neurontune {

/// Whether a head may be picked, and why; see `repair`.
/// @param erm the ERM head, judged on the same data
Acceptance acceptance(const Candidate& candidate, const Candidate& erm, ShortcutVerdict verdict,
                      const SelectionOptions& options);

}  // namespace neurontune
