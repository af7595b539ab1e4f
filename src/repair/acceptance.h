#pragma once

#include "neurontune/method/selection.h"
#include "neurontune/repair/candidate.h"
#include "neurontune/shortcut/shortcut_search.h"

namespace neurontune {

/// Whether a head may be picked, and why; see `repair`.
/// @param erm the ERM head, judged on the same data
Acceptance acceptance(const Candidate& candidate, const Candidate& erm, ShortcutVerdict verdict,
                      const SelectionOptions& options);

}  // namespace neurontune
