#include "model/placement.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <string>

#include "model/exported_models.h"

namespace neurontune {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::model_path;

std::string code_of(const torch::jit::Module& module) {
  return module.get_method("forward").graph()->toString(/*print_source_locations=*/false);
}

// Where there is no CUDA, its devices can still be named.
TEST(ErmModelPlacement, DevicesThatTheCodeNamesAreRenamed) {
  auto module = torch::jit::load(model_path("on_cpu.pt").string());
  EXPECT_THAT(code_of(module), HasSubstr("value=\"cpu\""));
  rename_devices(module, at::Device("cuda:1"));
  EXPECT_THAT(code_of(module), HasSubstr("value=\"cuda:1\""));
  EXPECT_THAT(code_of(module), Not(HasSubstr("value=\"cpu\"")));
  rename_devices(module, at::kCPU);
  EXPECT_THAT(code_of(module), Not(HasSubstr("cuda")));
}

TEST(ErmModelPlacement, TheCpuStaysWhereItIsNamedBesideCuda) {
  auto module = torch::jit::Module("model");
  module.define(R"(
def forward(self, x):
    return torch.ones([1], device=torch.device("cpu")) + x.to(torch.device("cuda:0")).cpu()
)");
  rename_devices(module, at::Device("cuda:1"));
  EXPECT_THAT(code_of(module), HasSubstr("value=\"cpu\""));
  EXPECT_THAT(code_of(module), HasSubstr("value=\"cuda:1\""));
}

TEST(ErmModelPlacement, AModelTracedOnTheCpuRunsOnCuda) {
  if (!at::hasCUDA()) GTEST_SKIP() << "there is no CUDA device";
  const auto expected = testing_support::expected_of("on_cpu");
  for (const char* name : {"on_cpu.pt", "frozen.pt"}) ErmModel::load(model_path(name), at::kCUDA);
  const auto model = ErmModel::load(model_path("on_cpu.pt"), at::kCUDA);
  EXPECT_TRUE(at::allclose(model.features(expected.inputs).cpu(), expected.features, 1e-3, 1e-4));
}

}  // namespace
}  // namespace neurontune
