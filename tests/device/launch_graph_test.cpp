#include "device/launch_graph.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "on_device.h"

namespace neurontune {
namespace {

class LaunchGraphOnDevice : public OnDevice {};

TEST_P(LaunchGraphOnDevice, DoesTheWorkEachTimeAndOnCudaCallsItTwice) {
  const auto sum = there(at::zeros({3})), step = there(at::ones({3}));
  LaunchGraph graph(device());
  int calls = 0;
  for (int run = 1; run <= 5; ++run) {
    step.fill_(run);  // what lies in the same memory may change
    graph.run([&] {
      ++calls;
      sum.add_(step * 2);
    });
  }
  EXPECT_TRUE(sum.cpu().equal(at::full({3}, 30.0)));
  EXPECT_EQ(calls, device().is_cuda() ? 2 : 5);
}

TEST_P(LaunchGraphOnDevice, WorkThatFailsCanBeTriedAgain) {
  const auto sum = there(at::zeros({1}));
  LaunchGraph graph(device());
  const auto run = [&](bool fail) {
    graph.run([&] {
      sum.add_(1);
      if (fail) throw std::runtime_error("failed");
    });
  };
  run(false);
  EXPECT_THROW(run(true), std::runtime_error);
  const auto before = sum.item<float>();
  run(false);
  EXPECT_EQ(sum.item<float>(), before + 1);
}

NEURONTUNE_ON_EVERY_DEVICE(LaunchGraphOnDevice);

}  // namespace
}  // namespace neurontune
