#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace neurontune {

/// Rows of a block of products with many rows: enough for a product to be fast, few enough that
/// every thread gets blocks.
inline constexpr int64_t kRowsPerBlock = 1024;

/// Calls `work(first, last)` on consecutive blocks that cover 0…total−1, in parallel on the CPU and
/// as one block elsewhere.
///
/// The blocks depend on `total` and `block_size` alone, and each runs on one thread, matrix
/// products and factorisations included: what a block computes has the same bits whatever the
/// number of threads. Those of products also hang on where their operands lie; see aligned_rows.h.
///
/// @param block_size at least 1; a smaller one is taken where there would be only one block
void for_fixed_blocks(at::Device device, int64_t total, int64_t block_size,
                      const std::function<void(int64_t first, int64_t last)>& work);

/// How many rows to work on at once: those that stay in a core's cache on the CPU, thousands
/// elsewhere, where each time costs launches.
/// @param in_cache rows of the CPU's
int64_t rows_at_once(at::Device device, int64_t in_cache);

/// Runs `work` on one thread on the CPU, so that its sums do not depend on how many there are.
void on_one_thread(at::Device device, const std::function<void()>& work);

/// Keeps this thread's work on itself while it lives, where there is so little of it that threads
/// would wait for each other longer than they work. The bits stay what they are with more, and so
/// does the number of threads of the host program's other threads.
class FewThreads {
 public:
  /// @param operations about as many multiplications as a step has between two waits
  explicit FewThreads(int64_t operations);
  FewThreads(const FewThreads&) = delete;
  FewThreads& operator=(const FewThreads&) = delete;
  ~FewThreads();

 private:
  int threads_before_;
};

}  // namespace neurontune
