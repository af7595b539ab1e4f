#pragma once

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

namespace neurontune {

/// Moves a module to a device as if it had been exported there: its tensors, the constants in its
/// code, and the devices that its code names (tracing bakes them in). The CPU stays where the code
/// names it beside a CUDA device, since that was then meant.
void place(torch::jit::Module& module, at::Device device);

}  // namespace neurontune
