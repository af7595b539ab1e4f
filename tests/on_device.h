#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"

namespace neurontune {

/// What holds on every device. A test file derives a fixture of its own, and lists the devices with
/// NEURONTUNE_ON_EVERY_DEVICE(Fixture); CUDA's tests skip where there is none. What is expected is
/// the same on every device, and comes from no run of the library: from a straight version in the
/// test, or from the cases of tests/oracle (fixtures called …OracleOnDevice).
class OnDevice : public testing::TestWithParam<at::DeviceType> {
 protected:
  void SetUp() override {
    if (GetParam() == at::kCUDA && !at::hasCUDA()) GTEST_SKIP() << "there is no CUDA device";
  }

  static at::Device device() {
    return GetParam() == at::kCUDA ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  }
  static at::Tensor there(const at::Tensor& tensor) { return tensor.to(device()); }
  static LabelledEmbeddings there(const LabelledEmbeddings& data) {
    return {there(data.embeddings), there(data.labels)};
  }
  static Head there(const Head& head) { return to(head, device(), head.weight.scalar_type()); }
};

inline std::string device_name(const testing::TestParamInfo<at::DeviceType>& info) {
  return info.param == at::kCUDA ? "cuda" : "cpu";
}

#define NEURONTUNE_ON_EVERY_DEVICE(Fixture) \
  INSTANTIATE_TEST_SUITE_P(Devices, Fixture, testing::Values(at::kCPU, at::kCUDA), device_name)

}  // namespace neurontune
