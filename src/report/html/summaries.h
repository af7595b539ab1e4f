#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "report/html/chart.h"

namespace neurontune::html {

/// Whether a method or a point has a reason why it has no figures.
bool failed(const nlohmann::ordered_json& entry);

/// A figure over seeds, with its standard deviation on both sides; none where it is not there.
/// @param figures `test` of a method or a point
std::optional<Estimate> over_seeds(const nlohmann::ordered_json& figures, const std::string& name);

/// "74.2 % ± 1.3", or a dash.
std::string over_seeds_text(const nlohmann::ordered_json& figures, const std::string& name);

/// The figure of the worst: of groups, or without attributes of classes.
std::string worst_figure(const nlohmann::ordered_json& figures);

/// "worst_group_accuracy" as "worst group"
std::string figure_name(std::string key);

}  // namespace neurontune::html
