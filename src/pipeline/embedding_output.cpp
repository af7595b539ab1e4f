#include "pipeline/embedding_output.h"

#include <algorithm>
#include <system_error>

#include "data/tensor_file.h"
#include "io/file_io.h"
#include "neurontune/base/error.h"
#include "neurontune/data/names.h"

namespace neurontune {
namespace {

constexpr const char* kPartial = ".safetensors.partial";
constexpr const char* kJournal = ".journal.json";

std::vector<std::string> files_of(const std::string& split) {
  return {split + ".safetensors", split + ".ids.txt"};
}

std::vector<std::string> files_of(const std::vector<std::string>& splits) {
  std::vector<std::string> files = {kHeadFile, Names::kFile, kCacheFile};
  for (const auto& split : splits)
    for (const auto& file : files_of(split)) files.push_back(file);
  return files;
}

}  // namespace

EmbeddingOutput::EmbeddingOutput(const std::filesystem::path& folder,
                                 const std::vector<std::string>& splits)
    : folder_(folder, files_of(splits)) {
  for (const auto& file : find_split_files(folder)) folder_.check(file.filename().string());
}

void EmbeddingOutput::remove_split(const std::string& split) {
  for (const auto& file : files_of(split)) folder_.remove(file);
}

void EmbeddingOutput::begin_split(const std::string& split) {
  remove_split(split);
  folder_.begin(files_of(split));
}

void EmbeddingOutput::begin_data(bool has_names) {
  folder_.remove(Names::kFile);
  folder_.begin({kHeadFile, kCacheFile});
  if (has_names) folder_.begin({Names::kFile});
}

void EmbeddingOutput::finish(const std::vector<std::string>& splits, bool has_names) {
  std::vector<std::string> files = {kHeadFile};
  if (has_names) files.emplace_back(Names::kFile);
  for (const auto& split : splits)  // who removed a split's ids does without them
    if (entry_exists(folder_ / (split + ".ids.txt"))) files.push_back(split + ".ids.txt");
  folder_.finish(files);
}

void EmbeddingOutput::remove_unfinished_but(const std::vector<std::string>& splits) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path(), ignored)) {
    const auto name = entry.path().filename().string();
    for (const std::string ending : {kPartial, kJournal}) {
      if (!name.starts_with('.') || !name.ends_with(ending)) continue;
      const auto split = name.substr(1, name.size() - 1 - ending.size());
      if (std::find(splits.begin(), splits.end(), split) == splits.end())
        std::filesystem::remove(entry.path(), ignored);
    }
  }
}

void check_embedding_output(const std::filesystem::path& folder,
                            const std::filesystem::path& data) {
  check_holds_no_other(folder, {"result.json", "compare.json"});
  check_outside_data(folder, data);
  const EmbeddingOutput unlocked_again(folder, std::vector<std::string>{});
}

}  // namespace neurontune
