#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "neurontune/baselines/grouped_embeddings.h"
#include "neurontune/core/head.h"
#include "neurontune/core/labelled_embeddings.h"
#include "neurontune/data/embeddings.h"

namespace neurontune {

/// What methods are given: the splits of a folder, on the device that it was moved to, each part
/// taken once.
class ComparisonData {
 public:
  /// @param folder must outlive this object
  /// @param device where its embeddings are
  ComparisonData(const EmbeddingFolder& folder, at::Device device)
      : folder_(folder), erm_(to(folder.head(), device, at::kFloat)) {}

  const EmbeddingFolder& folder() const { return folder_; }
  const Head& erm() const { return erm_; }

  /// A split, or a part of it: "val", "val:1/2".
  /// @throws Error if there is none of that name
  const LabelledEmbeddings& labelled(const std::string& selector);

  /// The attributes of its samples; undefined where it has none.
  const at::Tensor& attributes(const std::string& selector) {
    return on_device(selector).attributes;
  }

  /// The same with its attributes, of the samples whose attribute is known.
  /// @param warnings gets a sentence where that is not all
  /// @throws Error naming the split if it has none
  GroupedEmbeddings grouped(const std::string& selector, std::vector<std::string>& warnings);

 private:
  struct OnDevice {
    LabelledEmbeddings data;
    at::Tensor attributes;  ///< undefined where the split has none
  };
  const OnDevice& on_device(const std::string& selector);

  const EmbeddingFolder& folder_;
  Head erm_;
  std::map<std::string, OnDevice> splits_;
};

/// @throws OptionError if there are none, or more than anyone waits for
void check_seeds(int64_t seeds);

}  // namespace neurontune
