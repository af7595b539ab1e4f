#include "pipeline/extraction_cache.h"

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/byte_escapes.h"
#include "data/split_digest.h"
#include "io/file_io.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"
#include "neurontune/data/split.h"
#include "neurontune/io/safetensors.h"
#include "pipeline/embedding_output.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

/// @throws std::exception if it is not as `save` writes it
ExtractionCache::Entry entry_of(const std::string& split, const Json& json) {
  check_split_name(split);
  ExtractionCache::Entry entry{json.at("key").get<std::string>(), {}};
  const auto all_skipped = json.value("skipped", Json::array());
  for (const auto& skipped : all_skipped)
    entry.skipped.push_back({unescaped(skipped.at("sample").get<std::string>()),
                             unescaped(skipped.at("reason").get<std::string>())});
  return entry;
}

}  // namespace

ExtractionCache::ExtractionCache(std::filesystem::path folder) : folder_(std::move(folder)) {
  try {
    const auto json = parse_json(read_file(folder_ / kCacheFile));
    if (!json.is_object()) return;
    for (const auto& [name, entry] : json.items()) {
      const auto split = unescaped(name);
      entries_[split] = entry_of(split, entry);
    }
  } catch (const std::exception&) {  // none yet, or one that cannot be trusted
    entries_.clear();
  }
}

bool ExtractionCache::holds(const std::string& split, const std::string& key) const {
  const auto entry = entries_.find(split);
  if (entry == entries_.end() || entry->second.key != key) return false;
  try {
    const auto path = folder_ / (split + ".safetensors");
    if (stored_digest(path).empty()) return false;
    check_split_digest(path);
    return true;
  } catch (const Error&) {  // gone or damaged
    return false;
  }
}

void ExtractionCache::forget(const std::string& split) {
  if (entries_.erase(split) > 0) save();
}

void ExtractionCache::remember(const std::string& split, const Entry& entry) {
  entries_[split] = entry;
  save();
}

void ExtractionCache::save() const {
  Json json = Json::object();
  for (const auto& [split, entry] : entries_) {
    json[split]["key"] = entry.key;
    for (const auto& [sample, reason] : entry.skipped)
      json[split]["skipped"].push_back({{"sample", sample}, {"reason", reason}});
  }
  write_file(folder_ / kCacheFile, json_text(std::move(json), 1) + "\n");
}

}  // namespace neurontune
