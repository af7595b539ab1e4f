#include "data/vocabulary.h"

#include "data/temporary_folder.h"
#include "error_matchers.h"

namespace neurontune {
namespace {

using VocabularyFile = TemporaryFolderTest;

TEST_F(VocabularyFile, OfLinesNumbersThemFromZeroAndJoinsPieces) {
  const auto words =
      Vocabulary::read(write("vocab.txt", "[CLS]\nwater\n##bird\r\non\nland\n[SEP]"));
  EXPECT_EQ(words.text({0, 1, 2, 3, 4, 5}), "waterbird on land");
  EXPECT_EQ(words.text({1, 9}), "water [9]");
  EXPECT_EQ(words.text({}), "");
}

TEST_F(VocabularyFile, OfBytesIsTextAgain) {
  // "Ġ" is a blank, "Ċ" a line feed; the three characters are the bytes of "’".
  const auto words = Vocabulary::read(
      write("vocab.json", R"({"It": 3, "\u00e2\u0122\u013b": 5, "s": 1, "\u0120a": 7, "<s>": 0})"));
  EXPECT_EQ(words.text({0, 3, 5, 1, 7}), "It’s a");
}

TEST_F(VocabularyFile, OfATokenizerHoldsObjectsOrListsAndAddedTokens) {
  const auto pieces = Vocabulary::read(
      write("tokenizer.json", R"({"model": {"vocab": [["<s>", 0], ["▁a", -1.5], ["b", -2]]},
                                  "added_tokens": [{"id": 7, "content": "[NAME]"}]})"));
  EXPECT_EQ(pieces.text({0, 1, 2, 1, 7}), "ab a[NAME]");
  const auto object =
      Vocabulary::read(write("tokenizer.json", R"({"model": {"vocab": {"b": 1, "a": 0}}})"));
  EXPECT_EQ(object.text({0, 1}), "a b");
}

TEST_F(VocabularyFile, ThatIsNoneIsRefused) {
  EXPECT_ERROR(Vocabulary::read(write("empty.txt", "")), "empty.txt is no vocabulary");
  EXPECT_ERROR(Vocabulary::read(write("config.json", R"({"hidden_size": "big"})")),
               "config.json is no vocabulary");
  EXPECT_ERROR(Vocabulary::read(write("tokenizer.json", R"({"model": {}})")), "is no vocabulary");
  EXPECT_ERROR(Vocabulary::read(write("broken.json", "{")), "broken.json is not JSON");
  EXPECT_ERROR(Vocabulary::read(folder() / "missing.txt"), "missing.txt");
}

}  // namespace
}  // namespace neurontune
