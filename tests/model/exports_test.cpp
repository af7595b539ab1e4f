// Every way in which a classifier may be exported, against forward hooks on the eager model.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include "model/exported_models.h"
#include "neurontune/model/erm_model.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using testing_support::Expected;
using testing_support::expected_of;
using testing_support::model_path;
using testing_support::tuned_head;

struct Export {
  std::string name;
  std::string head;
  SplitOptions options = {};
  std::string output = "";
  bool named = true;  ///< a frozen model's tensors have no names, so Python cannot check them
};

void PrintTo(const Export& model, std::ostream* stream) { *stream << model.name; }

bool close(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return false;
  const auto type = b.scalar_type();
  const double tolerance = type == at::kBFloat16 ? 1e-2 : type == at::kHalf ? 1e-3 : 1e-4;
  return at::allclose(a.to(at::kDouble), b.to(at::kDouble), tolerance, tolerance);
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.dtype() == b.dtype() && a.strides() == b.strides() && at::equal(a, b);
}

std::map<std::string, at::Tensor> tensors_of(const torch::jit::Module& module) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& attribute : module.named_attributes()) {
    if (attribute.value.isTensor()) tensors[attribute.name] = attribute.value.toTensor();
  }
  return tensors;
}

/// A method's code, less its constants: in a frozen model the head is one.
std::string steps_of(const torch::jit::Method& method) {
  std::istringstream graph(method.graph()->toString(/*print_source_locations=*/false));
  std::string steps;
  for (std::string line; std::getline(graph, line);) {
    if (line.find("prim::Constant") == std::string::npos) steps += line + "\n";
  }
  return steps;
}

class ErmModelOf : public testing::TestWithParam<Export> {
 protected:
  ErmModel load(const fs::path& path) const {
    return ErmModel::load(path, at::kCPU, GetParam().options);
  }

  ErmModel model_ = load(model_path(GetParam().name + ".pt"));
  Expected expected_ = expected_of(GetParam().name);

  fs::path tuned_path() const {
    const char* suffix = GetParam().named ? ".tuned.pt" : ".tuned-constants.pt";
    return fs::path(NEURONTUNE_TEST_MODELS) / (GetParam().name + suffix);
  }
};

TEST_P(ErmModelOf, HeadIsTheOneTheHookIsOn) {
  EXPECT_EQ(model_.head_name(), GetParam().head);
  EXPECT_EQ(model_.output_name(), GetParam().output);
  const auto head = model_.head();
  EXPECT_EQ(head.classes(), std::max<int64_t>(2, expected_.logits.size(1)));
  EXPECT_EQ(head.single_logit, expected_.logits.size(1) == 1);
  EXPECT_EQ(head.embedding_dim(), expected_.features.size(1));
  EXPECT_FALSE(head.weight.requires_grad());
}

TEST_P(ErmModelOf, FeaturesAreWhatAHookSees) {
  const auto features = model_.features(expected_.inputs);
  EXPECT_TRUE(close(features, expected_.features));
  EXPECT_EQ(features.dtype(), expected_.features.dtype());
  EXPECT_FALSE(features.requires_grad());
}

TEST_P(ErmModelOf, HeadOnTheFeaturesGivesTheLogits) {
  const auto found = logits(model_.head(), expected_.features);
  if (expected_.logits.size(1) == 1) {
    EXPECT_TRUE(close(found.narrow(1, 1, 1) - found.narrow(1, 0, 1), expected_.logits));
  } else {
    EXPECT_TRUE(close(found, expected_.logits));
  }
}

TEST_P(ErmModelOf, OutputIsTheEagerModels) {
  const auto output = model_.output(expected_.inputs);
  EXPECT_TRUE(close(output, expected_.output));
  EXPECT_FALSE(output.requires_grad());
}

TEST_P(ErmModelOf, RepeatedRunsGiveTheSameBits) {
  const auto first = model_.features(expected_.inputs);
  for (int run = 0; run < 4; ++run) {
    EXPECT_TRUE(at::equal(model_.features(expected_.inputs), first)) << "run " << run;
  }
}

