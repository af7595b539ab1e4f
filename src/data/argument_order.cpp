#include "neurontune/data/argument_order.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/describe.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using ArgumentNames = std::vector<std::string>;

constexpr const char* kInputs = "inputs";
constexpr std::array<const char*, 3> kTokens = {"input_ids", "attention_mask", "token_type_ids"};

std::string listed_or_none(const ArgumentNames& names) {
  return names.empty() ? "none" : listed(names);
}

/// "input_ids.1" is "input_ids": the number only tells values of a traced graph apart.
std::string without_number(const std::string& argument) {
  const auto last = argument.find_last_not_of("0123456789");
  const bool numbered =
      last != std::string::npos && argument[last] == '.' && last > 0 && last + 1 < argument.size();
  return numbered ? argument.substr(0, last) : argument;
}

/// The place of an input among the arguments, or their number where it is none of them.
std::size_t place_of(const std::string& input, const ArgumentNames& arguments) {
  const auto exact = std::find(arguments.begin(), arguments.end(), input);
  if (exact != arguments.end()) return static_cast<std::size_t>(exact - arguments.begin());
  const auto numbered = std::find_if(arguments.begin(), arguments.end(), [&](const auto& argument) {
    return without_number(argument) == input;
  });
  return static_cast<std::size_t>(numbered - arguments.begin());
}

bool holds_tokens(const std::vector<at::Tensor>& inputs, const ArgumentNames& names,
                  int64_t required) {
  return names == ArgumentNames{kInputs} && inputs[0].dim() == 3 && inputs[0].size(2) == 3 &&
         (required == 2 || required == 3);
}

std::vector<at::Tensor> split_tokens(const at::Tensor& inputs, const ArgumentNames& arguments,
                                     int64_t required) {
  std::vector<at::Tensor> by_name, by_place;
  for (int64_t place = 0; place < required; ++place) {
    by_place.push_back(inputs.select(-1, place).contiguous());
    const auto argument = without_number(arguments[static_cast<std::size_t>(place)]);
    const auto* const token = std::find(kTokens.begin(), kTokens.end(), argument);
    if (token != kTokens.end()) {
      by_name.push_back(inputs.select(-1, token - kTokens.begin()).contiguous());
    }
  }
  return by_name.size() == by_place.size() ? by_name : by_place;
}

}  // namespace

std::vector<at::Tensor> in_argument_order(const std::vector<at::Tensor>& inputs,
                                          const std::vector<std::string>& input_names,
                                          const std::vector<std::string>& arguments,
                                          int64_t required) {
  const auto refuse = [&](const std::string& reason) -> Error {
    return Error("the data's inputs (" + listed_or_none(input_names) +
                 ") are not the model's arguments (" + listed_or_none(arguments) + "; " +
                 std::to_string(required) + " required): " + reason);
  };
  if (inputs.size() != input_names.size()) {
    throw refuse(std::to_string(inputs.size()) + " tensors have " +
                 std::to_string(input_names.size()) + " names");
  }
  if (required < 0 || static_cast<std::size_t>(required) > arguments.size()) {
    throw refuse("so many are not there");
  }
  if (holds_tokens(inputs, input_names, required)) {
    return split_tokens(inputs[0], arguments, required);
  }
  std::vector<at::Tensor> ordered(arguments.size());
  auto given = static_cast<std::size_t>(required);
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    std::size_t place = place_of(input_names[index], arguments);
    if (place == arguments.size() && inputs.size() == 1) place = 0;
    if (place >= arguments.size()) throw refuse("no argument is named " + input_names[index]);
    if (ordered[place].defined()) throw refuse("two inputs are " + arguments[place]);
    ordered[place] = inputs[index];
    given = std::max(given, place + 1);
  }
  ordered.resize(given);
  for (std::size_t place = 0; place < given; ++place) {
    if (!ordered[place].defined()) throw refuse("no input is named " + arguments[place]);
  }
  return ordered;
}

}  // namespace neurontune
