#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/pipeline/extract.h"

namespace neurontune {

/// What embeddings are made from, part by part: {"batch size", "64"}. A part that is not so is
/// empty.
using MadeFrom = std::vector<std::pair<std::string, std::string>>;

/// A digest that differs where any part does.
std::string key_of(const MadeFrom& made_from);

/// Which splits a folder of embeddings holds, and what each was made from.
///
/// Kept in FOLDER/cache.json. A split's entry is dropped before the split is touched and comes back
/// when it is whole, so that a run that was cut short leaves no entry it should not.
class ExtractionCache {
 public:
  struct Entry {
    std::string key;                     ///< of what it was made from
    MadeFrom made_from;                  ///< the same, to say what has changed
    std::vector<SkippedReport> skipped;  ///< samples left out
  };

  explicit ExtractionCache(std::filesystem::path folder);

  /// Why a split cannot be reused; empty if it can. It must be there, made from the same, and
  /// whole: its tensors have the digest that its header says.
  std::string mismatch(const std::string& split, const MadeFrom& made_from) const;
  void forget(const std::string& split);
  void remember(const std::string& split, const Entry& entry);
  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  void save() const;

  std::filesystem::path folder_;
  std::map<std::string, Entry> entries_;  ///< by split
};

}  // namespace neurontune
