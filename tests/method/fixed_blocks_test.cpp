#include "method/fixed_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "thread_count.h"

namespace neurontune {
namespace {

using Blocks = std::set<std::pair<int64_t, int64_t>>;

Blocks blocks_of(int64_t total, int64_t block_size, int threads) {
  return with_threads(threads, [&] {
    std::mutex mutex;
    Blocks blocks;
    for_fixed_blocks(at::kCPU, total, block_size, [&](int64_t first, int64_t last) {
      const std::lock_guard lock(mutex);
      blocks.emplace(first, last);
    });
    return blocks;
  });
}

TEST(FixedBlocks, CoverEverythingOnceWhateverTheNumberOfThreads) {
  for (const int64_t total : {1, 2, 31, 64, 1000}) {
    const auto blocks = blocks_of(total, 32, 1);
    int64_t next = 0;
    for (const auto& [first, last] : blocks) {
      EXPECT_EQ(first, next);
      next = last;
    }
    EXPECT_EQ(next, total);
    EXPECT_EQ(blocks_of(total, 32, 2), blocks);
  }
}

TEST(FixedBlocks, RunOnSeveralThreads) {
  const auto threads = with_threads(2, [] {
    std::mutex mutex;
    std::set<std::thread::id> ids;
    for_fixed_blocks(at::kCPU, 64, 1, [&](int64_t, int64_t) {
      const std::lock_guard lock(mutex);
      ids.insert(std::this_thread::get_id());
    });
    return ids;
  });
  EXPECT_EQ(threads.size(), 2U);
}

}  // namespace
}  // namespace neurontune
