#include "neurontune/report/predictions_csv.h"

#include <ATen/ATen.h>

#include <array>
#include <charconv>

#include "base/byte_escapes.h"
#include "base/describe.h"
#include "io/csv_row.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// The shortest text that is read back as the same number.
std::string exact(double number) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.begin(), text.end(), number).ptr};
}

const int64_t* indices(const at::Tensor& tensor) { return tensor.const_data_ptr<int64_t>(); }

}  // namespace

std::string predictions_csv(const std::vector<std::string>& ids, const at::Tensor& labels,
                            const at::Tensor& attributes, const ClassPredictions& predictions) {
  const auto samples = static_cast<int64_t>(ids.size());
  if (labels.numel() != samples || predictions.classes.numel() != samples ||
      (attributes.defined() && attributes.numel() != samples))
    throw Error("labels are " + describe(labels) + ", expected one for each of " +
                std::to_string(samples) + " ids, attributes and predictions");
  const auto label = labels.contiguous(), predicted = predictions.classes.contiguous();
  const auto probability = predictions.probability.contiguous();
  const auto attribute = attributes.defined() ? attributes.contiguous() : attributes;
  std::string text(kPredictionsHeader);
  for (int64_t i = 0; i < samples; ++i) {
    const bool known = attribute.defined() && indices(attribute)[i] >= 0;
    text += csv_row({escaped(ids[static_cast<std::size_t>(i)]), std::to_string(indices(label)[i]),
                     known ? std::to_string(indices(attribute)[i]) : "",
                     std::to_string(indices(predicted)[i]),
                     exact(probability.const_data_ptr<double>()[i])});
  }
  return text;
}

}  // namespace neurontune
