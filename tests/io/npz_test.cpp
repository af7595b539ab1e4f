#include "neurontune/io/npz.h"

#include <ATen/ATen.h>

#include <ostream>

#include "error_matchers.h"
#include "neurontune/io/safetensors.h"
#include "tensors.h"

namespace neurontune {
namespace {

using Texts = std::vector<std::string>;

/// A file that write_npz.py wrote; ctest runs it first.
std::filesystem::path archive(const std::string& name) {
  const auto path = std::filesystem::path(NEURONTUNE_TEST_ARRAYS) / name;
  EXPECT_TRUE(std::filesystem::exists(path)) << path << ": tests/data/write_npz.py writes it";
  return path;
}

class NumPyArchive : public ::testing::TestWithParam<std::string> {};

TEST_P(NumPyArchive, HoldsWhatNumPySays) {
  const auto read = read_npz(archive(GetParam() + ".npz"));
  const auto expected = read_safetensors(archive(GetParam() + ".safetensors"));
  EXPECT_GT(expected.size(), 150U);
  ASSERT_EQ(read.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(read.contains(name)) << name;
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(read.at(name).is_contiguous()) << name;
    EXPECT_TRUE(at::equal(read.at(name), tensor)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Npz, NumPyArchive,
                         ::testing::Values("version1_stored", "version1_deflated",
                                           "version2_stored", "version2_deflated",
                                           "version3_stored", "version3_deflated", "savez",
                                           "savez_compressed"),
                         [](const auto& test) { return test.param; });

TEST(Npz, ArraysOfAnythingButNumbersArePassedOver) {
  const auto arrays = read_npz(archive("text.npz"));
  ASSERT_EQ(arrays.size(), 2U) << "numbers and halves";
  EXPECT_TRUE(at::equal(arrays.at("numbers"), at::tensor({7, -8, 9}, at::kShort)));
  EXPECT_TRUE(arrays.contains("halves"));
}

TEST(Npz, OnlyTheArraysAskedForAreRead) {
  const auto arrays = read_npz(archive("text.npz"), {"numbers", "absent"});
  ASSERT_EQ(arrays.size(), 1U);
  EXPECT_TRUE(arrays.contains("numbers"));
}

TEST(Npz, WhatIsAskedForMustHoldNumbers) {
  const auto path = archive("text.npz");
  EXPECT_ERROR(read_npz(path, {"objects"}),
               "text.npz: array `objects` holds Python objects (dtype |O), expected f8");
  EXPECT_ERROR(read_npz(path, {"records"}), "array `records` holds records (dtype [(");
  EXPECT_ERROR(read_npz(path, {"little"}), "array `little` holds dtype <U");
  EXPECT_ERROR(read_npz(path, {"complex"}), "holds dtype <c8, expected");
  EXPECT_ERROR(read_npz(path, {"dates"}), "holds dtype <M8[D], expected");
  EXPECT_ERROR(read_npz(path, {"bfloat16"}), "(bfloat16 is none of NumPy's: save float32)");
  EXPECT_ERROR(read_npz(path, {"bigfloats"}),
               "array `bigfloats` is big-endian (dtype >f4), expected little-endian: in NumPy, "
               "array.astype(array.dtype.newbyteorder('<'))");
}

TEST(Npz, TextIsReadAsUtf8) {
  const auto path = archive("text.npz");
  const Texts names = {"", "cat", "Mäntel", "日本語", "🐦.jpg", std::string("a\0b", 3)};
  EXPECT_EQ(read_npz_strings(path, "little"), names);
  EXPECT_EQ(read_npz_strings(path, "bytes"), Texts({"", "cat", std::string("a\0b", 3)}));
  EXPECT_EQ(read_npz_strings(path, "numbers"), Texts({"7", "-8", "9"}));
  EXPECT_EQ(read_npz_strings(path, "none"), Texts());
  EXPECT_EQ(read_npz_strings(path, "absent"), Texts());
}

TEST(Npz, WhatIsNoTextIsRefused) {
  const auto path = archive("text.npz");
  EXPECT_ERROR(read_npz_strings(path, "objects"),
               "array `objects` holds Python objects (dtype |O), expected text (U or S)");
  EXPECT_ERROR(read_npz_strings(path, "big"), "is big-endian (dtype >U");
  EXPECT_ERROR(read_npz_strings(path, "matrix"), "[2, 3], expected one text a sample");
  EXPECT_ERROR(read_npz_strings(path, "halves"), "no vector of integers");
  EXPECT_ERROR(read_npz_strings(path, "character"), "a character that is none of Unicode");
}

struct Damage {
  std::string name, message;
};
void PrintTo(const Damage& damage, std::ostream* stream) { *stream << damage.name; }

class DamagedArchive : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedArchive, IsRefused) {
  const auto& [name, message] = GetParam();
  const auto path = archive("damaged/" + name + ".npz");
  const std::vector<std::string> names = {"x"};
  EXPECT_ERROR(read_npz(path, names), path.string() + ": ");
  EXPECT_ERROR(read_npz(path, names), message);
}

const std::vector<Damage> kDamaged = {
    {"too_few_bytes", ": array `x` holds 20 bytes, but <f4 [2, 3] takes 24"},
    {"too_many_bytes", "array `x` holds 28 bytes, but <f4 [2, 3] takes 24"},
    {"overflow", "[4294967296, 4294967296, 4] takes more than can be addressed"},
    {"overflow_of_empty", "takes more than can be addressed"},
    {"size_over_int64", "found `9223372036854775808,`, expected a size from 0 to 2^63 - 1"},
    {"negative", "found `-2, -3), }`, expected a size from 0"},
    {"dimensions", "expected at most 64 dimensions"},
    {"no_magic", "array `x` is no array in the .npy format"},
    {"short", "array `x` is no array in the .npy format"},
    {"version", "has .npy format version 4, expected 1, 2 or 3"},
    {"cut_header", "is cut short: the header takes 59 bytes, 30 are left"},
    {"cut_length", "is cut short: the header's length takes 2 bytes, 1 are left"},
    {"long_header", "has a damaged header: found 2097152 bytes of it"},
    {"no_dict", "found `[1, 2]`, expected {"},
    {"no_shape", "expected descr, fortran_order and shape"},
    {"other_key", "found key 'more', expected descr, fortran_order and shape"},
    {"key_of_two_lines", "found key '?shape', expected descr"},
    {"no_end", "found its end, expected a string"},
    {"no_bool", "found `0, 'shape': (2, 3), `, expected True or False"},
    {"no_quote", "found `'descr`, expected a closing quote"},
    {"open_records", "expected a closing bracket"},
    {"no_tuple", "found `6, }`, expected ("},
    {"control", "found `??`, expected a string"},
    {"over_int64", "holds numbers over 2^63 - 1"},
    {"unknown_dtype", "holds dtype <f9, expected f8"},
    {"twice", "array `x` is there twice"},
    {"bzip2", "is compressed by zip method 12, expected stored or deflated"},
    {"no_zip", "cannot be read as a NumPy archive (.npz): Not a zip archive"},
    {"empty_file", "cannot be read as a NumPy archive"},
    {"cut_stored", "cannot be read as a NumPy archive"},
    {"cut_deflated", "cannot be read as a NumPy archive"},
    {"flipped_stored", "array `x` is damaged: CRC error"},
    {"flipped_deflated", "array `x` is damaged: "},
    {"claims_more_stored", "array `x` holds 4004 bytes, but <i4 [1000] takes 4000"},
    {"claims_more_deflated", "array `x` holds 4004 bytes, but <i4 [1000] takes 4000"},
    {"claims_much_stored", "array `x` is damaged: its 4128 bytes cannot become 4294967294"},
    {"claims_much_deflated", "bytes cannot become 4294967294"},
    {"ends_early_stored", "array `x` is damaged: "},
    {"ends_early_deflated", "array `x` is damaged: it ends before its size"},
    {"goes_on_stored", "array `x` is damaged: it goes on after its size"},
    {"goes_on_deflated", "array `x` is damaged: it goes on after its size"}};

INSTANTIATE_TEST_SUITE_P(Npz, DamagedArchive, ::testing::ValuesIn(kDamaged),
                         [](const auto& test) { return test.param.name; });

TEST(Npz, AnArchiveWithoutArraysHasNone) {
  EXPECT_TRUE(read_npz(archive("damaged/empty_archive.npz")).empty());
}

TEST(Npz, WhatIsNoFileIsRefused) {
  EXPECT_ERROR(read_npz("absent.npz"),
               "absent.npz: cannot be read as a NumPy archive (.npz): No such");
  EXPECT_ERROR(read_npz(NEURONTUNE_TEST_ARRAYS), ": is a folder, expected a file");
}

}  // namespace
}  // namespace neurontune
