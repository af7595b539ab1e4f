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

/// The head after an epoch of a problem's retrainer, on so many threads.
template <typename Problem>
auto head_after_an_epoch(const Problem& problem, int threads) {
  return with_threads(threads, [&] {
    auto retrainer = problem.retrainer();
    retrainer.run_epoch();
    return retrainer.head();
  });
}

}  // namespace neurontune
