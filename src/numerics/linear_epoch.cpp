#include "numerics/linear_epoch.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "numerics/row_kernels.h"
#include "numerics/wide_registers.h"

namespace neurontune {
namespace {

constexpr int64_t kColumnsPerBlock = 256;
/// Under this many multiplications a batch threads would wait longer than they work.
constexpr int64_t kBatchWorthAThread = int64_t{1} << 17;
/// After so many it is seen whether threads were worth it.
constexpr int64_t kBatchesAtOnce = 16;

/// How many threads share a batch: where other processes keep the cores busy, a thread that is
/// waited for may not even be running, and one alone is many times faster. Not for the bits, which
/// are the same with any number.
class Sharing {
 public:
  int threads(int most) {
    if (alone_for_ == 0) return most;
    --alone_for_;
    return 1;
  }

  /// @param waited of all the time, the share that some thread waited for others to come
  void learn(double waited) {
    if (waited > kTooLong) alone_for_ = kAloneFor;
  }

 private:
  static constexpr double kTooLong = 0.6;
  static constexpr int kAloneFor = 100;  ///< a second or so, of 16 batches of CelebA's size each

  int alone_for_ = 0;
};

/// Where threads wait for each other for a microsecond or two: they keep looking, and only after a
/// while let others run.
class SpinBarrier {
 public:
  explicit SpinBarrier(int threads) : threads_(threads) {}

  void wait() {
    const int round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (int look = 0; round_.load(std::memory_order_acquire) == round; ++look)
      if (look > kLooks) std::this_thread::yield();
  }

 private:
  static constexpr int kLooks = 10000;
  const int threads_;
  std::atomic<int> arrived_{0}, round_{0};
};

/// Raw views of what an epoch works on.
template <typename Stored, typename Real>
struct Epoch {
  const Stored* inputs;
  int64_t row_stride, columns, classes, batch_size, batches, mask_stride;
  const int64_t *labels, *rows;
  const Real* mask;  ///< or null
  Real *weight, *velocity, *bias, *bias_velocity, *losses;
  Sgd<Real> sgd;
};

/// The part of an epoch that one thread does: some blocks of columns, and, as every thread, the
/// softmax and the bias.
template <typename Stored, typename Real>
class Worker {
 public:
  /// @param partials [2, blocks, B, C]: the blocks' shares of the logits, of every other batch
  Worker(const Epoch<Stored, Real>& epoch, int64_t first_block, int64_t last_block, int64_t blocks,
         bool leads, Real* partials)
      : epoch_(epoch),
        first_block_(first_block),
        last_block_(last_block),
        blocks_(blocks),
        leads_(leads),
        partials_(partials),
        residuals_(epoch.batch_size * epoch.classes),
        rows_(epoch.batch_size),
        gradient_(kColumnsPerBlock),
        masked_(epoch.mask ? epoch.classes * width() : 0),
        converted_(kConverts ? epoch.batch_size * width() : 0),
        bias_(epoch.classes),
        bias_velocity_(epoch.classes) {
    if (epoch.bias) {
      std::copy_n(epoch.bias, epoch.classes, bias_.data());
      std::copy_n(epoch.bias_velocity, epoch.classes, bias_velocity_.data());
    }
  }

  /// This thread's columns.
  int64_t width() const { return begin(last_block_) - first_column(); }

  /// Returns the seconds that it waited for others.
  NEURONTUNE_INLINE double run(SpinBarrier& barrier) {
    using Clock = std::chrono::steady_clock;
    Clock::duration waited{};
    for (int64_t batch = 0; batch < epoch_.batches; ++batch) {
      const int64_t* const rows = epoch_.rows + batch * epoch_.batch_size;
      // A thread may begin the next batch while another still reads this one's.
      Real* const partials = partials_ + batch % 2 * blocks_ * epoch_.batch_size * epoch_.classes;
      add_logits(rows, partials);
      const auto done = Clock::now();
      barrier.wait();
      waited += Clock::now() - done;
      find_residuals(rows, partials, epoch_.losses + batch * epoch_.batch_size);
      descend();
    }
    if (leads_ && epoch_.bias) {
      std::copy_n(bias_.data(), epoch_.classes, epoch_.bias);
      std::copy_n(bias_velocity_.data(), epoch_.classes, epoch_.bias_velocity);
    }
    return std::chrono::duration<double>(waited).count();
  }

 private:
  static constexpr bool kConverts = !std::is_same_v<Stored, Real>;

  int64_t begin(int64_t block) const { return std::min(block * kColumnsPerBlock, epoch_.columns); }
  int64_t first_column() const { return begin(first_block_); }

