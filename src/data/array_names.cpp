#include "neurontune/data/array_names.h"

#include <map>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "base/edit_distance.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Fields = std::vector<std::pair<std::string, std::string ArrayNames::*>>;

const Fields& fields() {
  static const Fields all = {{"embeddings", &ArrayNames::embeddings},
                             {"labels", &ArrayNames::labels},
                             {"attributes", &ArrayNames::attributes},
                             {"groups", &ArrayNames::groups},
                             {"ids", &ArrayNames::ids},
                             {"weight", &ArrayNames::weight},
                             {"bias", &ArrayNames::bias}};
  return all;
}

std::string& field_of(ArrayNames& names, const std::string& key) {
  std::vector<std::string> known;
  for (const auto& [name, field] : fields()) {
    if (name == key) return names.*field;
    known.push_back(name);
  }
  throw OptionError("arrays: unknown key " + key + nearest_known(key, known));
}

}  // namespace

ArrayNames ArrayNames::parse(const std::string& text) {
  ArrayNames names;
  std::set<std::string> given;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto equals = part.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == part.size())
      throw OptionError("arrays is " + text +
                        ", expected KEY=NAME,…, as embeddings=feats,labels=y");
    const auto key = part.substr(0, equals);
    field_of(names, key) = part.substr(equals + 1);
    if (!given.insert(key).second) throw OptionError("arrays: " + key + " is given twice");
  }
  std::map<std::string, std::string> key_of;
  for (const auto& [key, field] : fields()) {
    const auto [other, is_new] = key_of.emplace(names.*field, key);
    if (!is_new)
      throw OptionError("arrays: " + other->second + " and " + key + " are both called " +
                        names.*field);
  }
  return names;
}

}  // namespace neurontune
