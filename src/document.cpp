#include "document.h"

#include <nlohmann/json.hpp>

namespace neurontune {

std::string document(const nlohmann::ordered_json& json, int indent) {
  using Json = nlohmann::ordered_json;
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace neurontune
