#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/data/embeddings.h"

namespace neurontune {

/// What a linear head predicts, sample by sample in double precision.
inline std::vector<int64_t> straight_predictions(const Head& head, const at::Tensor& embeddings) {
  const auto weight = head.weight.cpu().to(at::kDouble).contiguous();
  const auto bias = head.bias.defined() ? head.bias.cpu().to(at::kDouble).contiguous()
                                        : at::zeros({weight.size(0)}, at::kDouble);
  const auto values = embeddings.cpu().to(at::kDouble).contiguous();
  const int64_t dimensions = values.size(1);
  std::vector<int64_t> predicted;
  for (int64_t row = 0; row < values.size(0); ++row) {
    int64_t best = 0;
    double highest = 0;
    for (int64_t label = 0; label < weight.size(0); ++label) {
      double logit = bias.const_data_ptr<double>()[label];
      for (int64_t i = 0; i < dimensions; ++i)
        logit += weight.const_data_ptr<double>()[label * dimensions + i] *
                 values.const_data_ptr<double>()[row * dimensions + i];
      if (label == 0 || logit > highest) {
        best = label;
        highest = logit;
      }
    }
    predicted.push_back(best);
  }
  return predicted;
}

/// Correct samples and all samples.
struct StraightShare {
  int64_t correct = 0, samples = 0;
  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(samples); }
};

/// A head's accuracy on a split, counted sample by sample.
struct StraightAccuracy {
  StraightShare all;
  std::map<int64_t, StraightShare> classes;
  std::map<std::pair<int64_t, int64_t>, StraightShare> groups;  ///< by label and known attribute

  double worst_class() const { return worst(classes); }
  double worst_group() const { return worst(groups); }

 private:
  template <typename Shares>
  static double worst(const Shares& shares) {
    double lowest = 1;
    for (const auto& [cell, share] : shares) lowest = std::min(lowest, share.accuracy());
    return lowest;
  }
};

inline StraightAccuracy straight_accuracy(const Head& head, const EmbeddingSplit& split) {
  StraightAccuracy accuracy;
  const auto predicted = straight_predictions(head, split.embeddings);
  const auto add = [](StraightShare& share, bool correct) {
    share.correct += correct ? 1 : 0;
    ++share.samples;
  };
  for (std::size_t row = 0; row < predicted.size(); ++row) {
    const auto place = static_cast<int64_t>(row);
    const auto label = split.labels[place].item<int64_t>();
    const bool correct = predicted[row] == label;
    add(accuracy.all, correct);
    add(accuracy.classes[label], correct);
    if (!split.attributes.defined()) continue;
    const auto attribute = split.attributes[place].item<int64_t>();
    if (attribute >= 0) add(accuracy.groups[{label, attribute}], correct);
  }
  return accuracy;
}

}  // namespace neurontune
