#include "device/device_copier.h"

#include <ATen/ATen.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace neurontune {

using c10::impl::VirtualGuardImpl;

DeviceCopier::DeviceCopier(at::Device device) : device_(device) {
  if (!device.is_cpu()) stream_ = VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

std::vector<at::Tensor> DeviceCopier::copy(const std::vector<at::Tensor>& tensors) const {
  if (!stream_) return tensors;
  const c10::StreamGuard on_stream(*stream_);
  std::vector<at::Tensor> pinned, copies;
  for (const auto& tensor : tensors) {
    pinned.push_back(tensor.pin_memory());
    copies.push_back(pinned.back().to(device_, tensor.scalar_type(), /*non_blocking=*/true));
  }
  stream_->synchronize();
  return copies;
}

void DeviceCopier::take_over(const std::vector<at::Tensor>& tensors) const {
  if (!stream_) return;
  const auto current = VirtualGuardImpl(device_.type()).getStream(device_);
  for (const auto& tensor : tensors) tensor.record_stream(current);
}

}  // namespace neurontune
