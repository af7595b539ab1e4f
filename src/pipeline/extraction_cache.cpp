#include "pipeline/extraction_cache.h"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/byte_escapes.h"
#include "base/describe.h"
#include "base/digest.h"
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
  ExtractionCache::Entry entry{json.at("key").get<std::string>(), {}, {}};
  const auto made_from = json.value("made_from", Json::object());
  for (const auto& [what, text] : made_from.items())
    entry.made_from.emplace_back(what, text.get<std::string>());
  const auto all_skipped = json.value("skipped", Json::array());
  for (const auto& skipped : all_skipped)
    entry.skipped.push_back({unescaped(skipped.at("sample").get<std::string>()),
                             unescaped(skipped.at("reason").get<std::string>())});
  return entry;
}

constexpr std::size_t kLongestShown = 32;  // of a part; fingerprints are longer

/// Fingerprints name files and list samples: of these the digest is kept.
MadeFrom shortened(MadeFrom made_from) {
  for (auto& [what, text] : made_from)
    if (text.size() > kLongestShown) text = "digest " + text_digest(text);
  return made_from;
}

/// "batch size was 64, now 32"; "model has changed" where the part is a fingerprint.
std::string change(const std::string& what, const std::string& was, const std::string& is) {
  if (is.starts_with("digest ")) return what + " has changed";
  return what + " was " + (was.empty() ? "none" : was) + ", now " + (is.empty() ? "none" : is);
}

std::string changes(const MadeFrom& before, const MadeFrom& now) {
  std::vector<std::string> found;
  for (const auto& [what, text] : now) {
    const auto old =
        std::find_if(before.begin(), before.end(),
                     [&, &what = what](const auto& part) { return part.first == what; });
    if (old != before.end() && old->second != text)
      found.push_back(change(what, old->second, text));
  }
  return found.empty() ? "it was made from something else" : listed(found);
}

}  // namespace

std::string key_of(const MadeFrom& made_from) {
  std::vector<std::string> texts;
  for (const auto& [what, text] : made_from)
    if (!text.empty()) texts.push_back(text);
  return text_digest(joined(texts, "\n"));
}

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

std::string ExtractionCache::mismatch(const std::string& split, const MadeFrom& made_from) const {
  const auto entry = entries_.find(split);
  if (entry == entries_.end()) return "the folder does not hold it yet";
  if (entry->second.key != key_of(made_from))
    return changes(entry->second.made_from, shortened(made_from));
  try {
    const auto path = folder_ / (split + ".safetensors");
    if (stored_digest(path).empty()) return "its file carries no digest";
    check_split_digest(path);
    return "";
  } catch (const Error& error) {  // gone or damaged
    return error.what();
  }
}

void ExtractionCache::forget(const std::string& split) {
  if (entries_.erase(split) > 0) save();
}

void ExtractionCache::remember(const std::string& split, const Entry& entry) {
  entries_[split] = entry;
  entries_[split].made_from = shortened(entry.made_from);
  save();
}

void ExtractionCache::save() const {
  Json json = Json::object();
  for (const auto& [split, entry] : entries_) {
    json[split]["key"] = entry.key;
    for (const auto& [what, text] : entry.made_from) json[split]["made_from"][what] = text;
    for (const auto& [sample, reason] : entry.skipped)
      json[split]["skipped"].push_back({{"sample", sample}, {"reason", reason}});
  }
  write_file(folder_ / kCacheFile, json_text(std::move(json), 1) + "\n");
}

}  // namespace neurontune
