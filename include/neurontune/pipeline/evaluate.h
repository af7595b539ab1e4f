#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "neurontune/core/head.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/export.h"
#include "neurontune/metrics/class_predictions.h"
#include "neurontune/metrics/split_metrics.h"

namespace neurontune {

/// The classes, attribute values and training groups of a folder of embeddings, or of a data set.
NEURONTUNE_EXPORT GroupSpace group_space(const EmbeddingFolder& folder);
NEURONTUNE_EXPORT GroupSpace group_space(const DataFolder& data, int64_t classes);

/// A warning where the head has more classes than the labels of all splits, as one has that gives a
/// yes or no for each of several labels; else none.
NEURONTUNE_EXPORT std::vector<std::string> class_warnings(const EmbeddingFolder& folder);
NEURONTUNE_EXPORT std::vector<std::string> class_warnings(const DataFolder& data, int64_t classes);

/// What a head says of a split, computed on the head's device.
NEURONTUNE_EXPORT ClassPredictions class_predictions(const Head& head, const EmbeddingSplit& split);

/// A head's metrics on a split, computed on the head's device.
NEURONTUNE_EXPORT SplitMetrics evaluate(const Head& head, const EmbeddingSplit& split,
                                        const GroupSpace& space);

/// A head's metrics on every split of a folder, computed on the head's device.
NEURONTUNE_EXPORT std::map<std::string, SplitMetrics> evaluate(const Head& head,
                                                               const EmbeddingFolder& folder);

}  // namespace neurontune
