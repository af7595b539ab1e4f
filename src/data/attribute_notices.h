#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace neurontune {

/// The attributes of a split, by its name: int64 [N], −1 where not known, or undefined.
using SplitAttributes = std::pair<std::string, at::Tensor>;

/// What a user should know of attributes that are not there for all samples: a sentence for each
/// split of which some are not known, and for each that has none while others have.
std::vector<std::string> attribute_notices(const std::vector<SplitAttributes>& splits);

/// "has a column pllace, did you mean place?", for each name that may be a misspelt `expected` one:
/// the same but for its case, or a letter or two in a long name; nothing where there is none.
///
/// @param what  what the names are of: "a column"
/// @param found names that mean nothing else
std::vector<std::string> misspelt(const std::string& what, const std::vector<std::string>& found,
                                  const std::vector<std::string>& expected);

}  // namespace neurontune
