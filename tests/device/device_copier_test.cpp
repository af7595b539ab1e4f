#include "device/device_copier.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "on_device.h"

namespace neurontune {
namespace {

class DeviceCopierOnDevice : public OnDevice {};

TEST_P(DeviceCopierOnDevice, EveryCopyHoldsWhatItsTensorHeld) {
  const DeviceCopier copier(device());
  auto sum = there(at::zeros({1000}));
  for (int round = 0; round < 20; ++round) {
    const auto copies =
        copier.copy({at::full({1000}, round, at::kFloat), at::ones({2}, at::kLong)});
    copier.take_over(copies);
    ASSERT_EQ(copies.size(), 2u);
    EXPECT_EQ(copies[0].device(), device());
    EXPECT_EQ(copies[1].scalar_type(), at::kLong);
    sum.add_(copies[0]);
  }
  EXPECT_TRUE(sum.cpu().equal(at::full({1000}, 190.0)));
}

NEURONTUNE_ON_EVERY_DEVICE(DeviceCopierOnDevice);

}  // namespace
}  // namespace neurontune
