#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

#include "neurontune/export.h"
#include "neurontune/metrics/class_predictions.h"

namespace neurontune {

inline constexpr std::string_view kPredictionsHeader =
    "id,label,attribute,prediction,probability\n";

/// A row a sample: numbers of classes and attributes, the attribute empty where it is not known;
/// the probability of the predicted class. Bytes of an id that are not UTF-8 are escaped.
///
/// @param ids        N
/// @param labels     int64 [N]
/// @param attributes int64 [N], −1 where not known; or undefined
/// @throws Error if the counts disagree
NEURONTUNE_EXPORT std::string predictions_csv(const std::vector<std::string>& ids,
                                              const at::Tensor& labels,
                                              const at::Tensor& attributes,
                                              const ClassPredictions& predictions);

}  // namespace neurontune
