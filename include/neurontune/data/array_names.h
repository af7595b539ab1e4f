#pragma once

#include <string>

#include "neurontune/export.h"

namespace neurontune {

/// What the arrays of a folder of embeddings are called in its files.
struct NEURONTUNE_EXPORT ArrayNames {
  std::string embeddings = "embeddings";  ///< of the array of embeddings
  std::string labels = "labels";          ///< of the labels
  std::string attributes = "attributes";  ///< of the attributes
  std::string groups = "groups";          ///< y·A + a; by default `group` too
  std::string ids = "ids";                ///< in .npz files only
  std::string weight = "weight";          ///< of the head
  std::string bias = "bias";              ///< likewise

  /// Reads "embeddings=feats,labels=y"; what is left out keeps its name.
  /// @throws OptionError for an unknown key (with the nearest known one), a key without a name or
  ///         given twice, or two keys of the same name
  static ArrayNames parse(const std::string& text);
};

}  // namespace neurontune
