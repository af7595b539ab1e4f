#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace neurontune {

/// Whether a file's name says that it is YAML: it ends in .yaml or .yml.
bool is_yaml(const std::filesystem::path& path);

/// Parses YAML 1.2 of a file, which may be any text, as the JSON that says the same. Plain scalars
/// are null, true, false, whole numbers and floats as in YAML's core schema, else strings; quoted
/// ones are strings.
/// @throws Error saying what is wrong, but not of which file; also for what JSON has not: a key
///         given twice, aliases, tags of one's own, several documents
nlohmann::ordered_json parse_yaml(std::string_view text);

/// The same where it is a mapping of settings.
/// @param source the file, for messages
/// @throws OptionError that names the source
nlohmann::ordered_json parse_yaml_settings(const std::string& source, std::string_view text);

/// JSON as YAML in block style, which every parser of YAML 1.1 or 1.2 reads as the same values:
/// strings are quoted. Ends with a newline. Strings must be UTF-8.
std::string yaml_text(const nlohmann::ordered_json& json);

}  // namespace neurontune
