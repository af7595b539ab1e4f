#pragma once

#include <string>
#include <vector>

#include "neurontune/compare/ablate.h"

namespace neurontune {

/// A warning for each swept key of which no value changes any result, with the reason where it is
/// known: a setting that is not used with the other settings, or a head that does not depend on it.
///
/// @param points  what was run
/// @param reports what each gave, in the same order
std::vector<std::string> sweeps_without_effect(const std::vector<SweepPoint>& points,
                                               const std::vector<AblationPoint>& reports);

}  // namespace neurontune
