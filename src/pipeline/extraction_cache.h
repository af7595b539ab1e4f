#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "neurontune/pipeline/extract.h"

namespace neurontune {

/// Which splits a folder of embeddings holds, and what each was made from.
///
/// Kept in FOLDER/cache.json. A split's entry is dropped before the split is touched and comes back
/// when it is whole, so that a run that was cut short leaves no entry it should not.
class ExtractionCache {
 public:
  struct Entry {
    std::string key;                     ///< of what it was made from
    std::vector<SkippedReport> skipped;  ///< samples left out
  };

  explicit ExtractionCache(std::filesystem::path folder);

  /// Whether a split is there, made from the same and whole: its tensors have the digest that its
  /// header says.
  bool holds(const std::string& split, const std::string& key) const;
  void forget(const std::string& split);
  void remember(const std::string& split, const Entry& entry);
  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  void save() const;

  std::filesystem::path folder_;
  std::map<std::string, Entry> entries_;  ///< by split
};

}  // namespace neurontune
