#include "repair/contest.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/stratified_folds.h"
#include "neurontune/repair/bias_shift.h"
#include "worlds.h"

namespace neurontune {
namespace {

struct Problem {
  World held_out = world_with_shortcut(1, 600), tuning = world_with_shortcut(2, 900);
  RepairOptions options;
  ShortcutSearch shortcut;
  NeuronTuneResult neurontune;

  Problem() {
    options.neurontune.tune.epochs = 2;
    options.neurontune.tune.batches_per_epoch = 5;
    shortcut = search_shortcut(held_out.data(), tuning.data(), held_out.erm, options.shortcut);
    auto paper = options.neurontune;
    paper.select.criterion = Criterion::sfit;
    neurontune = neuron_tune(held_out.data(), tuning.data(), held_out.erm, paper);
  }
  Contest contest() const {
    return {held_out.data(), tuning.data(), held_out.erm, options, shortcut, neurontune, {}};
  }
};

std::size_t place_of(const Contest& contest, Source source, FittedTo which) {
  for (std::size_t i = 0; i < contest.judgements().size(); ++i) {
    const auto& of = contest.judgements()[i].candidate.settings;
    if (of.source == source && of.fitted_to == which) return i;
  }
  ADD_FAILURE() << "no candidate of " << name(source) << " on " << name(which);
  return 0;
}

TEST(Contest, JudgesHeadsOnSamplesThatTheyWereNotFittedTo) {
  const Problem problem;
  auto contest = problem.contest();
  contest.run();
  const auto data = problem.held_out.data();
  const auto& fold_of = problem.shortcut.fold_of;
  ASSERT_TRUE(fold_of.defined());
  auto predicted = at::empty_like(data.labels);
  for (int64_t fold = 0; fold < 2; ++fold) {
    const auto head = shift_biases(those(data, fold_of.ne(fold)), problem.held_out.erm);
    predicted = at::where(fold_of.eq(fold), predictions(head, data.embeddings), predicted);
  }
  const auto place = place_of(contest, Source::bias_shift, FittedTo::held_out);
  EXPECT_TRUE(contest.judgements()[place].right.equal(predicted.eq(data.labels).to(at::kDouble)));
}

TEST(Contest, FitsWhatIsPickedToAllOfTheHeldOutData) {
  const Problem problem;
  auto contest = problem.contest();
  contest.run();
  const auto data = problem.held_out.data();
  const auto shifted = contest.fitted(place_of(contest, Source::bias_shift, FittedTo::held_out));
  EXPECT_TRUE(shifted->bias.equal(shift_biases(data, problem.held_out.erm).bias));
  const auto near = contest.fitted(place_of(contest, Source::anchored, FittedTo::held_out));
  EXPECT_TRUE(near->weight.equal(
      anchored_heads(data, problem.held_out.erm, problem.options.anchored).front().weight));
  const auto epoch = contest.fitted(place_of(contest, Source::neurontune, FittedTo::tuning) + 1);
  EXPECT_TRUE(epoch->weight.equal(problem.neurontune.trajectory[1].head.weight));
}

TEST(Contest, ProgressRisesToAllFitsAndAnExceptionEndsThem) {
  const Problem problem;
  std::vector<int64_t> told;
  int64_t fits = 0;
  problem.contest().run([&](std::string_view stage, int64_t done, int64_t total) {
    EXPECT_EQ(stage, "judge");
    told.push_back(done);
    fits = total;
  });
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), fits);
  EXPECT_GT(told.size(), 4U);
  struct Enough {};
  int64_t calls = 0;
  const auto stop = [&](std::string_view, int64_t, int64_t) {
    ++calls;
    throw Enough();
  };
  EXPECT_THROW(problem.contest().run(stop), Enough);
  EXPECT_EQ(calls, 1);
}

TEST(Contest, TheErmHeadIsFirstAndItself) {
  const Problem problem;
  auto contest = problem.contest();
  contest.run();
  const auto& erm = contest.judgements().front();
  EXPECT_EQ(erm.candidate.settings.source, Source::erm);
  const auto right =
      predictions(problem.held_out.erm, problem.held_out.embeddings).eq(problem.held_out.labels);
  EXPECT_TRUE(erm.right.equal(right.to(at::kDouble)));
  EXPECT_TRUE(contest.fitted(0)->weight.equal(problem.held_out.erm.weight));
}

TEST(Contest, AnEpochThatCannotBeFittedToAllOfTheDataIsNone) {
  Problem problem;
  auto contest = problem.contest();
  contest.run();
  problem.neurontune.trajectory.clear();
  const auto place = place_of(contest, Source::neurontune, FittedTo::tuning);
  EXPECT_FALSE(contest.fitted(place).has_value());
}

}  // namespace
}  // namespace neurontune
