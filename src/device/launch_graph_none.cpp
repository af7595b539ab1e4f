#include "device/launch_graph.h"

// Of a LibTorch without CUDA.

namespace neurontune {

class LaunchGraph::Recording {};

LaunchGraph::LaunchGraph(at::Device) {}

LaunchGraph::~LaunchGraph() = default;

void LaunchGraph::run(const std::function<void()>& work) { work(); }

}  // namespace neurontune
