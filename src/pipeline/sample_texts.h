#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/vocabulary.h"
#include "neurontune/data/dataset.h"

namespace neurontune {

/// The tokens of a data set's samples as text, for a page.
class SampleTexts {
 public:
  /// @param dataset    the tokens, or null for none
  /// @param vocabulary of their tokenizer, if one is given; both must outlive this
  SampleTexts(const Dataset* dataset, const std::optional<Vocabulary>& vocabulary);

  /// The text of a sample; "" where there is no vocabulary, or the samples are no tokens.
  std::string of(int64_t sample) const;

 private:
  const Dataset* dataset_ = nullptr;  ///< null where there are no texts
  const Vocabulary* vocabulary_ = nullptr;
};

}  // namespace neurontune
