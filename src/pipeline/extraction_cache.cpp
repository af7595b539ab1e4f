#include "pipeline/extraction_cache.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "data/byte_escapes.h"
#include "data/file_io.h"
#include "data/json_text.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFile = "cache.json";

}  // namespace

ExtractionCache::ExtractionCache(std::filesystem::path folder) : folder_(std::move(folder)) {
  const auto json = read_json_or_null(folder_ / kFile);
  if (!json.is_object()) return;  // none yet, or none that can be trusted
  for (const auto& [split, entry] : json.items()) {
    if (!entry.is_object()) continue;
    auto& known = entries_[unescaped(split)];
    known.key = entry.value("key", "");
    for (const auto& skipped : entry.value("skipped", Json::array()))
      known.skipped.push_back(
          {unescaped(skipped.value("sample", "")), unescaped(skipped.value("reason", ""))});
  }
}

bool ExtractionCache::holds(const std::string& split, const std::string& key) const {
  const auto entry = entries_.find(split);
  return entry != entries_.end() && entry->second.key == key &&
         std::filesystem::exists(folder_ / (split + ".safetensors"));
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
  write_file(folder_ / kFile, json_text(std::move(json), 1) + "\n");
}

}  // namespace neurontune
