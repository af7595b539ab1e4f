#include "baselines/probe_set.h"

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "base/describe.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// Positions in ascending order of the values; of equals the first.
at::Tensor ascending(const at::Tensor& values) {
  return values.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/false);
}

/// Those `kept` of the rows whose entropy is lowest.
at::Tensor surest(const at::Tensor& rows, const at::Tensor& entropy, int64_t kept) {
  return rows.index_select(0, ascending(entropy.index_select(0, rows)).slice(0, 0, kept));
}

RowsByClass by_class(const std::vector<at::Tensor>& rows_of_class) {
  std::vector<int64_t> first, count;
  int64_t total = 0;
  for (const auto& rows : rows_of_class) {
    first.push_back(total);
    count.push_back(rows.numel());
    total += rows.numel();
  }
  return {at::cat(rows_of_class), at::tensor(first, at::kLong), at::tensor(count, at::kLong)};
}

}  // namespace

at::Tensor RowsByClass::pick(const at::Tensor& classes, const at::Tensor& uniform) const {
  const auto flat = classes.flatten();
  const auto rank = (uniform.flatten() * count.index_select(0, flat)).floor().to(at::kLong);
  return rows.index_select(0, first.index_select(0, flat) + rank).view(classes.sizes());
}

ProbeSet probe_set(const at::Tensor& logits, const at::Tensor& labels, double share) {
  const auto log_softmax = logits.log_softmax(1).cpu();
  const auto host_labels = labels.cpu();
  const auto losses = log_softmax.gather(1, host_labels.unsqueeze(1)).squeeze(1).neg();
  const auto entropy = (log_softmax.exp() * log_softmax).sum(1).neg();

  std::vector<at::Tensor> cor, mis;
  for (int64_t label = 0; label < logits.size(1); ++label) {
    const auto of_class = host_labels.eq(label).nonzero().squeeze(1);
    const int64_t samples = of_class.numel(), half = samples / 2;
    const auto kept = static_cast<int64_t>(static_cast<double>(samples) * share);
    if (kept == 0)
      throw Error("the probe split has " + std::to_string(samples) + " samples of class " +
                  std::to_string(label) + ", of which probe_share " + describe(share) +
                  " keeps none; give a larger split or share");
    const auto by_loss = of_class.index_select(0, ascending(losses.index_select(0, of_class)));
    cor.push_back(surest(by_loss.slice(0, 0, half), entropy, kept));
    mis.push_back(surest(by_loss.slice(0, samples - half), entropy, kept));
  }
  return {by_class(cor), by_class(mis)};
}

}  // namespace neurontune
