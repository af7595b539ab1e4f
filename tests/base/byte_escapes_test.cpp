#include "base/byte_escapes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/json_text.h"

namespace neurontune {
namespace {

TEST(ByteEscapes, OrdinaryNamesStayAsTheyAre) {
  for (const char* name : {"a/b c.jpg", "Mäntel", "鳥.png", "\xF0\x9F\x90\xA6", "",
                           R"(dir\photo.jpg)", R"(dir\x41.jpg)", R"(\xe9)", R"(\x)"}) {
    EXPECT_EQ(escaped(name), name);
    EXPECT_EQ(escaped_line(name), name);
    EXPECT_EQ(unescaped(name), name);
  }
}

TEST(ByteEscapes, BytesThatAreNoUtf8AreEscaped) {
  EXPECT_EQ(escaped("caf\xE9.jpg"), R"(caf\xE9.jpg)");
  EXPECT_EQ(escaped("\xC3"), R"(\xC3)") << "cut short";
  EXPECT_EQ(escaped("\xC0\x80"), R"(\xC0\x80)") << "overlong";
  EXPECT_EQ(escaped("\xED\xA0\x80"), R"(\xED\xA0\x80)") << "a surrogate";
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), R"(\xF4\x90\x80\x80)") << "beyond Unicode";
}

TEST(ByteEscapes, ControlCharactersAreEscapedWhereALineIsAName) {
  EXPECT_EQ(escaped("a\nb"), "a\nb");
  EXPECT_EQ(escaped_line("a\nb\r"), R"(a\x0Ab\x0D)");
}

TEST(ByteEscapes, CharactersThatAreObeyedAreEscapedToo) {
  EXPECT_EQ(escaped_line("\u009B31m"), R"(\xC2\x9B31m)");
  EXPECT_EQ(escaped_line("a\u202Eb\u2066"), R"(a\xE2\x80\xAEb\xE2\x81\xA6)");
  EXPECT_EQ(escaped_line("é\u00A0–…\u2070"), "é\u00A0–…\u2070");
  EXPECT_EQ(unescaped(escaped_line("\u009B\u202E")), "\u009B\u202E");
}

TEST(ByteEscapes, APageShowsNoneOfThem) {
  EXPECT_EQ(without_hidden("a\x1B[31m\u202Eb\u009B"), "a\uFFFD[31m\uFFFDb\uFFFD");
  EXPECT_EQ(without_hidden("é – 鳥\n\tx"), "é – 鳥\n\tx");
}

TEST(ByteEscapes, EveryTextIsReadBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const std::string& text : {all, all + all, std::string(R"(\xE9)"), std::string(R"(\x5CxE9)"),
                                  std::string(R"(\\x0A\)"), std::string("\\x5C\xE9")}) {
    EXPECT_EQ(unescaped(escaped(text)), text);
    EXPECT_EQ(unescaped(escaped_line(text)), text);
    EXPECT_NO_THROW(nlohmann::json(escaped(text)).dump());
  }
}

TEST(ByteEscapes, JsonIsWrittenWhateverItsStringsAndKeysHold) {
  const nlohmann::ordered_json json = {{"b\xE9", {"x\xFF", 1, {{"a", "\x80"}}}}, {"a", nullptr}};
  EXPECT_EQ(json_text(json, -1), R"({"b\\xE9":["x\\xFF",1,{"a":"\\x80"}],"a":null})");
}

}  // namespace
}  // namespace neurontune
