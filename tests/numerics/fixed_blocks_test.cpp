#include "numerics/fixed_blocks.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "thread_count.h"

/// MKL's own, of LibTorch where it has MKL.
extern "C" int MKL_Get_Max_Threads() __attribute__((weak));

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

TEST(FixedBlocks, FactorisationsHaveTheSameBitsOnAnyNumberOfThreads) {
  auto random = at::detail::createCPUGenerator(1);
  const auto data = at::randn({600, 300}, random, at::kDouble);
  const at::Tensor matrix = data.t().mm(data) / 600;
  const auto inverse = [&](int threads) {
    return with_threads(threads, [&] {
      at::Tensor result;
      on_one_thread(at::kCPU, [&] { result = at::cholesky_inverse(at::linalg_cholesky(matrix)); });
      return result;
    });
  };
  const auto one = inverse(1);
  EXPECT_TRUE(one.equal(inverse(2)));
  EXPECT_TRUE(one.equal(inverse(4)));
}

/// Threads that MKL may take on another thread of the program; 1 where there is no MKL.
int mkl_threads_elsewhere() {
  int threads = 1;
  std::thread([&] {
    if (MKL_Get_Max_Threads != nullptr) threads = MKL_Get_Max_Threads();
  }).join();
  return threads;
}

TEST(FewThreads, KeepThisThreadsWorkOnItself) {
  with_threads(2, [] {
    {
      const FewThreads few(1);
      EXPECT_EQ(at::get_num_threads(), 1);
    }
    EXPECT_EQ(at::get_num_threads(), 2);
    const FewThreads many(int64_t{1} << 40);
    EXPECT_EQ(at::get_num_threads(), 2);
    return 0;
  });
}

TEST(FewThreads, LeaveTheProgramsOtherThreadsAlone) {
  with_threads(2, [] {
    const int before = mkl_threads_elsewhere();
    const FewThreads few(1);
    EXPECT_EQ(mkl_threads_elsewhere(), before);
    return 0;
  });
}

}  // namespace
}  // namespace neurontune
