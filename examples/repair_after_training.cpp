// A repair inside a C++ training program: train a classifier as usual, see that it leans on a
// spurious feature, repair its last layer.
//
// The data: the label decides a noisy core feature; an attribute, which agrees with the label in
// 95 % of the training samples, decides a clean one. The easy way to a low loss is the attribute.

#include <neurontune/metrics/group_accuracy.h>
#include <neurontune/repair/repair.h>
#include <neurontune/report/conclusion.h>
#include <torch/torch.h>

#include <cstdio>

namespace {

struct Split {
  torch::Tensor inputs;      // float32 [N, 20]
  torch::Tensor labels;      // int64 [N], 0 or 1
  torch::Tensor attributes;  // int64 [N], 0 or 1; only to report, the repair never sees them
};

/// @param agreement the share of samples whose attribute agrees with their label
Split draw_split(int64_t samples, double agreement) {
  const torch::Tensor labels = torch::randint(2, {samples}, torch::kLong);
  const torch::Tensor agrees = torch::rand({samples}) < agreement;
  const torch::Tensor attributes = torch::where(agrees, labels, 1 - labels);
  const torch::Tensor core = (2 * labels - 1).unsqueeze(1) + 2.5 * torch::randn({samples, 10});
  const torch::Tensor spurious =
      (2 * attributes - 1).unsqueeze(1) + 1.0 * torch::randn({samples, 10});
  return {torch::cat({core, spurious}, 1), labels, attributes};
}

/// An ordinary classifier: features, then a linear head.
struct ClassifierImpl : torch::nn::Module {
  torch::nn::Sequential features{torch::nn::Linear(20, 64), torch::nn::ReLU(),
                                 torch::nn::Linear(64, 64), torch::nn::ReLU()};
  torch::nn::Linear head{64, 2};

  ClassifierImpl() {
    register_module("features", features);
    register_module("head", head);
  }
  torch::Tensor forward(const torch::Tensor& inputs) { return head(features->forward(inputs)); }
};
TORCH_MODULE(Classifier);

void train(Classifier& model, const Split& split) {
  torch::optim::Adam optimizer(model->parameters(), 1e-3);
  const int64_t batch_size = 100;
  for (int epoch = 0; epoch < 5; ++epoch) {
    for (const torch::Tensor& rows : torch::randperm(split.labels.size(0)).split(batch_size)) {
      optimizer.zero_grad();
      torch::nn::functional::cross_entropy(model(split.inputs.index({rows})),
                                           split.labels.index({rows}))
          .backward();
      optimizer.step();
    }
  }
}

neurontune::LabelledEmbeddings embed(Classifier& model, const Split& split) {
  const torch::NoGradGuard no_grad;
  return {model->features->forward(split.inputs), split.labels};
}

void report(const char* title, Classifier& model, const Split& split) {
  const torch::NoGradGuard no_grad;
  const auto metrics = neurontune::group_metrics(model(split.inputs).argmax(1), split.labels,
                                                 split.attributes, /*classes=*/2,
                                                 /*attribute_values=*/2);
  std::printf("%-14s", title);
  for (const auto& group : metrics.groups) {
    std::printf("  y=%d a=%d %.3f", static_cast<int>(group.label),
                static_cast<int>(group.attribute), group.accuracy);
  }
  std::printf("  worst %.3f\n", metrics.worst_group_accuracy);
}

}  // namespace

int main() {
  torch::manual_seed(0);
  const Split train_split = draw_split(20000, 0.95);
  const Split val = draw_split(4000, 0.5);
  const Split test = draw_split(8000, 0.5);

  Classifier model;
  train(model, train_split);
  report("before", model, test);

  const neurontune::Head erm{model->head->weight, model->head->bias};
  const neurontune::RepairResult repaired =
      neurontune::repair(embed(model, val), embed(model, train_split), erm);

  const torch::NoGradGuard no_grad;
  model->head->weight.copy_(repaired.head.weight);
  model->head->bias.copy_(repaired.head.bias);
  report("after", model, test);
  std::printf("%s\n", neurontune::conclusion(repaired).c_str());
}
