#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "add_subcommand.h"
#include "help.h"
#include "io/json_text.h"
#include "model_options.h"
#include "neurontune/base/error.h"
#include "output.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kMostNumbers = uint64_t{1} << 31;

/// @throws OptionError if a tensor of these sizes, each at most kMostNumbers, holds more numbers
void check_total(const std::vector<int64_t>& sizes, const std::string& text) {
  uint64_t total = 1;
  for (const auto size : sizes) {
    total *= static_cast<uint64_t>(size);
    if (total > kMostNumbers)
      throw OptionError("--input-shape: is " + text + ", expected at most " +
                        std::to_string(kMostNumbers) + " numbers");
  }
}

/// Random numbers to run a model on: floats, or with ":int64" zeros and ones, which are valid ids
/// and masks. `text` is "2,3,224,224" or "2,16:int64".
at::Tensor parse_input(const std::string& text, at::Generator& generator) {
  const auto colon = text.find(':');
  const auto json =
      Json::parse("[" + text.substr(0, colon) + "]", nullptr, /*allow_exceptions=*/false);
  const auto type = colon == std::string::npos ? "float32" : text.substr(colon + 1);
  bool valid = json.is_array() && !json.empty() && (type == "float32" || type == "int64");
  if (valid)
    for (const auto& size : json)
      valid = valid && size.is_number_unsigned() && size > 0 && size <= kMostNumbers;
  if (!valid)
    throw OptionError("--input-shape: is " + text +
                      ", expected sizes such as 2,3,224,224 or, of integers, 2,16:int64");
  const auto sizes = json.get<std::vector<int64_t>>();
  check_total(sizes, text);
  return type == "int64" ? at::randint(0, 2, sizes, generator, at::kLong)
                         : at::randn(sizes, generator);
}

struct InspectCommand {
  InspectCommand(CLI::App& command, Log& log)
      : model(command, "--head-name,--head", log), output(command, log) {
    put(command.add_option("--input-shape", shapes,
                           "Check on random numbers of this shape that the parts give what the "
                           "model gives. Once for each input of the model."),
        group::kModel, "N,C,H,W[:int64]")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  void execute() const {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(0);
    std::vector<at::Tensor> inputs;
    for (const auto& shape : shapes) inputs.push_back(parse_input(shape, generator));
    const auto split = model.load();
    std::optional<SplitVerification> verified;
    if (!inputs.empty()) verified = split.verify(inputs);
    output.json ? print_json(split, verified) : print(split, verified);
  }

  static void print_json(const ErmModel& split, const std::optional<SplitVerification>& verified) {
    const auto head = split.head();
    Json inputs = Json::array();
    for (const auto& input : split.inputs())
      inputs.push_back({{"name", input.name}, {"type", input.type}});
    const Json parts = {
        {"head", split.head_name()},
        {"embedding_dim", head.embedding_dim()},
        {"classes", head.classes()},
        {"single_logit", head.single_logit},
        {"bias", head.bias.defined()},
        {"layers", head.is_linear() ? "linear" : "several"},
        {"dtype", c10::getDtypeNames(head.weight.scalar_type()).first},
        {"output", split.output_name().empty() ? Json() : Json(split.output_name())},
        {"inputs", inputs},
        {"verified", verified ? Json(true) : Json()},
        {"max_abs_difference", verified ? Json(verified->max_abs_difference) : Json()}};
    std::cout << json_text(parts) << '\n';
  }

  static void print(const ErmModel& split, const std::optional<SplitVerification>& verified) {
    const auto head = split.head();
    std::cout << "head       " << split.head_name() << ": " << head.embedding_dim() << " → "
              << head.classes() << (head.single_logit ? " classes, by one logit" : "")
              << (head.is_linear() ? "" : ", in several layers")
              << (head.bias.defined() ? "" : ", without bias") << ", "
              << c10::getDtypeNames(head.weight.scalar_type()).first << '\n';
    for (const auto& input : split.inputs())
      std::cout << "input      " << input.name << ": " << input.type << '\n';
    if (!split.output_name().empty()) std::cout << "output     " << split.output_name() << '\n';
    if (verified)
      std::cout << "verified   the parts give what the model gives within "
                << verified->max_abs_difference << '\n';
    else
      std::cout << "verified   no: give --input-shape\n";
  }

  ModelOptions model;
  OutputOptions output;
  std::vector<std::string> shapes;
};

}  // namespace

void add_inspect(CLI::App& app, Log& log) {
  add_subcommand<InspectCommand>(app, log, "inspect",
                                 "Find a model's head, and check that it splits there");
}

}  // namespace neurontune::cli
