#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace neurontune {

/// Work that is done again and again with the same operations on the same memory: on CUDA it is
/// recorded once, as a CUDA graph, and launched as a whole from then on, so that the CPU's time for
/// each of its many small operations does not count. On other devices it is just called.
class LaunchGraph {
 public:
  explicit LaunchGraph(at::Device device);
  LaunchGraph(const LaunchGraph&) = delete;
  LaunchGraph& operator=(const LaunchGraph&) = delete;
  ~LaunchGraph();

  /// Does the work on the calling thread, which is to be the same every time, and waits for it. The
  /// first time it is called as it is, which also makes what libraries make when they are first
  /// used; the second time it is recorded; from then on `work` is not called at all.
  ///
  /// @param work  the same every time; does not wait for the device in between
  /// @throws what `work` throws; then nothing is recorded
  void run(const std::function<void()>& work);

 private:
  class Recording;
  std::unique_ptr<Recording> recording_;  ///< none where the device has no graphs
};

}  // namespace neurontune
