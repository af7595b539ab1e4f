#include "io/zip_entries.h"

#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <string_view>

#include "neurontune/base/error.h"

// Signatures and places of fields are those of PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.
namespace neurontune {
namespace {

static_assert(std::endian::native == std::endian::little, "zip fields are little-endian");

constexpr std::string_view kEndRecord = "PK\x05\x06", kEndRecord64 = "PK\x06\x06",
                           kLocator64 = "PK\x06\x07", kDirectory = "PK\x01\x02",
                           kLocal = "PK\x03\x04", kDescriptor = "PK\x07\x08";
constexpr uint64_t kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56, kDirectorySize = 46,
                   kLocalSize = 30, kLongestComment = 65535;
constexpr uint32_t kIn64 = 0xFFFFFFFF;  // the field's value is in the zip64 record
constexpr uint16_t kExtra64 = 1, kHasDescriptor = 1 << 3;
constexpr uint64_t kDirectoryChecksum = 16, kDirectoryAttributes = 38, kLocalChecksum = 14;
constexpr uint32_t kFolder = 0x10;

class ZipFile {
 public:
  explicit ZipFile(const std::filesystem::path& path)
      : name_(path.string()), file_(path, std::ios::binary | std::ios::ate) {
    if (!file_) throw Error(name_ + " cannot be opened for reading");
    size_ = static_cast<uint64_t>(file_.tellg());
  }

  uint64_t size() const { return size_; }

  std::string read(uint64_t place, uint64_t count) {
    if (count > size_ || place > size_ - count) damaged();  // before the memory is taken
    std::string bytes(count, '\0');
    file_.seekg(static_cast<std::streamoff>(place));
    if (!file_.read(bytes.data(), static_cast<std::streamsize>(count))) damaged();
    return bytes;
  }

  [[noreturn]] void damaged() const { throw Error(name_ + " is a damaged zip file"); }

