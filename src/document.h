#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace neurontune {

/// A JSON document as text. What is not UTF-8 in it, a file's name say, is replaced by "\uFFFD":
/// the writer would else throw after all the work is done.
/// @param indent as that of nlohmann::json::dump; -1 for one line
std::string document(const nlohmann::ordered_json& json, int indent = 2);

}  // namespace neurontune
