// Stops a repair that takes too long, from its progress callback, and keeps the head as it was.
//
// usage: stop_early SECONDS

#include <ATen/ATen.h>
#include <neurontune/repair/repair.h>
#include <neurontune/report/conclusion.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

/// What the callback throws: any type but neurontune::Error.
struct OutOfTime {};

/// Random embeddings of two classes. Dimension 0 tells them apart; dimension 1 does so more
/// clearly, but agrees with the label in 95 % of the samples only.
neurontune::LabelledEmbeddings draw_split(int64_t samples) {
  const at::Tensor labels = at::rand({samples}).lt(0.5).to(at::kLong);
  const at::Tensor agrees = at::rand({samples}).lt(0.95);
  const at::Tensor sign = 2.0 * labels - 1.0;
  at::Tensor embeddings = at::randn({samples, 32});
  embeddings.select(1, 0).add_(sign);
  embeddings.select(1, 1).add_(4.0 * at::where(agrees, sign, -sign));
  return {embeddings, labels};
}

}  // namespace

int main(int count, char** arguments) {
  at::manual_seed(0);
  const double allowed = count == 2 ? std::atof(arguments[1]) : 60;
  const auto held_out = draw_split(4000), tuning = draw_split(20000);
  const at::Tensor weight = at::randn({2, 32}).mul(0.01);
  weight.select(1, 1).copy_(at::arange(-1, 2, 2));  // it looks at dimension 1
  neurontune::Head head{weight, {}};

  const auto start = std::chrono::steady_clock::now();
  const neurontune::ProgressFn progress = [&](std::string_view stage, int64_t done, int64_t total) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    std::printf("%s %ld of %ld, %.1f s\n", std::string(stage).c_str(), static_cast<long>(done),
                static_cast<long>(total), elapsed.count());
    if (elapsed.count() > allowed) throw OutOfTime();
  };

  try {
    const auto repaired = neurontune::repair(held_out, tuning, head, {}, progress);
    head = repaired.head;
    std::printf("%s\n", neurontune::conclusion(repaired).c_str());
  } catch (const OutOfTime&) {
    std::printf("Stopped after %.1f s: the head stays as it was.\n", allowed);
  }
}
