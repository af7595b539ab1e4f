#pragma once

#include <ATen/Parallel.h>

namespace neurontune {

/// What `work` returns when ATen may use `threads` threads.
template <typename Work>
auto with_threads(int threads, Work work) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  auto result = work();
  at::set_num_threads(before);
  return result;
}

}  // namespace neurontune