TEST_P(ErmModelOf, SpedUpFeaturesAreTheSame) {
  const auto plain = model_.features(expected_.inputs);
  model_.speed_up(expected_.inputs);
  const auto fast = model_.features(expected_.inputs);
  EXPECT_EQ(fast.dtype(), plain.dtype());
  const double largest = plain.to(at::kDouble).abs().max().item<double>();
  EXPECT_LE((fast - plain).to(at::kDouble).abs().max().item<double>(),
            largest * (plain.element_size() == 2 ? 2e-2 : 1e-4));
  model_.verify(expected_.inputs);
}

TEST_P(ErmModelOf, VerifiesWithinATolerance) {
  const auto verification = model_.verify(expected_.inputs);
  const bool half = expected_.output.element_size() == 2;
  EXPECT_LE(verification.max_abs_difference, half ? 1e-3 : 1e-5);
  const double share = half ? 2e-2 : 1e-4;
  const double largest = expected_.output.to(at::kDouble).abs().max().item<double>();
  EXPECT_NEAR(verification.tolerance, share * largest, 1e-2 * share * largest);
}

TEST_P(ErmModelOf, SavedModelHasTheNewHead) {
  const auto before = model_.output(expected_.inputs);
  const auto head = tuned_head(model_);
  model_.save_with_head(head, tuned_path());

  const auto saved = load(tuned_path());
  const auto found = saved.head();
  EXPECT_LE(saved.verify(expected_.inputs).max_abs_difference,
            before.element_size() == 2 ? 1e-2 : 1e-5);
  const auto in_file = head.single_logit && head.is_linear() ? two_classes(one_logit(head)) : head;
  EXPECT_TRUE(at::equal(found.weight, in_file.weight));
  EXPECT_EQ(found.weight.scalar_type(), expected_.features.scalar_type());
  EXPECT_TRUE(!head.bias.defined() || at::equal(found.bias, in_file.bias));
  ASSERT_EQ(found.later_parameters.size(), head.later_parameters.size());
  for (size_t i = 0; i < head.later_parameters.size(); ++i)
    EXPECT_TRUE(at::equal(found.later_parameters[i], head.later_parameters[i]));
  EXPECT_EQ(found.weight.select(1, 2).count_nonzero().item<int64_t>(), 0);
  EXPECT_FALSE(close(saved.output(expected_.inputs), expected_.output));
  EXPECT_TRUE(at::equal(model_.output(expected_.inputs), before)) << "the object kept its head";
}

TEST_P(ErmModelOf, SavedModelDiffersInTheHeadAlone) {
  // Beside the file that Python checks: these tests may run at once.
  const fs::path path = tuned_path() += ".bits";
  model_.save_with_head(tuned_head(model_), path);
  ASSERT_EQ(fs::file_size(path), fs::file_size(model_path(GetParam().name + ".pt")));

  const auto original = torch::jit::load(model_path(GetParam().name + ".pt").string(), at::kCPU);
  const auto saved = torch::jit::load(path.string(), at::kCPU);
  const auto tensors = tensors_of(saved);
  const auto originals = tensors_of(original);
  ASSERT_EQ(tensors.size(), originals.size());
  const auto is_head = [&](const at::Tensor& tensor) {  // under whatever name
    return std::any_of(originals.begin(), originals.end(), [&](const auto& entry) {
      return entry.first.rfind(GetParam().head, 0) == 0 && tensor.is_alias_of(entry.second);
    });
  };
  for (const auto& [name, tensor] : originals) {
    if (is_head(tensor)) continue;
    EXPECT_TRUE(same_bits(tensors.at(name), tensor)) << name;
  }
  for (const auto& part : saved.modules())
    EXPECT_FALSE(part.hasattr("training") && part.attr("training").toBool());
  for (const auto& method : original.get_methods()) {
    EXPECT_EQ(steps_of(saved.get_method(method.name())), steps_of(method));
  }
}

std::string test_name(const testing::TestParamInfo<Export>& test) {
  auto name = test.param.name;
  if (test.param.options.head != "auto") name += "_with_head";
  return name;
}

/// Traced and scripted exports of the same model.
std::vector<Export> both(std::initializer_list<Export> models) {
  std::vector<Export> exports;
  for (const auto& model : models) {
    for (const char* how : {"_traced", "_scripted"}) {
      exports.push_back(model);
      exports.back().name += how;
    }
  }
  return exports;
}

