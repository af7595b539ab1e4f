#include "io/result_file.h"

#include <system_error>
#include <utility>

#include "io/file_io.h"
#include "neurontune/base/error.h"

namespace neurontune {

ResultFile::ResultFile(std::filesystem::path path, std::string_view beginning)
    : path_(std::move(path)), beginning_(beginning) {
  if (path_.empty()) return;
  if (path_.has_parent_path()) make_folder(path_.parent_path());
  check_ours();
  std::error_code error;
  std::filesystem::remove(path_, error);
  if (error) throw Error(path_.string() + ": cannot be removed: " + error.message());
}

void ResultFile::write(std::string_view content) const {
  if (path_.empty()) return;
  check_ours();
  write_file(path_, content);
}

void ResultFile::check_ours() const {
  if (entry_exists(path_) && !read_file(path_).starts_with(beginning_))
    throw Error(path_.string() +
                ": is there, and was not written by neurontune; expected a new file");
}

}  // namespace neurontune
