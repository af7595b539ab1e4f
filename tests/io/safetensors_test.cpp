#include "neurontune/io/safetensors.h"

#include <ATen/ATen.h>

#include <cstring>
#include <limits>
#include <string>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

/// A file's bytes: the header's length, the header, the data.
std::string safetensors(const std::string& json, const std::string& data) {
  const uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + json + data;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + "}";
}

std::string header(const std::vector<std::string>& entries) {
  std::string text;
  for (const std::string& one : entries) text += (text.empty() ? "{" : ",") + one;
  return text + "}";
}

std::string bytes(size_t count) { return std::string(count, '\x01'); }

class SafetensorsTest : public TemporaryFolderTest {
 protected:
  std::map<std::string, at::Tensor> read_bytes(const std::string& content) const {
    return read_safetensors(write("file.safetensors", content));
  }
};

TEST_F(SafetensorsTest, WrittenTensorsAreReadBackInEveryDtype) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar, at::kByte, at::kBool}) {
    tensors.emplace_back(at::toString(type), at::arange(6).view({2, 3}).to(type));
  }
  tensors.emplace_back("scalar", at::scalar_tensor(2.5F));
  tensors.emplace_back("empty", at::empty({0, 4}));
  write_safetensors(folder() / "all.safetensors", tensors);
  const auto read = read_safetensors(folder() / "all.safetensors");
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read.at(name), tensor)) << name;
  }
}

TEST_F(SafetensorsTest, BytesAreThoseOfThePythonLibrary) {
  // save({"b": F32 [1], "a": I64 [1], "c": F32 [1]}) there: by dtype, then by name.
  write_safetensors(folder() / "written.safetensors",
                    {{"b", at::full({1}, 2.F)}, {"a", longs({1})}, {"c", at::full({1}, 3.F)}});
  std::string padded =
      header({entry("a", "I64", "[1]", "[0,8]"), entry("b", "F32", "[1]", "[8,12]"),
              entry("c", "F32", "[1]", "[12,16]")});
  padded.resize((padded.size() + 7) / 8 * 8, ' ');
  const std::string data("\1\0\0\0\0\0\0\0\0\0\0\x40\0\0\x40\x40", 16);
  EXPECT_EQ(read(folder() / "written.safetensors"), safetensors(padded, data));
}

TEST_F(SafetensorsTest, TensorsOutliveTheMapAndTheirWritesStayOutOfTheFile) {
  write_safetensors(folder() / "one.safetensors", {{"x", at::ones({3})}});
  const std::string before = read(folder() / "one.safetensors");
  at::Tensor x = read_safetensors(folder() / "one.safetensors").at("x");
  x.mul_(5);
  EXPECT_TRUE(at::equal(x, at::full({3}, 5.F)));
  EXPECT_EQ(read(folder() / "one.safetensors"), before);
}

TEST_F(SafetensorsTest, UnalignedTensorsAreRead) {
  const float value = 1.5F;
  std::string data = bytes(1) + std::string(reinterpret_cast<const char*>(&value), sizeof value);
  const auto tensors = read_bytes(safetensors(
      header({entry("a", "U8", "[1]", "[0,1]"), entry("b", "F32", "[1]", "[1,5]")}), data));
  EXPECT_EQ(tensors.at("b").item<float>(), 1.5F);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensors.at("b").data_ptr()) % sizeof(float), 0U);
}

TEST_F(SafetensorsTest, MetadataAndPaddingArePassedOver) {
  const auto tensors = read_bytes(safetensors(
      R"({"__metadata__":{"format":"pt"},)" + entry("x", "U8", "[2]", "[0,2]") + "}   ", bytes(2)));
  EXPECT_EQ(tensors.size(), 1U);
}

TEST_F(SafetensorsTest, BoolsOtherThanZeroAndOneAreTrue) {
  const auto tensors =
      read_bytes(safetensors(header({entry("x", "BOOL", "[2]", "[0,2]")}), std::string("\0\7", 2)));
  EXPECT_TRUE(at::equal(tensors.at("x"), at::tensor({0, 1}).to(at::kBool)));
}

TEST_F(SafetensorsTest, UnsignedIntegersBecomeInt64) {
  const std::string data("\xFF\xFF\1\0\xFF\xFF\xFF\xFF\1\0\0\0\5\0\0\0\0\0\0\0", 20);
  const auto file = [&](const std::string& bytes) {
    return safetensors(
        header({entry("a", "U16", "[2]", "[0,4]"), entry("b", "U32", "[2]", "[4,12]"),
                entry("c", "U64", "[1]", "[12,20]")}),
        bytes);
  };
  const auto tensors = read_bytes(file(data));
  EXPECT_TRUE(at::equal(tensors.at("a"), longs({65535, 1})));
  EXPECT_TRUE(at::equal(tensors.at("b"), longs({4294967295, 1})));
  EXPECT_TRUE(at::equal(tensors.at("c"), longs({5})));
  EXPECT_ERROR(read_bytes(file(data.substr(0, 12) + std::string(8, '\xFF'))),
               "tensor `c` holds numbers over 2^63 - 1");
}