  /// This thread's columns of a sample.
  NEURONTUNE_INLINE const Real* columns_of(int64_t row, int64_t place) {
    const Stored* const stored = epoch_.inputs + row * epoch_.row_stride + first_column();
    if constexpr (kConverts) {
      Real* const values = converted_.data() + place * width();
      for (int64_t i = 0; i < width(); ++i) values[i] = static_cast<Real>(stored[i]);
      return values;
    } else {
      return stored;
    }
  }

  /// W ∘ m of this thread's columns: [C, stride].
  NEURONTUNE_INLINE const Real* masked_weight(int64_t& stride) {
    const Real* const weight = epoch_.weight + first_column();
    stride = epoch_.columns;
    if (!epoch_.mask) return weight;
    stride = width();
    for (int64_t label = 0; label < epoch_.classes; ++label) {
      const Real* const mask = epoch_.mask + label * epoch_.mask_stride + first_column();
      for (int64_t i = 0; i < width(); ++i)
        masked_[label * stride + i] = weight[label * epoch_.columns + i] * mask[i];
    }
    return masked_.data();
  }

  NEURONTUNE_INLINE void add_logits(const int64_t* rows, Real* partials) {
    int64_t stride = 0;
    const Real* const weight = masked_weight(stride);
    for (int64_t place = 0; place < epoch_.batch_size; ++place) {
      rows_[place] = columns_of(rows[place], place);
      for (int64_t block = first_block_; block < last_block_; ++block) {
        const int64_t offset = begin(block) - first_column();
        Real* const out = partials + (block * epoch_.batch_size + place) * epoch_.classes;
        for (int64_t label = 0; label < epoch_.classes; ++label)
          out[label] = dot(rows_[place] + offset, weight + label * stride + offset,
                           begin(block + 1) - begin(block));
      }
    }
  }

  NEURONTUNE_INLINE void find_residuals(const int64_t* rows, const Real* partials, Real* losses) {
    const int64_t classes = epoch_.classes;
    for (int64_t place = 0; place < epoch_.batch_size; ++place) {
      Real* const residuals = residuals_.data() + place * classes;
      std::copy_n(bias_.data(), classes, residuals);
      for (int64_t block = 0; block < blocks_; ++block)
        for (int64_t label = 0; label < classes; ++label)
          residuals[label] += partials[(block * epoch_.batch_size + place) * classes + label];
      const int64_t own = epoch_.labels[rows[place]];
      const Real largest = *std::max_element(residuals, residuals + classes);
      const Real of_own = residuals[own] - largest;
      Real sum = 0;
      for (int64_t label = 0; label < classes; ++label)
        sum += residuals[label] = std::exp(residuals[label] - largest);
      if (leads_) losses[place] = std::log(sum) - of_own;
      for (int64_t label = 0; label < classes; ++label)
        residuals[label] =
            (residuals[label] / sum - (label == own)) / static_cast<Real>(epoch_.batch_size);
    }
  }

  NEURONTUNE_INLINE void descend() {
    for (int64_t label = 0; label < epoch_.classes; ++label) {
      for (int64_t block = first_block_; block < last_block_; ++block) descend(label, block);
      Real gradient = 0;
      for (int64_t place = 0; place < epoch_.batch_size; ++place)
        gradient += residuals_[place * epoch_.classes + label];
      if (epoch_.bias)
        sgd_steps<Real>(&bias_[label], &bias_velocity_[label], &gradient, nullptr, 1, epoch_.sgd);
    }
  }

  NEURONTUNE_INLINE void descend(int64_t label, int64_t block) {
    const int64_t first = begin(block), count = begin(block + 1) - first;
    std::fill_n(gradient_.data(), count, Real{0});
    const int64_t offset = first - first_column();
    for (auto& row : rows_) row += offset;
    add_rows(rows_.data(), residuals_.data() + label, epoch_.batch_size, epoch_.classes, count,
             gradient_.data());
    for (auto& row : rows_) row -= offset;

    const int64_t place = label * epoch_.columns + first;
    sgd_steps<Real>(epoch_.weight + place, epoch_.velocity + place, gradient_.data(),
                    epoch_.mask ? epoch_.mask + label * epoch_.mask_stride + first : nullptr, count,
                    epoch_.sgd);
  }

