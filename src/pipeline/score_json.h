#pragma once

#include <nlohmann/json_fwd.hpp>

#include "neurontune/pipeline/score.h"

namespace neurontune {

/// score.json.
nlohmann::ordered_json score_json(const ScoreOutcome& outcome);

}  // namespace neurontune