INSTANTIATE_TEST_SUITE_P(Plain, ErmModelOf,
                         testing::ValuesIn(both({{"mlp", "fc"},
                                                 {"cnn", "head"},
                                                 {"nested_modules", "classifier.1"},
                                                 {"no_bias", "fc"},
                                                 {"wrapped", "module.fc"},
                                                 {"lightning", "model.fc"},
                                                 {"sequential", "2"}})),
                         test_name);

const SplitOptions kAuto = {};

INSTANTIATE_TEST_SUITE_P(Outputs, ErmModelOf,
                         testing::ValuesIn(both({{"softmax", "fc"},
                                                 {"log_softmax", "fc"},
                                                 {"sigmoid", "fc"},
                                                 {"temperature", "fc"},
                                                 {"temperature_expanded", "fc"},
                                                 {"temperature_softplus", "fc"},
                                                 {"clip", "text"},
                                                 {"clip_scale_last", "text"},
                                                 {"clip_by_text", "text"},
                                                 {"scaled", "fc"},
                                                 {"squeezed", "fc"},
                                                 {"tuple", "fc", kAuto, "0"},
                                                 {"nested", "fc", kAuto, "1.0"},
                                                 {"dict", "fc", kAuto, "out"},
                                                 {"dict_set", "fc", kAuto, "out"},
                                                 {"two_heads", "fc", {.output = "1"}, "1"},
                                                 {"one_logit", "fc"},
                                                 {"one_probability", "fc"},
                                                 {"one_by_index", "fc"},
                                                 {"one_no_bias", "fc"},
                                                 {"second_of_two", "fc"},
                                                 {"two_names", "fc"}})),
                         test_name);

INSTANTIATE_TEST_SUITE_P(
    Submodules, ErmModelOf,
    testing::ValuesIn(both({{"deep", "classifier", {"classifier"}},
                            {"deep_norm", "classifier", {"classifier"}},
                            {"deep_batch_norm", "classifier", {"classifier"}},
                            {"deep_one", "classifier", {"classifier"}},
                            {"deep_softmax", "classifier", {"classifier"}, "p"}})),
    test_name);

INSTANTIATE_TEST_SUITE_P(
    Others, ErmModelOf,
    testing::Values(Export{"extra", "fc"}, Export{"training_scripted", "head"},
                    Export{"training_part", "head"}, Export{"addmm", "fc"},
                    Export{"matmul_add", "fc"}, Export{"mm", "by_input"},
                    Export{"frozen", "constant", {}, "", false},
                    Export{"frozen_traced", "constant", {}, "", false},
                    Export{"optimised", "constant", {}, "", false}, Export{"float16", "fc"},
                    Export{"bfloat16", "fc"}, Export{"float64", "classifier.1"},
                    Export{"deep_double", "classifier", {"classifier"}}, Export{"on_cpu", "fc"},
                    Export{"on_cuda", "fc"}, Export{"named_tuple_traced", "fc", {}, "1"},
                    Export{"named_tuple_scripted", "fc", {}, "scores"},
                    Export{"dict_overwritten", "fc", {}, "logits"}, Export{"with_flags", "fc"}),
    test_name);

std::vector<Export> transformers() {
  std::vector<Export> exports;
  for (const auto& [name, head] :
       std::map<std::string, std::string>{{"bert", "classifier"},
                                          {"convnextv2", "classifier"},
                                          {"distilbert", "classifier"},
                                          {"distilbert_mask", "classifier"},
                                          {"mobilenetv2", "classifier"},
                                          {"resnet", "classifier.1"},
                                          {"roberta", "classifier.out_proj"},
                                          {"swin", "classifier"},
                                          {"vit", "classifier"}}) {
    exports.push_back({name + "_tuple", head, {}, "0"});
    exports.push_back({name + "_dict", head, {}, "logits"});
  }
  return exports;
}

INSTANTIATE_TEST_SUITE_P(Transformers, ErmModelOf, testing::ValuesIn(transformers()), test_name);

}  // namespace
}  // namespace neurontune
