#include "neurontune/model/erm_model.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "file_bytes.h"
#include "io/zip_entries.h"
#include "model/exported_models.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing_support::error_of;
using testing_support::expected_of;
using testing_support::file_bytes;
using testing_support::load_error;
using testing_support::model_path;
using testing_support::tuned_head;

TEST(ErmModel, ConvolutionsAreFrozenWithTheirNorms) {
  auto model = ErmModel::load(model_path("cnn_scripted.pt"));
  const auto expected = expected_of("cnn_scripted");
  EXPECT_TRUE(model.speed_up(expected.inputs));
  EXPECT_TRUE(at::allclose(model.features(expected.inputs), expected.features, 1e-4, 1e-5));
}

TEST(ErmModel, VerifyRefusesPartsThatGiveAnotherOutput) {
  // It counts its runs, and answers otherwise from the sixth on: the first that the parts make.
  EXPECT_THAT(error_of([] {
                ErmModel::load(model_path("tiring.pt")).verify({at::rand({6, 5})});
              }),
              HasSubstr("the head fc after the features gives logits that differ"));
}

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
  EXPECT_EQ(
      ErmModel::load(model_path("nested_modules_traced.pt"), at::kCPU, {.head = "classifier.1"})
          .head_name(),
      "classifier.1");
  EXPECT_THAT(error_of([] {
                ErmModel::load(model_path("nested_modules_traced.pt"), at::kCPU,
                               {.head = "features.0"});
              }),
              AllOf(HasSubstr("ends in"), HasSubstr("expected features.0 and at most a softmax")));
}

TEST(ErmModel, RefusesWhatIsNoTorchScriptArchive) {
  const auto how = HasSubstr("torch.jit.save");
  const auto what = HasSubstr("is not a TorchScript archive");
  for (const char* name : {"state_dict.pt", "legacy_state_dict.pt", "plain.pkl"}) {
    EXPECT_THAT(load_error(model_path(name)), AllOf(HasSubstr(name), what, how));
  }
  EXPECT_THAT(load_error(model_path("state_dict.pt")), HasSubstr("holds no code"));
  EXPECT_THAT(load_error(model_path("plain.pkl")), HasSubstr("it is a pickle"));

  EXPECT_THAT(load_error(model_path("exported.pt2")),
              AllOf(what, HasSubstr("a .pt2 file of torch.export"), how));
  EXPECT_THAT(load_error(model_path("model.onnx")), AllOf(what, HasSubstr("ONNX"), how));
  EXPECT_THAT(load_error(model_path("tensors.safetensors")),
              AllOf(what, HasSubstr("a safetensors file, tensors without a model"), how));

  const fs::path folder(testing::TempDir());
  EXPECT_THAT(load_error(folder / "missing.pt"), HasSubstr("missing.pt: no such file"));
  EXPECT_THAT(load_error(folder), HasSubstr("is a directory"));
  // The length of its heading, which comes first, begins as a pickle does.
  std::ofstream(folder / "of_128.safetensors")
      << '\x80' << std::string(7, '\0') << "{\"weight\": …";
  EXPECT_THAT(load_error(folder / "of_128.safetensors"), HasSubstr("a safetensors file"));
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

/// The output of a file in which one bit is changed, or what it is refused with.
std::optional<at::Tensor> output_of_damaged(std::string bytes, size_t place, int bit,
                                            const std::vector<at::Tensor>& inputs) {
  bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
  const fs::path path = fs::path(testing::TempDir()) / "damaged.pt";
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    return ErmModel::load(path).output(inputs);
  } catch (const Error&) {
    return std::nullopt;
  }
}

TEST(ErmModel, DamagedFilesAreRefusedOrGiveTheSameNumbers) {
  const auto whole = file_bytes(model_path("cnn_scripted.pt"));
  const auto expected = expected_of("cnn_scripted");
  const auto output = ErmModel::load(model_path("cnn_scripted.pt")).output(expected.inputs);
  int refused = 0;
  for (size_t flip = 0; flip < 150; ++flip) {
    const auto place = flip * 7919 * 31 % whole.size();
    const auto found = output_of_damaged(whole, place, static_cast<int>(flip % 8), expected.inputs);
    refused += found ? 0 : 1;
    EXPECT_TRUE(!found || at::equal(*found, output)) << "byte " << place << ", bit " << flip % 8;
  }
  EXPECT_GT(refused, 50);
}

