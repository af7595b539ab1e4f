#include "neurontune/data/split.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// The number that is the whole of the text, or 0.
int64_t number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

SplitSelector SplitSelector::parse(const std::string& text) {
  SplitSelector selector;
  const size_t colon = text.find(':');
  selector.name = text.substr(0, colon);
  if (colon != std::string::npos) {
    const std::string_view part = std::string_view(text).substr(colon + 1);
    const size_t slash = part.find('/');
    selector.part = number(part.substr(0, slash));
    selector.parts = slash == std::string_view::npos ? 0 : number(part.substr(slash + 1));
  }
  if (selector.name.empty() || selector.part < 1 || selector.part > selector.parts) {
    throw OptionError("split `" + text +
                      "` is neither NAME nor NAME:PART/PARTS with PART from 1 to PARTS (val:1/2)");
  }
  return selector;
}

bool SplitSelector::overlaps(const SplitSelector& other) const {
  return name == other.name && (part - other.part) % std::gcd(parts, other.parts) == 0;
}

void check_split_name(const std::string& name) {
  constexpr size_t kLongest = 100;
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  std::string shown = name.substr(0, kLongest);
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  if (name.empty() || name.size() > kLongest || name.starts_with('.') ||
      name.find_first_of("/\\:") != std::string::npos ||
      std::any_of(name.begin(), name.end(), is_control))
    throw Error("a split is named `" + shown +
                "`, expected a plain word: no slash, colon or dot at its beginning");
  if (std::find(kFilesBesideSplits.begin(), kFilesBesideSplits.end(), name) !=
      kFilesBesideSplits.end())
    throw Error("a split is named `" + name + "`, which is reserved for another file");
}

at::Tensor part_rows(const at::Tensor& labels, const SplitSelector& selector) {
  if (selector.parts == 1) return at::arange(labels.size(0), at::kLong);
  const at::Tensor on_cpu = labels.to(at::kCPU, at::kLong).contiguous();
  const int64_t* label = on_cpu.const_data_ptr<int64_t>();
  std::unordered_map<int64_t, int64_t> seen;  // of each class
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < on_cpu.size(0); ++row) {
    if (seen[label[row]]++ % selector.parts == selector.part - 1) rows.push_back(row);
  }
  return at::tensor(rows, at::kLong);
}

}  // namespace neurontune
