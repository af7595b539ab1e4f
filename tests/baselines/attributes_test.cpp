// Of the baselines only the oracle, DFR, takes attributes: the others cannot be given any.

#include <gtest/gtest.h>

#include <type_traits>

#include "neurontune/baselines/afr.h"
#include "neurontune/baselines/dfr.h"
#include "neurontune/baselines/last_layer_retraining.h"
#include "neurontune/baselines/self.h"
#include "neurontune/baselines/shortcut_probe.h"

namespace neurontune {
namespace {

template <typename Split>
constexpr bool afr_takes =
    std::is_invocable_v<decltype(afr), Split, Split, const Head&, const AfrOptions&>;
template <typename Split>
constexpr bool self_takes =
    std::is_invocable_v<decltype(self), Split, Split, const Head&, const SelfOptions&>;
template <typename Split>
constexpr bool shortcut_probe_takes =
    std::is_invocable_v<decltype(shortcut_probe), Split, Split, const Head&,
                        const ShortcutProbeOptions&, const ProgressFn&>;
template <typename Split>
constexpr bool last_layer_retraining_takes =
    std::is_invocable_v<decltype(retrain_last_layer), Split, const Head&, const RetrainingOptions&,
                        uint64_t, const ProgressFn&>;
template <typename Split>
constexpr bool dfr_takes = requires(const Split& split) {
  dfr(split, split, 2, 2, DfrOptions{});
};
template <typename Split>
constexpr bool dfr_refits_on = requires(const Split& split) {
  dfr(split, split, split, 2, 2, DfrOptions{});
};

TEST(Baselines, OnlyDfrTakesAttributes) {
  EXPECT_TRUE(afr_takes<LabelledEmbeddings> && !afr_takes<GroupedEmbeddings>);
  EXPECT_TRUE(self_takes<LabelledEmbeddings> && !self_takes<GroupedEmbeddings>);
  EXPECT_TRUE(shortcut_probe_takes<LabelledEmbeddings> && !shortcut_probe_takes<GroupedEmbeddings>);
  EXPECT_TRUE(last_layer_retraining_takes<LabelledEmbeddings> &&
              !last_layer_retraining_takes<GroupedEmbeddings>);
  EXPECT_TRUE(dfr_takes<GroupedEmbeddings> && !dfr_takes<LabelledEmbeddings>);
  EXPECT_TRUE(dfr_refits_on<GroupedEmbeddings> && !dfr_refits_on<LabelledEmbeddings>);
}

}  // namespace
}  // namespace neurontune
