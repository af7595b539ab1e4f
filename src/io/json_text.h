#pragma once

#include <exception>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace neurontune {

/// How deep lists and objects may lie in each other, in JSON and YAML.
inline constexpr int kDeepest = 100;

/// Parses JSON of a file, which may be any text.
/// @throws Error saying what is wrong, but not of which file: "is not JSON: …"
nlohmann::ordered_json parse_json(std::string_view text);

/// Parses a JSON object of a file of the user's.
/// @throws Error as above; also where it is JSON, but no object: "is not a JSON object"
nlohmann::ordered_json parse_json_object(std::string_view text);

/// The same where the object is one of settings.
/// @param source the file, for messages
/// @throws OptionError that names the source
nlohmann::ordered_json parse_json_settings(const std::string& source, std::string_view text);

/// What the parser's exception says, without its number and what was read last, which may be any
/// bytes: "parse error at line 1, column 2: …" of "[json.exception.parse_error.101] parse error at
/// …; last read: …".
std::string json_reason(const std::exception& error);

/// JSON of a file that this program keeps for itself; null where there is none that can be read.
nlohmann::ordered_json read_json_or_null(const std::filesystem::path& path);

/// Refuses JSON whose lists and objects lie in each other so deeply that going through them would
/// take all of the stack.
/// @throws Error as above
void check_json_depth(std::string_view text);

/// JSON as text, with strings and keys that may be any bytes: as `escaped` writes them. The one way
/// by which JSON is written.
/// @param indent blanks a level; negative: all on one line
std::string json_text(nlohmann::ordered_json json, int indent = 2);

/// A value in a message: JSON on one line and not too long.
std::string shown_json(const nlohmann::ordered_json& json);

}  // namespace neurontune
