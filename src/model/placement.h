#pragma once

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

namespace neurontune {

/// Puts a device in the place of those that a module's code names. The CPU stays where the code
/// names it beside a CUDA device, since that was then meant.
/// @return whether there were any
bool rename_devices(torch::jit::Module& module, at::Device device);

/// Moves a module to a device as if it had been exported there: its tensors, the constants in its
/// code, and the devices that its code names (tracing bakes them in).
/// @param module on the CPU
/// @return whether anything has changed
bool place(torch::jit::Module& module, at::Device device);

}  // namespace neurontune
