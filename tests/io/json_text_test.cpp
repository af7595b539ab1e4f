#include "io/json_text.h"

#include <nlohmann/json.hpp>
#include <string>

#include "data/temporary_folder.h"
#include "error_matchers.h"
#include "neurontune/data/manifest_format.h"
#include "neurontune/data/names.h"
#include "neurontune/io/safetensors.h"
#include "neurontune/pipeline/config.h"

namespace neurontune {
namespace {

std::string nested(int depth) { return std::string(static_cast<std::size_t>(depth), '['); }

TEST(JsonText, WhatIsNoJsonIsNamedByItsPlace) {
  EXPECT_ERROR(parse_json("{\"a\": }"), "is not JSON: parse error at line 1, column 7");
}

TEST(JsonText, DeepNestingIsRefused) {
  EXPECT_EQ(parse_json(nested(100) + std::string(100, ']')).size(), 1U);
  EXPECT_ERROR(parse_json(nested(101) + std::string(101, ']')), "over 100 deep");
  EXPECT_ERROR(parse_json(nested(100'000)), "over 100 deep");
  EXPECT_NO_THROW(parse_json("\"" + nested(200) + "\\\"" + nested(200) + "\"")) << "in a string";
}

using NestedFiles = TemporaryFolderTest;

TEST_F(NestedFiles, AreRefusedByEveryReader) {
  const std::string deep = nested(100'000) + std::string(100'000, ']');
  write("names.json", R"({"labels": )" + deep + "}");
  EXPECT_ERROR(Names::read(folder()), "names.json: ");
  const auto format = write("format.json", R"({"files": )" + deep + "}");
  EXPECT_ERROR_OF(OptionError, ManifestFormat::named(format), "format.json: ");
  const auto config = write("config.json", R"({"tune": )" + deep + "}");
  EXPECT_ERROR_OF(OptionError, resolve_config(config, {}), "config.json: ");
  EXPECT_ERROR_OF(OptionError, resolve_config("", {{"--mean", "data.transform.mean", deep}}),
                  "--mean: data.transform.mean is ");
  const std::string header = R"({"x":)" + deep + "}";
  const uint64_t length = header.size();
  const auto tensors = write(
      "x.safetensors", std::string(reinterpret_cast<const char*>(&length), sizeof length) + header);
  EXPECT_ERROR(read_safetensors(tensors), "x.safetensors: the header ");
}

TEST_F(NestedFiles, PathsThatAreNoUtf8GoThroughAConfig) {
  const auto flagged = resolve_config("", {{"--embeddings", "embeddings.path", "caf\xE9\\x41"}});
  EXPECT_EQ(flagged.embeddings.path, "caf\xE9\\x41");
  const auto config = write("config.json", json_text(flagged));
  EXPECT_EQ(resolve_config(config, {}).embeddings.path, "caf\xE9\\x41");
}

}  // namespace
}  // namespace neurontune
