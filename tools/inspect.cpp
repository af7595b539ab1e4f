#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "neurontune/error.h"
#include "neurontune/model/erm_model.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

using Json = nlohmann::ordered_json;

std::vector<int64_t> parse_shape(const std::string& text) {
  const auto json = Json::parse("[" + text + "]", nullptr, /*allow_exceptions=*/false);
  bool valid = json.is_array() && !json.empty();
  if (valid)
    for (const auto& size : json) valid = valid && size.is_number_unsigned() && size > 0;
  if (!valid)
    throw OptionError("--input-shape: is " + text + ", expected sizes such as 2,3,224,224");
  return json.get<std::vector<int64_t>>();
}

struct InspectCommand {
  explicit InspectCommand(CLI::App& command) {
    command.add_option("MODEL", model, "TorchScript classifier")->required();
    command.add_option("--head", head, "the last linear layer's name")->option_text("NAME [auto]");
    command
        .add_option("--input-shape", shape,
                    "verify head(features(x)) against model(x) on random numbers of this shape")
        ->option_text("N,C,H,W");
    command.add_flag("--json", json, "print one JSON document to stdout");
  }

  void execute() const {
    const auto sizes = shape.empty() ? std::vector<int64_t>() : parse_shape(shape);
    const auto split = ErmModel::load(model, at::kCPU, head);
    const auto layer = split.head();
    std::optional<SplitVerification> verified;
    if (!sizes.empty()) {
      const auto inputs = at::randn(sizes, at::make_generator<at::CPUGeneratorImpl>(0));
      verified = split.verify({inputs.to(layer.weight.scalar_type())});
    }
    json ? print_json(split, layer, verified) : print(split, layer, verified);
  }

  static void print_json(const ErmModel& split, const LinearHead& layer,
                         const std::optional<SplitVerification>& verified) {
    Json inputs = Json::array();
    for (const auto& input : split.inputs())
      inputs.push_back({{"name", input.name}, {"type", input.type}});
    const Json document = {
        {"head", split.head_name()},
        {"embedding_dim", layer.embedding_dim()},
        {"classes", layer.classes()},
        {"bias", layer.bias.defined()},
        {"inputs", inputs},
        {"verified", verified ? Json(true) : Json()},
        {"max_abs_difference", verified ? Json(verified->max_abs_difference) : Json()}};
    std::cout << document.dump(2) << '\n';
  }

  static void print(const ErmModel& split, const LinearHead& layer,
                    const std::optional<SplitVerification>& verified) {
    std::cout << "head       " << split.head_name() << ": " << layer.embedding_dim() << " → "
              << layer.classes() << (layer.bias.defined() ? "" : ", without bias") << '\n';
    for (const auto& input : split.inputs())
      std::cout << "input      " << input.name << ": " << input.type << '\n';
    if (verified)
      std::cout << "verified   head(features(x)) equals model(x) within "
                << verified->max_abs_difference << '\n';
    else
      std::cout << "verified   no: give --input-shape\n";
  }

  std::string model, head = "auto", shape;
  bool json = false;
};

}  // namespace

void add_inspect(CLI::App& app) {
  auto* command =
      app.add_subcommand("inspect", "Find a model's head, and check that it splits there");
  auto inspect = std::make_shared<InspectCommand>(*command);
  command->callback([inspect] { inspect->execute(); });
}

}  // namespace neurontune::cli