TEST_F(SafetensorsTest, TensorsOfOtherDtypesArePassedOverUnlessAskedFor) {
  const auto path = write(
      "file.safetensors",
      safetensors(header({entry("a", "F8_E4M3", "[4]", "[0,4]"), entry("b", "U8", "[2]", "[4,6]"),
                          entry("c", "C64", "[1]", "[6,14]")}),
                  bytes(14)));
  EXPECT_EQ(read_safetensors(path).size(), 1U);
  EXPECT_EQ(read_safetensors(path, {"b", "absent"}).size(), 1U);
  EXPECT_ERROR(read_safetensors(path, {"a"}),
               "file.safetensors: tensor `a` has dtype F8_E4M3, expected F64");
  EXPECT_EQ(safetensors_names(path), std::vector<std::string>({"a", "b", "c"}));
}

// A reader that looks at all tensors for each takes minutes here.
TEST_F(SafetensorsTest, HeadersOfFiftyThousandTensorsAreReadAndWritten) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  const at::Tensor one = at::ones({1}, at::kByte);
  for (int index = 0; index < 50'000; ++index) tensors.emplace_back(std::to_string(index), one);
  write_safetensors(folder() / "many.safetensors", tensors);
  EXPECT_EQ(read_safetensors(folder() / "many.safetensors").size(), 50'000U);
}

TEST_F(SafetensorsTest, WhatIsNoSafetensorsFileIsRefused) {
  EXPECT_ERROR(read_safetensors(folder() / "absent"), "absent: cannot be opened");
  EXPECT_ERROR(read_safetensors(folder()), "is a folder, expected a file");
  EXPECT_ERROR(read_bytes(""), "has 0 bytes, a safetensors file at least 8");
  EXPECT_ERROR(read_bytes("1234567"), "has 7 bytes");
  EXPECT_ERROR(read_bytes(std::string(8, '\xFF')), "would take 18446744073709551615 bytes");
  EXPECT_ERROR(read_bytes(std::string("\3\0\0\0\0\0\0\0{}", 10)), "would take 3 bytes");
  EXPECT_ERROR(read_bytes(safetensors("[]", "")), "does not begin with {");
  EXPECT_ERROR(read_bytes(safetensors(" {}", "")), "does not begin with {");
  EXPECT_ERROR(read_bytes(safetensors("{\"x\":", "")), "is not JSON");
  EXPECT_ERROR(read_bytes(safetensors("{}{}", "")), "is not JSON");
  EXPECT_ERROR(read_bytes(safetensors("{\"\xFF\":1}", "")), "is not JSON");
  EXPECT_ERROR(read_bytes(safetensors(R"({"x":1})", "")), "tensor `x` is described by no JSON");
}

struct Lie {
  std::string name, dtype, shape, offsets, error;
  friend std::ostream& operator<<(std::ostream& out, const Lie& lie) { return out << lie.name; }
};

class LyingHeader : public TemporaryFolderTest, public ::testing::WithParamInterface<Lie> {};

TEST_P(LyingHeader, IsRefused) {
  const Lie& lie = GetParam();
  const auto path =
      write("lie.safetensors",
            safetensors(header({entry("x", lie.dtype, lie.shape, lie.offsets)}), bytes(16)));
  EXPECT_ERROR(read_safetensors(path), lie.error);
  EXPECT_ERROR(read_safetensors(path), "lie.safetensors");
}

INSTANTIATE_TEST_SUITE_P(
    Safetensors, LyingHeader,
    ::testing::Values(
        Lie{"PastTheEnd", "F32", "[5]", "[0,20]", "ends at byte 20 of the data, the file holds 16"},
        Lie{"FarPastTheEnd", "U8", "[9223372036854775807]", "[0,9223372036854775807]",
            "ends at byte 9223372036854775807"},
        Lie{"Backwards", "F32", "[4]", "[16,0]", "data_offsets [16, 0], expected [begin, end]"},
        Lie{"OneOffset", "F32", "[4]", "[16]", "data_offsets [16], expected [begin, end]"},
        Lie{"NegativeOffset", "F32", "[4]", "[-1,15]", "no `data_offsets`"},
        Lie{"FractionalOffset", "F32", "[4]", "[0.5,16]", "no `data_offsets`"},
        Lie{"OffsetOverflow", "F32", "[4]", "[0,18446744073709551616]", "no `data_offsets`"},
        Lie{"NegativeShape", "F32", "[-4]", "[0,16]", "no `shape`"},
        Lie{"ShapeIsNoArray", "F32", "4", "[0,16]", "no `shape`"},
        Lie{"TooFewBytes", "F32", "[5]", "[0,16]", "holds 16 bytes, but F32 [5] takes 20"},
        Lie{"TooManyBytes", "F32", "[3]", "[0,16]", "holds 16 bytes, but F32 [3] takes 12"},
        // 2^62 · 4 · 4 is 0 in 64 bits, and so is 2^60 · 16 + 16.
        Lie{"SizeWrapsToZero", "F32", "[4611686018427387904,4]", "[0,0]", "can be addressed"},
        Lie{"SizeWrapsToFit", "U8", "[1152921504606846977,16]", "[0,16]", "can be addressed"},
        Lie{"StridesOverflow", "U8", "[0,4611686018427387904,4]", "[0,0]", "can be addressed"},
        Lie{"Hole", "F32", "[3]", "[4,16]",
            "begins at byte 4 of the data, expected 0 (bytes of no"},
        Lie{"BytesLeft", "F32", "[3]", "[0,12]", "end at byte 12 of the data, the file holds 16"}),
    [](const auto& lie) { return lie.param.name; });

TEST_F(SafetensorsTest, OverlappingTensorsAreRefused) {
  EXPECT_ERROR(read_bytes(safetensors(
                   header({entry("a", "U8", "[8]", "[0,8]"), entry("b", "U8", "[12]", "[4,16]")}),
                   bytes(16))),
               "tensor `b` begins at byte 4 of the data, expected 8 (tensors overlap)");
}

TEST_F(SafetensorsTest, NamesGivenTwiceAreRefused) {
  EXPECT_ERROR(read_bytes(safetensors(
                   header({entry("a", "U8", "[8]", "[0,8]"), entry("a", "U8", "[8]", "[8,16]")}),
                   bytes(16))),
               "names tensor \"a\" twice");
}

TEST_F(SafetensorsTest, RowsMayComeInAnyOrder) {
  const at::Tensor rows = at::arange(15, at::kFloat).view({5, 3});
  SafetensorsWriter writer(folder() / "x.safetensors", {{"x", at::kFloat, {5, 3}}});
  writer.write_rows("x", 3, rows.slice(0, 3, 5));
  writer.write_rows("x", 0, rows.t().contiguous().t().slice(0, 0, 3));  // strides are minded
  writer.finish();
  EXPECT_TRUE(at::equal(read_safetensors(folder() / "x.safetensors").at("x"), rows));
}

TEST_F(SafetensorsTest, TheFileAppearsOnlyWhenFinished) {
  {
    SafetensorsWriter writer(folder() / "x.safetensors", {{"x", at::kFloat, {5}}});
    EXPECT_FALSE(std::filesystem::exists(folder() / "x.safetensors"));
    EXPECT_EQ(entries(), 1);
  }
  EXPECT_EQ(entries(), 0) << "a writer that is given up leaves nothing";
  write_safetensors(folder() / "x.safetensors", {{"x", at::ones({5})}});
  EXPECT_EQ(entries(), 1);
}

TEST_F(SafetensorsTest, ReplacingAFileLeavesItsOpenTensorsAlone) {
  write_safetensors(folder() / "x.safetensors", {{"x", at::ones({5})}});
  const at::Tensor x = read_safetensors(folder() / "x.safetensors").at("x");
  write_safetensors(folder() / "x.safetensors", {{"x", at::zeros({5})}});
  EXPECT_TRUE(at::equal(x, at::ones({5})));
}

TEST_F(SafetensorsTest, RowsThatDoNotFitAreRefused) {
  SafetensorsWriter writer(folder() / "x.safetensors", {{"x", at::kFloat, {5, 3}}});
  EXPECT_ERROR(writer.write_rows("y", 0, at::ones({1, 3})), "tensor `y` was not announced");
  EXPECT_ERROR(writer.write_rows("x", 4, at::ones({2, 3})), "at row 4");
  EXPECT_ERROR(writer.write_rows("x", -1, at::ones({1, 3})), "at row -1");
  EXPECT_ERROR(writer.write_rows("x", 0, at::ones({1, 4})), "is Float [5, 3], but Float [1, 4]");
  EXPECT_ERROR(writer.write_rows("x", 0, at::ones({3})), "but Float [3]");
  EXPECT_ERROR(writer.write_rows("x", 0, at::ones({1, 3}, at::kDouble)), "but Double [1, 3]");
  EXPECT_ERROR(writer.write_rows("x", std::numeric_limits<int64_t>::max(), at::ones({1, 3})),
               "was to be");
  writer.finish();
  EXPECT_ERROR(writer.write_rows("x", 0, at::ones({1, 3})), "finished");
}

TEST_F(SafetensorsTest, WhatCannotBeWrittenIsRefused) {
  const at::Tensor x = at::ones({1});
  EXPECT_ERROR(write_safetensors(folder() / "no" / "x", {{"x", x}}), "x: cannot be created");
  EXPECT_ERROR(write_safetensors(folder() / "x", {{"x", x.to(at::kComplexFloat)}}),
               "tensor `x` has dtype ComplexFloat");
  const std::vector<std::pair<std::string, at::Tensor>> doubled = {{"x", x}, {"x", x}};
  EXPECT_ERROR(write_safetensors(folder() / "x", doubled), "two tensors named `x`");
  EXPECT_ERROR(write_safetensors(folder() / "x", {{"__metadata__", x}}), "named `__metadata__`");
  EXPECT_EQ(entries(), 0);
}

}  // namespace
}  // namespace neurontune
