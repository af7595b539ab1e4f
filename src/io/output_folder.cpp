#include "io/output_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/byte_escapes.h"
#include "base/digest.h"
#include "io/file_io.h"
#include "io/folder_mark.h"
#include "io/json_text.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFiles = "files";

/// Makes a folder; whether there was none.
bool make_if_absent(const std::filesystem::path& folder) {
  const bool absent = !entry_exists(folder);
  make_folder(folder);
  return absent;
}

/// Whether a folder holds nothing but what every output folder does.
bool holds_marks_alone(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator entries(folder, failed);
  return !failed && std::all_of(begin(entries), end(entries), [](const auto& entry) {
    const auto name = entry.path().filename();
    return name == kFolderMark || name == FolderLock::kFile;
  });
}

}  // namespace

OutputFolder::OutputFolder(std::filesystem::path folder, const std::vector<std::string>& files)
    : folder_(std::move(folder)), is_new_(make_if_absent(folder_)), lock_(folder_) {
  remove_abandoned(folder_);
  read_mark();
  for (const auto& file : files) check(file);
  if (!is_marked(folder_)) write_mark();  // from now on: it may lie inside the data that is read
}

OutputFolder::~OutputFolder() {
  if (!is_new_ || !holds_marks_alone(folder_)) return;
  std::error_code ignored;  // the lock goes last: while it is there nobody else begins
  std::filesystem::remove(folder_ / kFolderMark, ignored);
  std::filesystem::remove(folder_ / FolderLock::kFile, ignored);
  std::filesystem::remove(folder_, ignored);
}

void OutputFolder::check(const std::string& file) const {
  if (!entry_exists(folder_ / file) || is_ours(file)) return;
  throw Error((folder_ / file).string() +
              (made_.contains(file) ? ": has changed since neurontune wrote it"
                                    : ": was not written by neurontune") +
              " and would be overwritten; move it away, or choose another folder");
}

bool OutputFolder::is_ours(const std::string& file) const {
  const auto found = made_.find(file);
  if (found == made_.end()) return false;
  std::error_code ignored;
  if (std::filesystem::is_symlink(folder_ / file, ignored) ||
      !std::filesystem::is_regular_file(folder_ / file, ignored))
    return false;
  return found->second.empty() || content_digest(folder_ / file) == found->second;
}

void OutputFolder::begin(const std::vector<std::string>& files) {
  for (const auto& file : files) made_[file].clear();
  write_mark();
}

std::map<std::string, std::string> OutputFolder::finish(const std::vector<std::string>& files) {
  std::map<std::string, std::string> digests;
  for (const auto& file : files) digests[file] = made_[file] = content_digest(folder_ / file);
  write_mark();
  return digests;
}

void OutputFolder::remove(const std::string& file) {
  if (!is_ours(file)) return;
  std::filesystem::remove(folder_ / file);
  made_.erase(file);
  write_mark();
}

/// A mark that is not as it was written lists nothing.
void OutputFolder::read_mark() {
  if (!entry_exists(folder_ / kFolderMark)) return;
  const auto json = read_json_or_null(folder_ / kFolderMark);
  if (!json.is_object() || !json.contains(kFiles) || !json.at(kFiles).is_object()) return;
  for (const auto& [file, digest] : json.at(kFiles).items())
    if (digest.is_string()) made_[unescaped(file)] = digest.get<std::string>();
}

void OutputFolder::write_mark() const {
  const Json json = {{"program", "neurontune"}, {kFiles, made_}};
  write_file(folder_ / kFolderMark, json_text(json) + "\n");
}

void check_holds_no_other(const std::filesystem::path& folder,
                          const std::vector<std::string>& marks) {
  for (const auto& mark : marks)
    if (entry_exists(folder / mark))
      throw OptionError(folder.string() + " holds " + mark +
                        " of another command, whose files would be mixed with these; expected "
                        "another folder");
}

void check_outside_data(const std::filesystem::path& folder, const std::filesystem::path& data) {
  std::error_code none;
  const auto inner = std::filesystem::weakly_canonical(folder, none)
                         .lexically_relative(std::filesystem::weakly_canonical(data, none));
  if (inner == ".")
    throw OptionError(folder.string() + " is the data's own folder; expected another for results");
  const bool inside = !inner.empty() && *inner.begin() != "..";
  if (inside && std::filesystem::is_directory(folder, none) && !is_marked(folder) &&
      !std::filesystem::is_empty(folder, none))
    throw OptionError(folder.string() + " is a folder of the data; expected another for results");
}

bool is_file_of(const std::filesystem::path& path, const std::filesystem::path& folder,
                const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [&](const std::string& file) {
    std::error_code none;
    return std::filesystem::equivalent(path, folder / file, none);
  });
}

}  // namespace neurontune
