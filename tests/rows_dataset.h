#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "neurontune/base/error.h"
#include "neurontune/data/dataset.h"

namespace neurontune {

/// Rows of numbers in memory as a data set of two classes. Tests set what they are about.
class RowsDataset : public Dataset {
 public:
  explicit RowsDataset(at::Tensor numbers)
      : rows(std::move(numbers)), row_labels(at::arange(rows.size(0)).remainder(2)) {}

  at::Tensor rows;                 ///< [N, …]: the one input
  at::Tensor row_labels;           ///< int64 [N]
  at::Tensor row_attributes;       ///< int64 [N], or undefined
  std::set<int64_t> unreadable;    ///< rows that cannot be read
  std::string made_from = "rows";  ///< the fingerprint

  int64_t size() const override { return rows.size(0); }
  at::Tensor labels() const override { return row_labels; }
  at::Tensor attributes() const override { return row_attributes; }
  std::vector<std::string> ids() const override {
    std::vector<std::string> names;
    for (int64_t row = 0; row < size(); ++row) names.push_back("file " + std::to_string(row));
    return names;
  }
  std::vector<std::string> input_names() const override { return {"inputs"}; }
  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override {
    const auto bad = unreadable.lower_bound(first);
    if (bad != unreadable.end() && *bad < last)
      throw Error("row " + std::to_string(*bad) + " cannot be read");
    return {rows.slice(0, first, last)};
  }
  std::string fingerprint() const override { return made_from; }
};

/// Two inputs a sample: a row, and its negative.
class TwoInputs : public RowsDataset {
 public:
  using RowsDataset::RowsDataset;
  std::vector<std::string> input_names() const override { return {"inputs", "negative"}; }
  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override {
    const auto read = RowsDataset::batch(first, last).at(0);
    return {read, -read};
  }
};

/// N rows of so many numbers, 0, 1, 2, …
inline at::Tensor counted_rows(int64_t count, int64_t width) {
  return at::arange(count * width, at::kFloat).view({count, width});
}

}  // namespace neurontune
