#include "demo/small_cnn.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/describe.h"
#include "io/file_io.h"
#include "model/torchscript.h"
#include "neurontune/base/error.h"

namespace neurontune::demo {
namespace {

using torch::jit::Module;

constexpr int64_t kSmallestSide = 16;
constexpr int64_t kDecodedAtOnce = 512;

constexpr const char* kTraining = "training the small CNN";

constexpr const char* kConvolution = R"(
def forward(self, x):
    return torch.relu(torch.conv2d(x, self.weight, self.bias, [2, 2], [1, 1]))
)";
constexpr const char* kLinear = R"(
def forward(self, x):
    return torch.linear(x, self.weight, self.bias)
)";
// Averaged over the image, as ResNets end: every feature then fires on some images, where rectified
// units behind a dense layer die by the dozen and leave the mask nothing to keep.
constexpr const char* kNetwork = R"(
def forward(self, images):
    x = self.conv1.forward(images)
    x = self.conv2.forward(x)
    x = self.conv3.forward(x)
    return self.fc.forward(torch.mean(x, [2, 3]))
)";

/// All of a data set, in memory.
struct TrainingData {
  at::Tensor images;  // float32 [N, channels, H, W]
  at::Tensor labels;  // int64 [N]
};

void check_options(int64_t classes, const ErmTrainingOptions& options) {
  const auto at_least = [](const char* name, int64_t found, int64_t least) {
    if (found < least) {
      throw OptionError(std::string(name) + " is " + std::to_string(found) +
                        ", expected at least " + std::to_string(least));
    }
  };
  at_least("classes", classes, 2);
  at_least("epochs", options.epochs, 1);
  at_least("batch_size", options.batch_size, 1);
  at_least("features", options.features, 1);
  if (!(options.learning_rate > 0) || !std::isfinite(options.learning_rate)) {
    throw OptionError("learning_rate is " + std::to_string(options.learning_rate) +
                      ", expected a number over 0");
  }
}

void check_data(const TrainingData& data, int64_t classes) {
  const auto& images = data.images;
  if (images.dim() != 4 || images.scalar_type() != at::kFloat || images.size(2) < kSmallestSide ||
      images.size(3) < kSmallestSide) {
    throw Error("training images are " + describe(images) +
                ", expected Float [N, channels, H, W] of at least " +
                std::to_string(kSmallestSide) + " by " + std::to_string(kSmallestSide));
  }
  const auto lowest = data.labels.min().item<int64_t>();
  const auto highest = data.labels.max().item<int64_t>();
  if (lowest < 0 || highest >= classes) {
    throw Error("training labels lie in " + std::to_string(lowest) + "…" + std::to_string(highest) +
                ", expected 0…" + std::to_string(classes - 1));
  }
}

TrainingData read_all(const Dataset& dataset) {
  std::vector<at::Tensor> blocks;
  for (int64_t first = 0; first < dataset.size(); first += kDecodedAtOnce) {
    const auto batch = dataset.batch(first, std::min(first + kDecodedAtOnce, dataset.size()));
    if (batch.size() != 1) {
      throw Error("training data has " + std::to_string(batch.size()) +
                  " inputs a sample, expected one image");
    }
    blocks.push_back(batch.front());
  }
  return {at::cat(blocks), dataset.labels()};
}

/// A layer with PyTorch's usual initial weights: uniform within ±1/√fan_in.
Module make_layer(const std::string& name, const std::shared_ptr<torch::jit::CompilationUnit>& code,
                  at::IntArrayRef weight_shape, const char* forward, at::Generator& generator) {
  const auto weight = at::empty(weight_shape);
  const auto bias = at::empty(weight_shape.front());
  const int64_t fan_in = weight.numel() / weight_shape.front();
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  for (const auto& tensor : {weight, bias}) tensor.uniform_(-bound, bound, generator);

  Module layer(c10::QualifiedName("neurontune.demo." + name), code);
  layer.register_parameter("weight", weight.set_requires_grad(true), false);
  layer.register_parameter("bias", bias.set_requires_grad(true), false);
  layer.register_attribute("training", c10::BoolType::get(), true);
  layer.define(forward);
  return layer;
}

/// Three convolutions that each halve the image, then `fc` on what they see on average.
Module make_network(int64_t channels, int64_t classes, int64_t features, at::Generator& generator) {
  auto code = std::make_shared<torch::jit::CompilationUnit>();
  Module network(c10::QualifiedName("neurontune.demo.SmallCnn"), code);
  const std::array<int64_t, 3> filters = {16, 32, features};
  for (size_t i = 0; i < filters.size(); ++i) {
    const std::string name = "conv" + std::to_string(i + 1);
    network.register_module(
        name, make_layer(name, code, {filters[i], channels, 3, 3}, kConvolution, generator));
    channels = filters[i];
  }
  network.register_module("fc", make_layer("fc", code, {classes, features}, kLinear, generator));
  network.register_attribute("training", c10::BoolType::get(), true);
  network.define(kNetwork);
  return network;
}

std::vector<at::Tensor> parameters(const Module& network) {
  std::vector<at::Tensor> tensors;
  for (const auto& parameter : network.parameters()) tensors.push_back(parameter);
  return tensors;
}

void train_step(Module& network, torch::optim::Optimizer& optimizer, const at::Tensor& images,
                const at::Tensor& labels) {
  const at::AutoGradMode with_gradients(true);
  const auto logits = network.forward({images}).toTensor();
  optimizer.zero_grad();
  at::cross_entropy_loss(logits, labels).backward();
  optimizer.step();
}

void train_network(Module& network, const TrainingData& data, const ErmTrainingOptions& options,
                   at::Generator& generator, const ProgressFn& progress) {
  torch::optim::Adam optimizer(parameters(network),
                               torch::optim::AdamOptions(options.learning_rate));
  const int64_t samples = data.labels.size(0);
  const int64_t batches = (samples + options.batch_size - 1) / options.batch_size;
  int64_t done = 0;
  for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    const auto order = at::randperm(samples, generator, at::TensorOptions(at::kLong));
    for (const auto& rows : order.split(options.batch_size)) {
      torchscript::call(kTraining, [&] {
        train_step(network, optimizer, data.images.index_select(0, rows),
                   data.labels.index_select(0, rows));
      });
      if (progress) progress("train", ++done, options.epochs * batches);
    }
  }
}

}  // namespace

void train_small_cnn(const Dataset& train, int64_t classes, const ErmTrainingOptions& options,
                     const std::filesystem::path& path, const ProgressFn& progress) {
  check_options(classes, options);
  const TrainingData data = read_all(train);
  check_data(data, classes);
  auto generator = at::detail::createCPUGenerator(options.seed);
  auto network = torchscript::call(kTraining, [&] {
    return make_network(data.images.size(1), classes, options.features, generator);
  });
  train_network(network, data, options, generator, progress);
  network.eval();
  std::ostringstream file;  // a stream has no name that would get into the archive
  torchscript::call(kTraining, [&] { network.save(file); });
  write_file(path, file.view());
}

}  // namespace neurontune::demo
