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
  for (const auto& [split, entry] : json.items()) {
    if (!entry.is_object()) continue;
    auto& known = entries_[split];
    known.key = entry.value("key", "");
    for (const auto& skipped : entry.value("skipped", Json::array()))
      known.skipped.push_back({skipped.value("sample", ""), skipped.value("reason", "")});
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
  write_file(folder_ / kFile, json.dump(1) + "\n");
}

}  // namespace neurontune
