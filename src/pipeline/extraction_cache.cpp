#include "pipeline/extraction_cache.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "data/file_io.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFile = "cache.json";

}  // namespace

ExtractionCache::ExtractionCache(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::ifstream file(folder_ / kFile);
  const auto json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;  // none yet, or none that can be trusted
  for (const auto& [split, key] : json.items())
    if (key.is_string()) entries_[split] = key.get<std::string>();
}

bool ExtractionCache::holds(const std::string& split, const std::string& key) const {
  const auto entry = entries_.find(split);
  return entry != entries_.end() && entry->second == key &&
         std::filesystem::exists(folder_ / (split + ".safetensors"));
}

void ExtractionCache::forget(const std::string& split) {
  if (entries_.erase(split) > 0) save();
}

void ExtractionCache::remember(const std::string& split, const std::string& key) {
  entries_[split] = key;
  save();
}

void ExtractionCache::save() const { write_file(folder_ / kFile, Json(entries_).dump(1) + "\n"); }

}  // namespace neurontune
