#pragma once

#include <nlohmann/json_fwd.hpp>

#include "neurontune/method/identification.h"
#include "neurontune/method/mistake_test.h"
#include "neurontune/method/spuriousness.h"

namespace neurontune {

/// {count, total, indices}; with per_class masks `indices` is a list for each class.
nlohmann::ordered_json biased_dimensions_json(const BiasedDimensions& biased);

/// [{label, correct, misclassified, usable}]
nlohmann::ordered_json classes_json(const SpuriousnessScores& scores);

/// {plain, given_margin}, each [{label, verdict, significant, minimal_effect}]
nlohmann::ordered_json mistake_test_json(const MistakeTest& test);

}  // namespace neurontune
