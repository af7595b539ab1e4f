#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/temporary_folder.h"
#include "pipeline/collect_page.h"
#include "tensors.h"

namespace neurontune {

/// Predicts class 1 where the first dimension is over 0, the surer the larger it is.
inline Head by_sign(int64_t dimensions = 1) {
  Head head{at::zeros({2, dimensions}), {}};
  head.weight[1][0] = 1;
  return head;
}

/// Predicts the class whose dimension is the largest; there may be more dimensions than classes.
inline Head by_largest(int64_t classes, int64_t dimensions) {
  return {at::eye(classes, dimensions), {}};
}

/// Scores of classes with so many mistakes and a correct sample each.
inline SpuriousnessScores scores_of(const at::Tensor& scores, std::vector<int64_t> mistakes) {
  const auto unknown = at::full_like(scores, std::numeric_limits<float>::quiet_NaN());
  return {scores, unknown, unknown, std::vector<int64_t>(mistakes.size(), 1), std::move(mistakes)};
}

inline BiasedDimensions flags_of(const at::Tensor& flagged) {
  return {flagged.to(at::kBool), flagged.eq(0).to(at::kFloat)};
}

inline std::vector<std::string> row_names(const std::vector<int64_t>& rows) {
  std::vector<std::string> names;
  for (const auto row : rows) names.push_back("row " + std::to_string(row));
  return names;
}

/// The rows first, first − 1, …, last.
inline std::vector<int64_t> down(int64_t first, int64_t last) {
  std::vector<int64_t> rows;
  for (int64_t row = first; row >= last; --row) rows.push_back(row);
  return rows;
}

inline std::vector<std::string> ids_of(const std::vector<PageData::Sample>& samples) {
  std::vector<std::string> ids;
  for (const auto& sample : samples) ids.push_back(sample.id);
  return ids;
}

/// A run whose results a test writes by hand.
class PageOfRunTest : public TemporaryFolderTest {
 protected:
  /// Makes val, the identification split.
  void hold_out(const at::Tensor& embeddings, const std::vector<int64_t>& labels,
                const std::vector<int64_t>& attributes = {}) {
    splits["val"] = {
        embeddings, longs(labels), attributes.empty() ? at::Tensor() : longs(attributes), {}};
  }

  /// As if a shortcut search had inferred groups of some rows.
  void infer(const std::vector<int64_t>& trusted, const at::Tensor& beliefs,
             const at::Tensor& accuracies = {}) {
    repair.emplace();
    repair->shortcut.trusted = longs(trusted);
    repair->shortcut.beliefs = beliefs.to(at::kDouble);
    if (accuracies.defined()) repair->erm.inferred.emplace().accuracy = accuracies;
  }

  PageData collect() {
    if (!tuned.weight.defined()) tuned = erm;
    if (!found.scores.scores.defined())
      found.scores = scores_of(at::zeros_like(erm.weight), std::vector<int64_t>(erm.classes()));
    RunReport report;
    found.head = tuned;
    report.result.result = found;
    if (repair) {
      repair->head = tuned;
      repair->neurontune = found;
      report.result.result = *repair;
    }
    for (const auto& [name, split] : splits) report.tuned[name] = {};
    return collect_page(config, EmbeddingFolder::of_tensors(splits, erm, names), report, source);
  }

  Config config;
  std::map<std::string, EmbeddingSplit> splits;
  Names names;
  Head erm = by_sign(), tuned;
  NeuronTuneResult found;
  std::optional<RepairResult> repair;
  PageSource source;
};

}  // namespace neurontune