TEST(ErmModel, DamagedRecordIsNamed) {
  const auto entries = read_zip_entries(model_path("cnn_scripted.pt"));
  const auto bias = std::find_if(entries.begin(), entries.end(), [](const ZipEntry& entry) {
    return entry.name.ends_with("/data/1");
  });
  ASSERT_NE(bias, entries.end());
  auto bytes = file_bytes(model_path("cnn_scripted.pt"));
  bytes[bias->content] = static_cast<char>(bytes[bias->content] ^ 1);
  const fs::path path = fs::path(testing::TempDir()) / "bad_record.pt";
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_THAT(load_error(path), AllOf(HasSubstr("bad_record.pt is damaged: its record"),
                                      HasSubstr("/data/1 cannot be read (CRC error)")));
}

TEST(ErmModel, DirectoryThatContradictsTheEntriesIsRefused) {
  const auto path = model_path("cnn_scripted.pt");
  const auto entries = read_zip_entries(path);
  const auto refused = [&](size_t place, char value) {
    auto bytes = file_bytes(path);
    bytes[place] = value;
    const fs::path changed = fs::path(testing::TempDir()) / "contradiction.pt";
    std::ofstream(changed, std::ios::binary) << bytes;
    EXPECT_THAT(load_error(changed), HasSubstr("damaged")) << "byte " << place;
  };
  const auto& first = entries.front();
  refused(first.directory + 46 + first.name.size() - 1, '1');  // a name that another entry has
  refused(first.header + 30, 'x');                             // the name in the local header
  refused(first.header + 28, 0);                               // how long its extra field is
  refused(first.directory + 24, 1);                            // the size
  refused(first.directory + 38, 0x10);                         // that it is a folder
  refused(first.directory + 34, 2);                            // the disk that it is on
}

TEST(ErmModel, SaysWhatAModelWithoutAHeadEndsIn) {
  EXPECT_THAT(load_error(model_path("conv_ended.pt")),
              AllOf(HasSubstr("conv_ended.pt ends in aten::_convolution, "),
                    HasSubstr("aten::flatten, expected a linear layer"),
                    HasSubstr("a convolution cannot serve as the head")));
  EXPECT_THAT(load_error(model_path("shifted.pt")),
              AllOf(HasSubstr("ends in aten::linear, aten::sub"), HasSubstr("export it so")));
  EXPECT_THAT(load_error(model_path("weight_norm.pt")),
              HasSubstr("weight is computed by aten::_weight_norm"));
}

TEST(ErmModel, SaysWhatToDoWithAQuantisedModel) {
  EXPECT_THAT(load_error(model_path("quantised.pt")),
              AllOf(HasSubstr("quantised"), HasSubstr("export the one before quantisation")));
}

TEST(ErmModel, FactorBelowZeroIsNoStepThatKeepsTheOrder) {
  EXPECT_THAT(load_error(model_path("negative_factor.pt")), HasSubstr("aten::linear, aten::mul"));
}

TEST(ErmModel, ComputedFactorMustBeAPositiveNumberWhateverTheInput) {
  EXPECT_THAT(load_error(model_path("negative_exponential.pt")), HasSubstr("aten::mul, expected"));
  EXPECT_THAT(load_error(model_path("own_norm.pt")), HasSubstr("aten::linear, aten::div"));
}

TEST(ErmModel, StepsInPlaceAfterTheHeadAreSeen) {
  for (const char* name : {"negated.pt", "one_negated.pt", "flipped.pt"})
    EXPECT_THAT(load_error(model_path(name)), HasSubstr("in place")) << name;
}

TEST(ErmModel, WhatDoesNotKeepTheOrderOfTheClassesIsRefused) {
  const auto refusal = [](const char* name) {
    return error_of([&] { ErmModel::load(model_path(name)).verify({at::rand({6, 5})}); });
  };
  for (const char* name :
       {"column_of_two.pt", "sigmoid_of_two.pt", "groups.pt", "ones.pt", "whole.pt"})
    EXPECT_THAT(refusal(name), HasSubstr("keep the order of the classes")) << name;
  EXPECT_THAT(load_error(model_path("floored.pt")), HasSubstr("aten::linear, aten::div"));
  EXPECT_THAT(load_error(model_path("dict_divided.pt")), HasSubstr("aten::div"));
}

