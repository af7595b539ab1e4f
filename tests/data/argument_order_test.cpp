#include "neurontune/data/argument_order.h"

#include <ATen/ATen.h>

#include "error_matchers.h"
#include "tensors.h"

namespace neurontune {
namespace {

using Names = std::vector<std::string>;

/// The order in which inputs 0, 1, … of these names come.
std::vector<int64_t> order(const Names& inputs, const Names& arguments, int64_t required) {
  std::vector<at::Tensor> tensors;
  for (size_t i = 0; i < inputs.size(); ++i) tensors.push_back(longs({static_cast<int64_t>(i)}));
  std::vector<int64_t> result;
  for (const auto& tensor : in_argument_order(tensors, inputs, arguments, required)) {
    result.push_back(tensor.item<int64_t>());
  }
  return result;
}

using Order = std::vector<int64_t>;

TEST(ArgumentOrder, InputsGoToTheArgumentsOfTheirName) {
  EXPECT_EQ(order({"attention_mask", "input_ids"}, {"input_ids", "attention_mask"}, 2),
            Order({1, 0}));
}

TEST(ArgumentOrder, ANumberThatTracingAddedIsPassedOver) {
  EXPECT_EQ(order({"attention_mask", "input_ids"}, {"input_ids.1", "attention_mask.12"}, 2),
            Order({1, 0}));
  EXPECT_EQ(order({"x.1", "x"}, {"x", "x.1"}, 2), Order({1, 0})) << "exact names come first";
  EXPECT_ERROR(order({"a", "b"}, {"a.", "b.x"}, 2), "no argument is named a");
}

TEST(ArgumentOrder, ASingleInputGoesToTheFirstArgument) {
  EXPECT_EQ(order({"inputs"}, {"x"}, 1), Order({0}));
  EXPECT_EQ(order({"pixel_values"}, {"x", "mask"}, 1), Order({0}));
  EXPECT_EQ(order({"inputs"}, {"x"}, 0), Order({0}));
}

TEST(ArgumentOrder, ArgumentsWithADefaultMayBeLeftOutAtTheEnd) {
  EXPECT_EQ(order({"a"}, {"a", "b", "c"}, 1), Order({0}));
  EXPECT_EQ(order({"b", "a"}, {"a", "b", "c"}, 1), Order({1, 0}));
  EXPECT_ERROR(order({"c", "a"}, {"a", "b", "c"}, 1), "no input is named b");
}

TEST(ArgumentOrder, InputsThatAreNoArgumentsAreRefusedWithBothLists) {
  EXPECT_ERROR(order({"input_ids", "token_type_ids"}, {"input_ids", "attention_mask"}, 2),
               "the data's inputs (input_ids, token_type_ids) are not the model's arguments "
               "(input_ids, attention_mask; 2 required): no argument is named token_type_ids");
  EXPECT_ERROR(order({"inputs"}, {"x", "y"}, 2), "no input is named y");
  EXPECT_ERROR(order({"y"}, {"x", "y"}, 1), "no input is named x");
  EXPECT_ERROR(order({"x", "x.1"}, {"x.1"}, 1), "two inputs are x.1");
  EXPECT_ERROR(order({"inputs"}, {}, 0), "(none; 0 required): no argument is named inputs");
  EXPECT_ERROR(in_argument_order({}, {"x"}, {"x"}, 1), "0 tensors have 1 names");
}

TEST(ArgumentOrder, TokensInTheLastDimensionAreSplit) {
  const auto tokens = at::arange(2 * 4 * 3).view({2, 4, 3});
  const auto split = [&](const Names& arguments, int64_t required) {
    std::vector<int64_t> places;
    for (const auto& tensor : in_argument_order({tokens}, {"inputs"}, arguments, required)) {
      EXPECT_TRUE(tensor.is_contiguous());
      EXPECT_EQ(tensor.sizes(), at::IntArrayRef({2, 4}));
      places.push_back(tensor[0][0].item<int64_t>());
      EXPECT_TRUE(at::equal(tensor, tokens.select(2, places.back())));
    }
    return places;
  };
  EXPECT_EQ(split({"a", "b", "c"}, 3), Order({0, 1, 2})) << "in their order";
  EXPECT_EQ(split({"a", "b", "c"}, 2), Order({0, 1}));
  EXPECT_EQ(split({"input_ids", "token_type_ids.1", "attention_mask"}, 3), Order({0, 2, 1}))
      << "by name";
  EXPECT_EQ(split({"input_ids", "token_type_ids"}, 2), Order({0, 2}));
}

TEST(ArgumentOrder, OtherTensorsAreNotSplit) {
  const auto given = [](const at::Tensor& tensor, const std::string& name, int64_t required) {
    return in_argument_order({tensor}, {name}, {"a", "b", "c", "d"}, required);
  };
  EXPECT_EQ(given(at::zeros({2, 4, 3}), "inputs", 1).size(), 1U) << "one argument takes it whole";
  EXPECT_ERROR(given(at::zeros({2, 4, 3}), "inputs", 4), "no input is named b");
  EXPECT_ERROR(given(at::zeros({2, 4, 3}), "tokens", 3), "no input is named b");
  EXPECT_ERROR(given(at::zeros({2, 4, 4}), "inputs", 3), "no input is named b");
  EXPECT_ERROR(given(at::zeros({2, 4, 4, 3}), "inputs", 3), "no input is named b");
}

}  // namespace
}  // namespace neurontune
