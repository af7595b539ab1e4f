#include "numerics/fixed_blocks.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>

/// MKL's own, of LibTorch where it has MKL; sets this thread's limit and returns the last one.
extern "C" int MKL_Set_Num_Threads_Local(int threads) __attribute__((weak));

namespace neurontune {
namespace {

/// Keeps MKL on this thread while it lives. Inside a parallel region it would run on one thread in
/// any case, but some of it (factorisations) is cut into pieces for as many as there could be, so
/// that the last bits would depend on them.
class OneMklThread {
 public:
  OneMklThread()
      : before_(MKL_Set_Num_Threads_Local != nullptr ? MKL_Set_Num_Threads_Local(1) : 0) {}
  OneMklThread(const OneMklThread&) = delete;
  OneMklThread& operator=(const OneMklThread&) = delete;
  ~OneMklThread() {
    if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(before_);
  }

 private:
  int before_;
};

/// About 0.2 ms of one core: twenty times what it takes to wake up another and wait for it.
constexpr int64_t kOperationsWorthAThread = int64_t{1} << 21;
constexpr int64_t kRowsOnDevice = 8192;

}  // namespace

FewThreads::FewThreads(int64_t operations) : threads_before_(at::get_num_threads()) {
  // Not at::set_num_threads, which sets MKL's limit for all threads of the host program: OpenMP's
  // is this thread's own.
  if (operations < kOperationsWorthAThread && threads_before_ > 1) omp_set_num_threads(1);
}

FewThreads::~FewThreads() {
  if (at::get_num_threads() != threads_before_) omp_set_num_threads(threads_before_);
}

int64_t rows_at_once(at::Device device, int64_t in_cache) {
  return device.is_cpu() ? in_cache : std::max(in_cache, kRowsOnDevice);
}

void on_one_thread(at::Device device, const std::function<void()>& work) {
  for_fixed_blocks(device, 1, 1, [&](int64_t, int64_t) { work(); });
}

void for_fixed_blocks(at::Device device, int64_t total, int64_t block_size,
                      const std::function<void(int64_t, int64_t)>& work) {
  if (total == 0) return;
  if (!device.is_cpu()) {
    work(0, total);
    return;
  }
  // With a single block at::parallel_for would call `work` outside a parallel region, where a
  // matrix product takes all threads and sums in an order that depends on them. Two blocks, the
  // second one perhaps empty, always open a region.
  const int64_t blocks = std::max<int64_t>(2, (total + block_size - 1) / block_size);
  const int64_t size = (total + blocks - 1) / blocks;
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    const OneMklThread one;
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = std::min(total, block * size);
      const int64_t last = std::min(total, first + size);
      if (first < last) work(first, last);
    }
  });
}

}  // namespace neurontune