 private:
  std::string name_;
  std::ifstream file_;
  uint64_t size_ = 0;
};

template <typename Number>
Number number_at(const std::string& bytes, uint64_t place) {
  Number number{};
  std::memcpy(&number, bytes.data() + place, sizeof number);
  return number;
}

template <typename Number>
std::string bytes_of(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

struct Directory {
  uint64_t place = 0, size = 0, entries = 0;
};

Directory find_directory(ZipFile& file) {
  const uint64_t tail_size = std::min(file.size(), kEndSize + kLongestComment);
  const uint64_t tail_place = file.size() - tail_size;
  const auto tail = file.read(tail_place, tail_size);
  // The comment after it may hold the same bytes: the right one's comment ends with the file.
  auto end = tail.rfind(kEndRecord);
  while (end != std::string::npos && end != 0 &&
         (end + kEndSize > tail.size() ||
          end + kEndSize + number_at<uint16_t>(tail, end + 20) != tail.size()))
    end = tail.rfind(kEndRecord, end - 1);
  if (end == std::string::npos || end + kEndSize > tail.size()) file.damaged();
  const Directory directory{number_at<uint32_t>(tail, end + 16),
                            number_at<uint32_t>(tail, end + 12),
                            number_at<uint16_t>(tail, end + 10)};
  if (tail_place + end < kLocatorSize) return directory;
  const auto locator = file.read(tail_place + end - kLocatorSize, kLocatorSize);
  if (!locator.starts_with(kLocator64)) return directory;
  const auto end64 = file.read(number_at<uint64_t>(locator, 8), kEnd64Size);
  if (!end64.starts_with(kEndRecord64)) file.damaged();
  return {number_at<uint64_t>(end64, 48), number_at<uint64_t>(end64, 40),
          number_at<uint64_t>(end64, 32)};
}

/// Fills those of the fields that are in the entry's zip64 record, in this order.
void fill_from_extra(const std::string& extra, std::initializer_list<uint64_t*> fields) {
  for (uint64_t place = 0; place + 4 <= extra.size();) {
    const auto kind = number_at<uint16_t>(extra, place);
    const auto end = place + 4 + number_at<uint16_t>(extra, place + 2);
    place += 4;
    for (auto* field : fields) {
      if (kind != kExtra64 || *field != kIn64 || place + 8 > std::min(end, extra.size())) continue;
      *field = number_at<uint64_t>(extra, place);
      place += 8;
    }
    place = end;
  }
}

/// Past the local header, which must be of the same entry: readers find some entries by the
/// directory and their content by this header.
uint64_t content_place(ZipFile& file, const ZipEntry& entry, uint16_t method) {
  const auto local = file.read(entry.header, kLocalSize);
  if (!local.starts_with(kLocal)) file.damaged();
  const uint64_t name_size = number_at<uint16_t>(local, 26);
  if (number_at<uint16_t>(local, 8) != method ||
      file.read(entry.header + kLocalSize, name_size) != entry.name)
    file.damaged();
  return entry.header + kLocalSize + name_size + number_at<uint16_t>(local, 28);
}

bool has_a_name_twice(const std::vector<ZipEntry>& entries) {
  std::set<std::string_view> names;
  for (const auto& entry : entries) names.insert(entry.name);
  return names.size() != entries.size();
}

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

std::unique_ptr<zip_t, CloseArchive> open_zip(const std::filesystem::path& path) {
  int code = 0;
  std::unique_ptr<zip_t, CloseArchive> archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  throw Error(path.string() + " cannot be read: " + reason);
}

}  // namespace

std::vector<ZipEntry> read_zip_entries(const std::filesystem::path& archive) {
  ZipFile file(archive);
  const auto directory = find_directory(file);
  const auto bytes = file.read(directory.place, directory.size);
  std::vector<ZipEntry> entries;
  for (uint64_t place = 0; place + kDirectorySize <= bytes.size();) {
    const auto field = [&](uint64_t offset) { return number_at<uint16_t>(bytes, place + offset); };
    const uint64_t name_size = field(28), extra_size = field(30), comment_size = field(32);
    const uint64_t record_size = kDirectorySize + name_size + extra_size + comment_size;
    if (bytes.compare(place, 4, kDirectory) != 0 || place + record_size > bytes.size())
      file.damaged();
    ZipEntry entry;
    entry.name = bytes.substr(place + kDirectorySize, name_size);
    const uint16_t method = field(10);
    entry.stored = method == 0;
    entry.directory = directory.place + place;
    // LibTorch reads nothing of what is marked as a folder, and takes the memory as it is.
    const bool is_folder =
        (number_at<uint32_t>(bytes, place + kDirectoryAttributes) & kFolder) != 0;
    if (is_folder && !entry.name.ends_with('/')) file.damaged();
    uint64_t compressed = number_at<uint32_t>(bytes, place + 20);
    entry.size = number_at<uint32_t>(bytes, place + 24);
    entry.header = number_at<uint32_t>(bytes, place + 42);
    fill_from_extra(bytes.substr(place + kDirectorySize + name_size, extra_size),
                    {&entry.size, &compressed, &entry.header});
    entry.content = content_place(file, entry, method);
    if (compressed > file.size() || entry.content > file.size() - compressed ||
        (entry.stored && compressed != entry.size))
      file.damaged();
    entries.push_back(std::move(entry));
    place += record_size;
  }
  if (entries.size() != directory.entries || has_a_name_twice(entries)) file.damaged();
  return entries;
}

void check_zip_contents(const std::filesystem::path& archive) {
  const auto open = open_zip(archive);
  const auto count = static_cast<uint64_t>(zip_get_num_entries(open.get(), 0));
  std::string block(size_t{1} << 20, '\0');
  for (uint64_t index = 0; index < count; ++index) {
    const char* const name = zip_get_name(open.get(), index, 0);
    const auto damaged = [&](const std::string& reason) {
      throw Error(archive.string() + " is damaged: its record " + (name ? name : "") +
                  " cannot be read (" + reason + "); copy the file or export the model again");
    };
    const std::unique_ptr<zip_file_t, CloseEntry> entry(zip_fopen_index(open.get(), index, 0));
    if (!entry) damaged(zip_strerror(open.get()));
    zip_int64_t read = 0;
    do {  // the checksum is compared at the end
      read = zip_fread(entry.get(), block.data(), block.size());
    } while (read > 0);
    if (read < 0) damaged(zip_file_strerror(entry.get()));
  }
}

std::vector<Overwrite> overwriting(const std::filesystem::path& archive, const ZipEntry& entry,
                                   const std::string& content) {
  if (!entry.stored || entry.size != content.size())
    throw Error(archive.string() + ": " + entry.name +
                (entry.stored ? " has another size than what would replace it"
                              : " is compressed; load the model and save it again with "
                                "torch.jit.save, which stores tensors as they are"));
  ZipFile file(archive);
  const auto checksum =
      crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());  // NOLINT
  const auto sum = bytes_of(static_cast<uint32_t>(checksum));
  std::vector<Overwrite> changes = {{entry.content, content},
                                    {entry.directory + kDirectoryChecksum, sum}};
  const auto local = file.read(entry.header, kLocalSize);
  if ((number_at<uint16_t>(local, 6) & kHasDescriptor) == 0) {
    changes.push_back({entry.header + kLocalChecksum, sum});
    return changes;
  }
  const uint64_t descriptor = entry.content + entry.size;
  const bool is_signed = file.read(descriptor, 4) == kDescriptor;
  changes.push_back({descriptor + (is_signed ? 4 : 0), sum});
  if (number_at<uint32_t>(local, kLocalChecksum) != 0)
    changes.push_back({entry.header + kLocalChecksum, sum});
  return changes;
}

}  // namespace neurontune