TEST(ErmModel, OtherUsesOfTheHeadsTensorsAreSeen) {
  EXPECT_THAT(load_error(model_path("tied_by_list.pt")), HasSubstr("another use of tied"));
  EXPECT_THAT(load_error(model_path("used_twice.pt"), {.output = "0"}),
              HasSubstr("another use of fc."));
  EXPECT_THAT(load_error(model_path("expanded.pt")), HasSubstr("an expanded tensor"));
}

TEST(ErmModel, NumbersTooLargeForTheModelsDtypeAreRefused) {
  const auto model = ErmModel::load(model_path("float16.pt"));
  auto head = to(model.head(), at::kCPU, at::kFloat);
  head.weight.fill_(1e6);
  EXPECT_THAT(
      error_of([&] { model.save_with_head(head, fs::path(testing::TempDir()) / "big.pt"); }),
      HasSubstr("fc.weight is too large for the model's Half"));
}

TEST(ErmModel, StatisticsOfAHeadAreNoParameters) {
  const auto head =
      ErmModel::load(model_path("deep_batch_norm_traced.pt"), at::kCPU, {.head = "classifier"})
          .head();
  EXPECT_THAT(head.later_layers->parameter_names,
              testing::UnorderedElementsAre("2.weight", "2.bias", "4.weight", "4.bias"));
}

TEST(ErmModel, OutputIsNamedWhereTwoComeFromHeads) {
  const auto path = model_path("two_heads_traced.pt");
  EXPECT_THAT(load_error(path), AllOf(HasSubstr("outputs 0, 1"), HasSubstr("--output")));
  EXPECT_THAT(load_error(path, {.output = "2"}), HasSubstr("no output 2, expected one of 0, 1"));
  EXPECT_THAT(load_error(model_path("mlp_traced.pt"), {.output = "logits"}),
              HasSubstr("returns one value, which has no name"));
}

TEST(ErmModel, SubmoduleThatCannotBeTheHeadIsRefused) {
  const auto refusal = [](const char* model, const char* head) {
    return load_error(model_path(model), {.head = head});
  };
  EXPECT_THAT(refusal("deep_traced.pt", "body"),
              HasSubstr("has no submodule body; its own are features, classifier"));
  EXPECT_THAT(refusal("deep_traced.pt", "features"),
              HasSubstr("a submodule that ends in the logits"));
  EXPECT_THAT(refusal("convolution_first.pt", "classifier"),
              AllOf(HasSubstr("starts with aten::_convolution"), HasSubstr("one linear layer")));
  EXPECT_THAT(refusal("frozen.pt", "head"), HasSubstr("none, as it is frozen"));
  EXPECT_THAT(refusal("shared_bias_traced.pt", "classifier"),
              AllOf(HasSubstr("gives classifier 2 values"), HasSubstr("the embedding alone")));
  EXPECT_THAT(refusal("shared_bias.pt", "classifier"),
              AllOf(HasSubstr("shares memory"), HasSubstr("features.0.bias")));
}

TEST(ErmModel, MissingOperatorsAreNamedAndCanBeLoaded) {
  const auto path = model_path("custom_operator.pt");
  EXPECT_THAT(load_error(path),
              AllOf(HasSubstr("neurontune_test::halve"), HasSubstr("--preload-lib")));
  EXPECT_THAT(error_of([] { load_operators("nowhere/liboperators.so"); }),
              HasSubstr("nowhere/liboperators.so cannot be loaded"));
  load_operators(NEURONTUNE_TEST_OPERATORS);
  const auto expected = expected_of("custom_operator");
  EXPECT_TRUE(at::allclose(ErmModel::load(path).features(expected.inputs), expected.features));
}

TEST(ErmModel, FloatingInputsBecomeTheModelsDtype) {
  const auto model = ErmModel::load(model_path("float16.pt"));
  const auto expected = expected_of("float16");
  const auto features = model.features({expected.inputs[0].to(at::kFloat)});
  EXPECT_TRUE(at::equal(features, model.features(expected.inputs)));
}

