#include "io/regular_file.h"

#include <sys/stat.h>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "io/file_io.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/image.h"
#include "neurontune/io/npz.h"
#include "neurontune/io/safetensors.h"

namespace neurontune {
namespace {

class RegularFileTest : public TemporaryFolderTest {
 protected:
  std::filesystem::path pipe(const std::string& name) const {
    const auto path = folder() / name;
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path;
  }
};

TEST_F(RegularFileTest, PipesAreNotWaitedFor) {
  EXPECT_ERROR(read_file(pipe("a")), "a: is a pipe, expected a file");
  EXPECT_ERROR(decode_image(pipe("a.png")), "a.png: is a pipe");
  EXPECT_ERROR(read_npz(pipe("a.npz")), "a.npz: is a pipe");
  EXPECT_ERROR(read_safetensors(pipe("a.safetensors")), "a.safetensors: is a pipe");
  EXPECT_ERROR(Names::read(pipe("names.json").parent_path()), "names.json: is a pipe");
  EXPECT_ERROR(open_data(pipe("metadata.csv"), {}), "metadata.csv: is a pipe");
}

TEST_F(RegularFileTest, DevicesAreNotRead) {
  EXPECT_ERROR(read_file("/dev/zero"), "/dev/zero: is a device, expected a file");
}

TEST_F(RegularFileTest, FilesAreReadWhole) {
  EXPECT_EQ(read_file(write("empty", "")), "");
  const std::string bytes(10'000, 'x');
  EXPECT_EQ(read_file(write("bytes", bytes)), bytes);
  EXPECT_FALSE(read_file("/proc/self/status").empty()) << "of a file that says it has no bytes";
}

}  // namespace
}  // namespace neurontune
