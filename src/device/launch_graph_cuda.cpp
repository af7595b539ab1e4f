#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <optional>

#include "device/launch_graph.h"

namespace neurontune {

class LaunchGraph::Recording {
 public:
  explicit Recording(at::Device device)
      : device_(device),
        stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())) {}

  void run(const std::function<void()>& work) {
    // What the work reads may still be on its way on the caller's stream.
    c10::cuda::getCurrentCUDAStream(device_.index()).synchronize();
    {
      const c10::cuda::CUDAStreamGuard on_stream(stream_);
      if (called_once_ && !graph_) record(work);
      if (graph_)
        graph_->replay();
      else
        work();
      called_once_ = true;
    }
    stream_.synchronize();
  }

 private:
  void record(const std::function<void()>& work) {
    auto graph = std::make_unique<at::cuda::CUDAGraph>();
    graph->capture_begin(/*pool=*/{0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      end_abandoned(*graph);
      throw;
    }
    graph->capture_end();
    graph_ = std::move(graph);
  }

  /// A stream must not stay in recording, and a recording that failed fails once more as it ends.
  static void end_abandoned(at::cuda::CUDAGraph& graph) {
    try {
      graph.capture_end();
    } catch (const c10::Error&) {  // NOLINT(bugprone-empty-catch): the first failure is told
    }
  }

  at::Device device_;
  c10::cuda::CUDAStream stream_;
  bool called_once_ = false;
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
};

LaunchGraph::LaunchGraph(at::Device device)
    : recording_(device.is_cuda() ? std::make_unique<Recording>(device) : nullptr) {}

LaunchGraph::~LaunchGraph() = default;

void LaunchGraph::run(const std::function<void()>& work) {
  if (recording_)
    recording_->run(work);
  else
    work();
}

}  // namespace neurontune
