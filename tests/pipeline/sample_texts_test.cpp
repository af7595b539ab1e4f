#include "pipeline/sample_texts.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <utility>
#include <vector>

#include "data/temporary_folder.h"
#include "rows_dataset.h"
#include "tensors.h"

namespace neurontune {
namespace {

/// Samples of several named inputs.
class NamedInputs : public RowsDataset {
 public:
  explicit NamedInputs(std::vector<std::pair<std::string, at::Tensor>> inputs)
      : RowsDataset(inputs.front().second), inputs_(std::move(inputs)) {}

  std::vector<std::string> input_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, input] : inputs_) names.push_back(name);
    return names;
  }
  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override {
    std::vector<at::Tensor> tensors;
    for (const auto& [name, input] : inputs_) tensors.push_back(input.slice(0, first, last));
    return tensors;
  }

 private:
  std::vector<std::pair<std::string, at::Tensor>> inputs_;
};

/// The words "land", "water", "on" and "bird" by the numbers 0 to 3.
class SampleTextsTest : public TemporaryFolderTest {
 protected:
  SampleTextsTest()
      : words(Vocabulary::read(write("vocab.txt", "land\nwater\non\nbird\n"))),
        tokens(long_matrix({{3, 2, 1}, {1, 2, 0}})),
        mask(long_matrix({{1, 1, 1}, {1, 0, 1}})) {}

  std::string text(std::vector<std::pair<std::string, at::Tensor>> inputs,
                   int64_t sample = 1) const {
    const NamedInputs dataset(std::move(inputs));
    return SampleTexts(&dataset, words).of(sample);
  }

  std::optional<Vocabulary> words;
  at::Tensor tokens, mask;
};

TEST_F(SampleTextsTest, TheTokensOfASampleAreText) {
  EXPECT_EQ(text({{"input_ids", tokens}}, 0), "bird on water");
  EXPECT_EQ(text({{"input_ids", tokens}}, 1), "water on land");
}

TEST_F(SampleTextsTest, TheMaskLeavesTokensOut) {
  EXPECT_EQ(text({{"input_ids", tokens}, {"attention_mask", mask}}), "water land");
  EXPECT_EQ(text({{"input_ids", tokens}, {"attention_mask", mask.to(at::kBool)}}), "water land");
}

TEST_F(SampleTextsTest, InputsAreFoundByTheirNames) {
  EXPECT_EQ(text({{"attention_mask", mask}, {"token_type_ids", mask}, {"input_ids", tokens}}),
            "water land");
}

TEST_F(SampleTextsTest, AMaskOfAnotherShapeIsNone) {
  EXPECT_EQ(text({{"input_ids", tokens}, {"attention_mask", mask.slice(1, 0, 2)}}),
            "water on land");
}

TEST_F(SampleTextsTest, TokensAndMaskCanBeColumnsOfOneTensor) {
  const auto types = at::zeros_like(tokens);
  EXPECT_EQ(text({{"inputs", at::stack({tokens, mask, types}, 2)}}), "water land");
}

TEST_F(SampleTextsTest, OtherInputsAreNoTokens) {
  EXPECT_EQ(text({{"inputs", tokens}}), "") << "one dimension";
  EXPECT_EQ(text({{"inputs", at::stack({tokens, mask}, 2)}}), "") << "two columns";
  EXPECT_EQ(text({{"inputs", at::stack({tokens, mask, mask}, 2).to(at::kFloat)}}), "");
  EXPECT_EQ(text({{"input_ids", tokens.to(at::kFloat)}}), "");
  EXPECT_EQ(text({{"input_ids", tokens.unsqueeze(2)}}), "");
  EXPECT_EQ(text({{"pixels", tokens}, {"attention_mask", mask}}), "");
}

TEST_F(SampleTextsTest, WithoutAVocabularyOrDataThereIsNoText) {
  const NamedInputs dataset({{"input_ids", tokens}});
  EXPECT_EQ(SampleTexts(&dataset, std::nullopt).of(0), "");
  EXPECT_EQ(SampleTexts(nullptr, words).of(0), "");
}

}  // namespace
}  // namespace neurontune