  const Epoch<Stored, Real>& epoch_;
  const int64_t first_block_, last_block_, blocks_;
  const bool leads_;  ///< writes what every thread works out
  Real* const partials_;
  std::vector<Real> residuals_;    ///< [B, C]
  std::vector<const Real*> rows_;  ///< [B]: this thread's columns of each sample
  std::vector<Real> gradient_;     ///< of one class, in one block
  std::vector<Real> masked_;       ///< [C, columns]
  std::vector<Real> converted_;    ///< [B, columns]
  std::vector<Real> bias_, bias_velocity_;
};

/// On so many threads. Returns the largest share of the time that one waited for others to come;
/// nothing, with nothing done, where there are not as many threads to be had.
template <typename Stored, typename Real>
std::optional<double> run_on(int threads, const Epoch<Stored, Real>& epoch) {
  const int64_t blocks = (epoch.columns + kColumnsPerBlock - 1) / kColumnsPerBlock;
  std::vector<Real> partials(2 * blocks * epoch.batch_size * epoch.classes);
  std::vector<Worker<Stored, Real>> workers;
  for (int64_t thread = 0; thread < threads; ++thread)
    workers.emplace_back(epoch, blocks * thread / threads, blocks * (thread + 1) / threads, blocks,
                         thread == 0, partials.data());
  int64_t widest = 1;
  for (const auto& worker : workers) widest = std::max(widest, worker.width());
  SpinBarrier barrier(threads);
  std::vector<double> waited(threads);  // seconds
  bool enough = true;
  const auto start = std::chrono::steady_clock::now();
#pragma omp parallel num_threads(threads)
  {
    const int thread = omp_get_thread_num();
    if (omp_get_num_threads() == threads)
      with_wide_registers(
          [&]() NEURONTUNE_INLINE_LAMBDA { waited[thread] = workers[thread].run(barrier); });
    else if (thread == 0)
      enough = false;
  }
  if (!enough) return std::nullopt;
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - start;
  double longest = 0;  // less what a thread with fewer columns waits in any case
  for (int thread = 0; thread < threads; ++thread) {
    const double idle =
        1 - static_cast<double>(workers[thread].width()) / static_cast<double>(widest);
    longest = std::max(longest, waited[thread] / all.count() - idle);
  }
  return longest;
}

/// Some batches of an epoch.
template <typename Stored, typename Real>
Epoch<Stored, Real> part_of(const Epoch<Stored, Real>& epoch, int64_t first, int64_t count) {
  auto part = epoch;
  part.rows += first * epoch.batch_size;
  part.losses += first * epoch.batch_size;
  part.batches = count;
  return part;
}

template <typename Stored, typename Real>
void run(const Epoch<Stored, Real>& epoch) {
  const int64_t work = epoch.batch_size * epoch.columns * epoch.classes;
  const int64_t blocks = (epoch.columns + kColumnsPerBlock - 1) / kColumnsPerBlock;
  const int64_t most = std::min<int64_t>(at::get_num_threads(), blocks);
  const bool alone = work < kBatchWorthAThread || most <= 1 || omp_in_parallel();
  if (alone) {
    run_on(1, epoch);
    return;
  }
  thread_local Sharing sharing;
  for (int64_t first = 0; first < epoch.batches; first += kBatchesAtOnce) {
    const auto part = part_of(epoch, first, std::min(kBatchesAtOnce, epoch.batches - first));
    const int threads = sharing.threads(static_cast<int>(most));
    const auto waited = run_on(threads, part);
    if (!waited) run_on(1, part);
    sharing.learn(waited.value_or(1));
  }
}

template <typename Real>
Real* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.mutable_data_ptr<Real>() : nullptr;
}

template <typename Stored, typename Real>
void run(LinearTraining& head, const at::Tensor& batches, const SgdRates& rates,
         const at::Tensor& losses) {
  Epoch<Stored, Real> epoch;
  epoch.inputs = head.inputs.const_data_ptr<Stored>();
  epoch.columns = head.inputs.size(1);
  epoch.row_stride = epoch.columns > 0 ? head.inputs.stride(0) : 0;  // of no memory at all
  epoch.classes = head.weight.size(0);
  epoch.batches = batches.size(0);
  epoch.batch_size = batches.size(1);
  epoch.labels = head.labels.const_data_ptr<int64_t>();
  epoch.rows = batches.const_data_ptr<int64_t>();
  epoch.mask = data_or_null<Real>(head.mask);
  epoch.mask_stride = epoch.mask && head.mask.size(0) > 1 ? head.mask.stride(0) : 0;
  epoch.weight = head.weight.mutable_data_ptr<Real>();
  epoch.velocity = head.weight_velocity.mutable_data_ptr<Real>();
  epoch.bias = data_or_null<Real>(head.bias);
  epoch.bias_velocity = data_or_null<Real>(head.bias_velocity);
  epoch.losses = losses.mutable_data_ptr<Real>();
  epoch.sgd = {static_cast<Real>(rates.learning_rate), static_cast<Real>(rates.momentum),
               static_cast<Real>(rates.weight_decay)};
  run(epoch);
}

}  // namespace

void run_linear_epoch(LinearTraining& head, const at::Tensor& batches, const SgdRates& rates,
                      const at::Tensor& losses) {
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, head.inputs.scalar_type(), "run_linear_epoch", [&] {
        using Real = std::conditional_t<std::is_same_v<scalar_t, double>, double, float>;
        run<scalar_t, Real>(head, batches, rates, losses);
      });
}

}  // namespace neurontune
