#include "neurontune/model/erm_model.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "file_bytes.h"
#include "neurontune/error.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::file_bytes;

fs::path model_path(const std::string& name) {
  const fs::path path = fs::path(NEURONTUNE_TEST_MODELS) / name;
  EXPECT_TRUE(fs::exists(path)) << path
                                << ": tests/model/export_models.py writes it; ctest runs it";
  return path;
}

/// What forward hooks saw in PyTorch.
struct Expected {
  std::vector<at::Tensor> inputs;
  at::Tensor features;
  at::Tensor logits;
};

Expected expected_of(const std::string& name) {
  const auto module = torch::jit::load(model_path(name + ".expected.pt").string());
  return {module.attr("inputs").toTensorVector(), module.attr("features").toTensor(),
          module.attr("logits").toTensor()};
}

/// The message of the Error that a call throws; also fails if it is more than a line.
template <typename Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

std::string load_error(const fs::path& path) {
  return error_of([&] { ErmModel::load(path); });
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

/// The model's head scaled, with columns 0 and 2 zeroed as masked neurons are.
Head tuned(const ErmModel& model) {
  Head head = model.head();
  head.weight.mul_(-0.5).add_(0.125);
  head.weight.select(1, 0).zero_();
  head.weight.select(1, 2).zero_();
  if (head.bias.defined()) head.bias.add_(1.0);
  return head;
}

struct Export {
  std::string name;
  std::string head;
  bool bias = true;
  bool named = true;  // a frozen model's tensors have no names, so Python cannot check them
};

void PrintTo(const Export& model, std::ostream* stream) { *stream << model.name; }

class ErmModelOf : public testing::TestWithParam<Export> {
 protected:
  ErmModel model_ = ErmModel::load(model_path(GetParam().name + ".pt"));
  Expected expected_ = expected_of(GetParam().name);

  fs::path tuned_path() const {
    const char* suffix = GetParam().named ? ".tuned.pt" : ".tuned-constants.pt";
    return fs::path(NEURONTUNE_TEST_MODELS) / (GetParam().name + suffix);
  }
};

TEST_P(ErmModelOf, HeadIsTheLastLinearLayer) {
  EXPECT_EQ(model_.head_name(), GetParam().head);
  const auto head = model_.head();
  EXPECT_EQ(head.classes(), expected_.logits.size(1));
  EXPECT_EQ(head.embedding_dim(), expected_.features.size(1));
  EXPECT_EQ(head.bias.defined(), GetParam().bias);
  EXPECT_FALSE(head.weight.requires_grad());
}

TEST_P(ErmModelOf, FeaturesAreWhatAHookSees) {
  const auto features = model_.features(expected_.inputs);
  EXPECT_TRUE(at::allclose(features, expected_.features, 1e-5, 1e-6));
  EXPECT_EQ(features.dtype(), expected_.features.dtype());
  EXPECT_FALSE(features.requires_grad());
}

TEST_P(ErmModelOf, LogitsAreTheEagerModels) {
  const auto logits = model_.output(expected_.inputs);
  EXPECT_TRUE(at::allclose(logits, expected_.logits, 1e-5, 1e-6));
  EXPECT_FALSE(logits.requires_grad());
}

TEST_P(ErmModelOf, RepeatedRunsGiveTheSameBits) {
  const auto first = model_.features(expected_.inputs);
  for (int run = 0; run < 4; ++run) {
    EXPECT_TRUE(at::equal(model_.features(expected_.inputs), first)) << "run " << run;
  }
}

TEST_P(ErmModelOf, VerifiesWithinATolerance) {
  const auto verification = model_.verify(expected_.inputs);
  EXPECT_LE(verification.max_abs_difference, 1e-5);
  EXPECT_DOUBLE_EQ(verification.tolerance,
                   std::max(1e-4, 1e-4 * expected_.logits.abs().max().item<double>()));
}

TEST_P(ErmModelOf, SavedModelGivesTheNewHeadsLogits) {
  const auto before = model_.output(expected_.inputs);
  const auto head = tuned(model_);
  model_.save_with_head(head, tuned_path());

  const auto saved = ErmModel::load(tuned_path());
  const auto logits = at::linear(expected_.features, head.weight, head.bias);
  EXPECT_TRUE(at::allclose(saved.output(expected_.inputs), logits, 1e-5, 1e-6));
  EXPECT_TRUE(at::equal(saved.head().weight, head.weight));
  EXPECT_EQ(saved.head().weight.select(1, 2).count_nonzero().item<int64_t>(), 0);
  EXPECT_TRUE(at::equal(model_.output(expected_.inputs), before)) << "the object kept its head";
}

TEST_P(ErmModelOf, SavedModelDiffersInTheHeadAlone) {
  // Beside the file that Python checks: these tests may run at once.
  const fs::path path = tuned_path() += ".bits";
  model_.save_with_head(tuned(model_), path);

  const auto original = torch::jit::load(model_path(GetParam().name + ".pt").string());
  const auto saved = torch::jit::load(path.string());
  const auto tensors = tensors_of(saved);
  const auto originals = tensors_of(original);
  ASSERT_EQ(tensors.size(), originals.size());
  for (const auto& [name, tensor] : originals) {
    if (name.rfind(GetParam().head, 0) == 0) continue;
    EXPECT_TRUE(same_bits(tensors.at(name), tensor)) << name;
  }
  EXPECT_EQ(saved.is_training(), original.is_training());
  for (const auto& method : original.get_methods()) {
    EXPECT_EQ(steps_of(saved.get_method(method.name())), steps_of(method));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Exports, ErmModelOf,
    testing::Values(Export{"mlp_traced", "fc"}, Export{"mlp_scripted", "fc"},
                    Export{"cnn_traced", "head"}, Export{"cnn_scripted", "head"},
                    Export{"nested_traced", "classifier.1"},
                    Export{"nested_scripted", "classifier.1"},
                    Export{"no_bias_traced", "fc", false}, Export{"no_bias_scripted", "fc", false},
                    Export{"extra", "fc"}, Export{"training_scripted", "head"},
                    Export{"addmm", "fc"}, Export{"matmul_add", "fc"},
                    Export{"mm", "by_input", false}, Export{"frozen", "constant", true, false}),
    [](const auto& test) { return test.param.name; });

TEST(ErmModel, BranchOfEvaluationModeIsTaken) {
  const auto model = ErmModel::load(model_path("branching.pt"));
  const auto expected = expected_of("branching");
  EXPECT_EQ(model.head_name(), "fc");
  EXPECT_TRUE(at::allclose(model.features(expected.inputs), expected.features));
}

TEST(ErmModel, OptionalInputsMayBeLeftOut) {
  const auto model = ErmModel::load(model_path("two_inputs.pt"));
  const auto expected = expected_of("two_inputs");
  ASSERT_EQ(model.inputs().size(), 2U);
  EXPECT_EQ(model.inputs()[0].name, "values");
  EXPECT_EQ(model.inputs()[0].type, "Tensor");
  EXPECT_EQ(model.inputs()[1].name, "mask");
  EXPECT_EQ(model.inputs()[1].type, "Optional[Tensor]");
  EXPECT_TRUE(at::allclose(model.features(expected.inputs), expected.features));
  EXPECT_TRUE(
      at::allclose(model.features({expected.inputs[0] * expected.inputs[1]}), expected.features));
}

TEST(ErmModel, InputsAreNeverWrittenTo) {
  const auto model = ErmModel::load(model_path("in_place.pt"));
  const auto x = at::rand({4, 5});
  const auto before = x.clone();
  EXPECT_TRUE(at::allclose(model.features({x}), ((before - 0.5) / 0.25).relu()));
  model.verify({x});
  EXPECT_TRUE(at::equal(x, before));
}

TEST(ErmModel, InputsAreCounted) {
  const auto model = ErmModel::load(model_path("two_inputs.pt"));
  EXPECT_THAT(error_of([&] { model.features({}); }),
              HasSubstr("forward takes 2 inputs (values, mask), got 0"));
  const auto x = at::rand({2, 5});
  EXPECT_THAT(error_of([&] { model.output({x, x, x}); }), HasSubstr("got 3"));
}

TEST(ErmModel, KeepsTheModelsDtype) {
  const auto model = ErmModel::load(model_path("float64.pt"));
  const auto expected = expected_of("float64");
  EXPECT_EQ(model.features(expected.inputs).scalar_type(), at::kDouble);
  EXPECT_EQ(model.head().weight.scalar_type(), at::kDouble);

  const fs::path path = fs::path(testing::TempDir()) / "float64.pt";
  Head single = model.head();
  single.weight = single.weight.to(at::kFloat);
  single.bias = single.bias.to(at::kFloat);
  model.save_with_head(single, path);
  const auto saved = ErmModel::load(path).head();
  EXPECT_EQ(saved.weight.scalar_type(), at::kDouble);
  EXPECT_TRUE(at::equal(saved.weight, single.weight.to(at::kDouble)));
}

TEST(ErmModel, HeadIsACopy) {
  const auto model = ErmModel::load(model_path("mlp_scripted.pt"));
  const auto expected = expected_of("mlp_scripted");
  model.head().weight.zero_();
  EXPECT_TRUE(at::allclose(model.output(expected.inputs), expected.logits));
}

TEST(ErmModel, HeadGivenByNameMustBeTheOneFound) {
  EXPECT_EQ(ErmModel::load(model_path("nested_traced.pt"), at::kCPU, {.head = "classifier.1"}).head_name(),
            "classifier.1");
  EXPECT_THAT(
      error_of([] { ErmModel::load(model_path("nested_traced.pt"), at::kCPU, {.head = "features.0"}); }),
      AllOf(HasSubstr("classifier.1"), HasSubstr("expected features.0")));
}

TEST(ErmModel, RefusesWhatIsNoTorchScriptArchive) {
  const auto how = HasSubstr("torch.jit.save");
  const auto what = HasSubstr("is not a TorchScript archive");
  for (const char* name : {"state_dict.pt", "legacy_state_dict.pt", "plain.pkl"}) {
    EXPECT_THAT(load_error(model_path(name)), AllOf(HasSubstr(name), what, how));
  }
  EXPECT_THAT(load_error(model_path("state_dict.pt")), HasSubstr("holds no code"));
  EXPECT_THAT(load_error(model_path("plain.pkl")), HasSubstr("it is no zip file"));

  const fs::path folder(testing::TempDir());
  EXPECT_THAT(load_error(folder / "missing.pt"), HasSubstr("missing.pt: no such file"));
  EXPECT_THAT(load_error(folder), HasSubstr("is a directory"));
  std::ofstream(folder / "empty.pt").close();
  EXPECT_THAT(load_error(folder / "empty.pt"), AllOf(what, how));
}

TEST(ErmModel, RefusesADeviceThatIsNotThere) {
  if (at::hasCUDA()) GTEST_SKIP() << "there is one";
  EXPECT_THAT(error_of([] { ErmModel::load(model_path("mlp_traced.pt"), at::Device("cuda:0")); }),
              HasSubstr("cannot be loaded to cuda:0: no CUDA device is available"));
}

TEST(ErmModel, RefusesATruncatedArchive) {
  const auto whole = file_bytes(model_path("mlp_scripted.pt"));
  const fs::path path = fs::path(testing::TempDir()) / "truncated.pt";
  std::ofstream(path, std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_THAT(load_error(path),
              AllOf(HasSubstr("is not a TorchScript archive"), HasSubstr("a damaged zip file")));
}

TEST(ErmModel, SaysWhatAModelWithoutAHeadEndsIn) {
  EXPECT_THAT(load_error(model_path("conv_ended.pt")),
              AllOf(HasSubstr("conv_ended.pt ends in aten::_convolution, "),
                    HasSubstr("aten::flatten, expected a linear layer"),
                    HasSubstr("a convolution cannot serve as the head")));
  EXPECT_THAT(load_error(model_path("softmax_ended.pt")),
              AllOf(HasSubstr("ends in aten::linear, aten::softmax"), HasSubstr("export it so")));
  EXPECT_THAT(load_error(model_path("tuple.pt")), HasSubstr("returns a tuple"));
  EXPECT_THAT(load_error(model_path("weight_norm.pt")),
              HasSubstr("weight is computed by aten::_weight_norm"));
}

TEST(ErmModel, RefusesManyEmbeddingsASample) {
  const auto model = ErmModel::load(model_path("tokens.pt"));
  EXPECT_THAT(error_of([&] {
                model.features({at::rand({2, 5})});
              }),
              AllOf(HasSubstr("head fc"), HasSubstr("[2, 4, 5]"), HasSubstr("expected [N, 5]")));
}

TEST(ErmModel, FailureOfTheModelsCodeIsOneLineWithItsCause) {
  const auto failing = ErmModel::load(model_path("failing.pt"));
  EXPECT_THAT(error_of([&] {
                failing.features({at::rand({2, 5})});
              }),
              AllOf(HasSubstr("failing.pt"), HasSubstr("is invalid for input of size 10")));
  const auto model = ErmModel::load(model_path("mlp_traced.pt"));
  EXPECT_THAT(error_of([&] { model.output({at::rand({2, 7})}); }), HasSubstr("size"));
}

TEST(ErmModel, VerifyRefusesExportsInTrainingMode) {
  const auto dropout = ErmModel::load(model_path("traced_in_training.pt"));
  EXPECT_THAT(error_of([&] {
                dropout.verify({at::rand({8, 1, 8, 8})});
              }),
              AllOf(HasSubstr("when it is run again"), HasSubstr("model.eval()")));
  const auto batch_norm = ErmModel::load(model_path("batch_norm_in_training.pt"));
  EXPECT_THAT(error_of([&] { batch_norm.verify({at::rand({8, 5})}); }), HasSubstr("training mode"));
}

TEST(ErmModel, VerifyRefusesLogitsThatAreNotFinite) {
  const auto model = ErmModel::load(model_path("infinite.pt"));
  EXPECT_THAT(error_of([&] {
                model.verify({at::rand({4, 5})});
              }),
              HasSubstr("4 of 12 logits are NaN or infinite"));
}

TEST(ErmModel, RefusesToWriteAHeadThatIsTied) {
  const auto model = ErmModel::load(model_path("tied.pt"));
  const fs::path path = fs::path(testing::TempDir()) / "tied.pt";
  EXPECT_THAT(error_of([&] { model.save_with_head(model.head(), path); }),
              AllOf(HasSubstr("head fc"), HasSubstr("shares memory with embedding.weight")));
  EXPECT_FALSE(fs::exists(path));
}

TEST(ErmModel, RefusesAHeadThatDoesNotFit) {
  const auto model = ErmModel::load(model_path("mlp_traced.pt"));
  const fs::path path = fs::path(testing::TempDir()) / "unfit.pt";
  const auto save = [&](const Head& head) {
    return error_of([&] { model.save_with_head(head, path); });
  };
  EXPECT_THAT(save({at::zeros({3, 9}), at::zeros({3})}), HasSubstr("[3, 9], expected [3, 8]"));
  EXPECT_THAT(save({at::zeros({3, 8}), at::zeros({4})}), HasSubstr("[4], expected [3]"));
  EXPECT_THAT(save({at::full({3, 8}, NAN), at::zeros({3})}), HasSubstr("NaN"));
  const auto no_bias = ErmModel::load(model_path("no_bias_traced.pt"));
  EXPECT_THAT(error_of([&] {
                no_bias.save_with_head({at::zeros({3, 8}), at::ones({3})}, path);
              }),
              HasSubstr("has no bias"));
  no_bias.save_with_head({at::zeros({3, 8}), at::zeros({3})}, path);
  EXPECT_FALSE(ErmModel::load(path).head().bias.defined());
}

TEST(ErmModel, HeadWithoutBiasWritesAZeroBias) {
  const auto model = ErmModel::load(model_path("mlp_traced.pt"));
  const fs::path path = fs::path(testing::TempDir()) / "zero_bias.pt";
  model.save_with_head({model.head().weight, {}}, path);
  EXPECT_EQ(ErmModel::load(path).head().bias.count_nonzero().item<int64_t>(), 0);
}

TEST(ErmModel, SavedBytesDependNeitherOnTheNameNorOnTheRun) {
  const auto model = ErmModel::load(model_path("extra.pt"));
  const fs::path folder(testing::TempDir());
  model.save_with_head(tuned(model), folder / "one.pt");
  model.save_with_head(tuned(model), folder / "other name.torchscript");
  EXPECT_EQ(file_bytes(folder / "one.pt"), file_bytes(folder / "other name.torchscript"));
}

TEST(ErmModel, WritesOverTheFileItWasLoadedFrom) {
  const fs::path path = fs::path(testing::TempDir()) / "in_place.pt";
  fs::copy_file(model_path("mlp_traced.pt"), path, fs::copy_options::overwrite_existing);
  const auto model = ErmModel::load(path);
  const auto head = tuned(model);
  model.save_with_head(head, path);
  EXPECT_TRUE(at::equal(ErmModel::load(path).head().weight, head.weight));
  EXPECT_THAT(error_of([&] { model.save_with_head(head, path); }),
              HasSubstr("has changed since it was loaded"));
}

TEST(ErmModel, LeavesNothingBehindWhereItCannotWrite) {
  const auto model = ErmModel::load(model_path("mlp_traced.pt"));
  const fs::path folder = fs::path(testing::TempDir()) / "unwritable";
  fs::remove_all(folder);
  EXPECT_THAT(error_of([&] { model.save_with_head(model.head(), folder / "model.pt"); }),
              AllOf(HasSubstr("cannot be written"), HasSubstr("No such file")));
  fs::create_directories(folder / "model.pt" / "occupied");
  EXPECT_THAT(error_of([&] { model.save_with_head(model.head(), folder / "model.pt"); }),
              HasSubstr("cannot be written"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "only model.pt";
}

TEST(ErmModel, PrintsNothing) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const auto model = ErmModel::load(model_path("extra.pt"));
  model.verify(expected_of("extra").inputs);
  model.save_with_head(tuned(model), fs::path(testing::TempDir()) / "quiet.pt");
  load_error(model_path("plain.pkl"));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace neurontune