TEST(ErmModel, FingerprintTellsFilesHeadsAndOutputsApart) {
  const auto of = [](const char* name, const SplitOptions& options) {
    return ErmModel::load(model_path(name), at::kCPU, options).fingerprint();
  };
  EXPECT_EQ(of("deep_traced.pt", {}), of("deep_traced.pt", {.head = "classifier.4"}));
  EXPECT_NE(of("deep_traced.pt", {}), of("deep_traced.pt", {.head = "classifier"}));
  EXPECT_NE(of("deep_traced.pt", {}), of("deep_scripted.pt", {}));
  EXPECT_NE(of("two_heads_traced.pt", {.output = "0"}), of("two_heads_traced.pt", {.output = "1"}));
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

TEST(ErmModel, WhatAModelRaisesKeepsItsNameAndMessage) {
  const auto error = [](const char* name) {
    const auto model = ErmModel::load(model_path(name));
    return error_of([&] { model.features({at::rand({2, 5})}); });
  };
  EXPECT_THAT(error("raising.pt"),
              EndsWith("raising.pt: ValueError: images must be square, got [2, 5]"));
  EXPECT_THAT(error("asserting.pt"), EndsWith("asserting.pt: AssertionError: need 77 rows"));
  EXPECT_THAT(error("raising_nothing.pt"),
              EndsWith("raising_nothing.pt: NotImplementedError without a message"));
}

TEST(ErmModel, VerifyRefusesExportsInTrainingMode) {
  const auto dropout = ErmModel::load(model_path("traced_in_training.pt"));
  EXPECT_THAT(error_of([&] {
                dropout.verify({at::rand({8, 1, 8, 8})});
              }),
              AllOf(HasSubstr("when it is run again"), HasSubstr("model.eval()")));
  const auto batch_norm = ErmModel::load(model_path("batch_norm_in_training.pt"));
  EXPECT_THAT(error_of([&] { batch_norm.verify({at::rand({8, 5})}); }), HasSubstr("training mode"));
  EXPECT_THAT(error_of([&] { batch_norm.verify({at::rand({1, 5})}); }), HasSubstr("training mode"));
  EXPECT_THAT(error_of([&] {
                batch_norm.verify({at::rand({1, 5}).repeat({4, 1})});
              }),
              HasSubstr("training mode"));
}

TEST(ErmModel, VerifyRefusesWhatDependsOnTheBatch) {
  const auto refusal = [](const char* name) {
    return error_of([&] { ErmModel::load(model_path(name)).verify({at::rand({6, 5})}); });
  };
  EXPECT_THAT(refusal("baked_batch.pt"),
              AllOf(HasSubstr("cannot take a batch of 2"), HasSubstr("for one batch size")));
  EXPECT_THAT(refusal("mixes_samples.pt"), HasSubstr("other logits alone than in a batch"));
}

TEST(ErmModel, VerifyOfOneSampleMakesABatchOfItself) {
  const auto model = ErmModel::load(model_path("mlp_traced.pt"));
  EXPECT_LE(model.verify({at::rand({1, 5})}).max_abs_difference, 1e-5);
}

TEST(ErmModel, VerifyRefusesAnOutputWithoutANumberForEachClass) {
  EXPECT_THAT(error_of([] {
                ErmModel::load(model_path("one_class_of_three.pt")).verify({at::rand({4, 5})});
              }),
              HasSubstr("[4], expected a number for each of the head's 3 classes"));
}

TEST(ErmModel, VerifyRefusesLogitsThatAreNotFinite) {
  const auto model = ErmModel::load(model_path("infinite.pt"));
  EXPECT_THAT(error_of([&] {
                model.verify({at::rand({4, 5})});
              }),
              HasSubstr("4 of 12 logits are NaN or infinite"));
}

TEST(ErmModel, RefusesAHeadThatIsTied) {
  EXPECT_THAT(
      load_error(model_path("tied.pt")),
      AllOf(HasSubstr("head fc"), HasSubstr("shares memory with another use of embedding.weight")));
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
  model.save_with_head(tuned_head(model), folder / "one.pt");
  model.save_with_head(tuned_head(model), folder / "other name.torchscript");
  EXPECT_EQ(file_bytes(folder / "one.pt"), file_bytes(folder / "other name.torchscript"));
}

TEST(ErmModel, WritesOverTheFileItWasLoadedFrom) {
  const fs::path path = fs::path(testing::TempDir()) / "in_place.pt";
  fs::copy_file(model_path("mlp_traced.pt"), path, fs::copy_options::overwrite_existing);
  const auto model = ErmModel::load(path);
  const auto head = tuned_head(model);
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
              AllOf(HasSubstr("cannot be created"), HasSubstr("No such file")));
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
  model.save_with_head(tuned_head(model), fs::path(testing::TempDir()) / "quiet.pt");
  load_error(model_path("plain.pkl"));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace neurontune
