#include <algorithm>
#include <cmath>

#include "base/describe.h"
#include "base/number_text.h"
#include "report/html/chart.h"
#include "report/html/markup.h"
#include "report/html/run_sections.h"

namespace neurontune::html {
namespace {

constexpr std::size_t kIdLength = 60;
constexpr std::size_t kTextLength = 240;

/// What the heads made of a sample: "taken for coat, now right".
std::string outcome(const RunSources& run, const Json& sample) {
  const auto label = sample.at("label").get<int64_t>();
  const auto before = sample.at("before").get<int64_t>();
  const auto after = sample.at("after").get<int64_t>();
  auto first = before == label ? "right" : "taken for " + run.label(before);
  if (before == after) return first;
  return first + ", now " + (after == label ? "right" : "for " + run.label(after));
}

/// @param labelled whether the class is said too
std::vector<Sample> samples_of(const RunSources& run, const Json& samples, bool labelled) {
  std::vector<Sample> shown;
  for (const auto& sample : samples) {
    std::string caption;
    if (labelled) caption = run.label(sample.at("label").get<int64_t>()) + ", ";
    caption += outcome(run, sample);
    if (!sample.at("attribute").is_null())
      caption += "; " + run.attribute(sample.at("attribute").get<int64_t>());
    shown.push_back({shortened(sample.at("id").get<std::string>(), kIdLength), caption,
                     sample.value("image", std::string()),
                     shortened(sample.value("text", std::string()), kTextLength),
                     sample.at("label") != sample.at("before")});
  }
  return shown;
}

/// The lowest belief that a shown sample is in its group.
std::optional<double> least_belief(const Json& samples) {
  std::optional<double> least;
  for (const auto& sample : samples)
    if (const auto belief = number(sample, "belief")) least = std::min(least.value_or(1), *belief);
  return least;
}

Card sheet_of(const RunSources& run, const Json& json) {
  Card sheet;
  const auto label = json.at("label").get<int64_t>();
  sheet.title = json.at("value").is_null()
                    ? run.label(label)
                    : run.inferred_group(label, json.at("value").get<int64_t>());
  sheet.samples = samples_of(run, json.at("samples"), false);
  const auto count = json.at("count").get<int64_t>();
  sheet.note = counted(count, "sample");
  if (static_cast<int64_t>(sheet.samples.size()) < count)
    sheet.note += ", the surest " + std::to_string(sheet.samples.size()) + " shown";
  if (const auto least = least_belief(json.at("samples")))
    sheet.note += "; each is in this group with a probability of at least " +
                  as_percent(std::floor(*least * 1000) / 1000);
  return sheet;
}

Figure activations(const RunSources& run, const Json& json) {
  HistogramPair histogram;
  histogram.low = json.at("low").get<double>();
  histogram.high = json.at("high").get<double>();
  histogram.misclassified = json.at("misclassified").get<std::vector<int64_t>>();
  histogram.correct = json.at("correct").get<std::vector<int64_t>>();
  histogram.median_misclassified = json.at("median_misclassified").get<double>();
  histogram.median_correct = json.at("median_correct").get<double>();
  Figure figure;
  figure.title =
      run.label(json.at("label").get<int64_t>()) + ": δ = " + plain(json.at("score").get<double>());
  histogram.description = "Activations, " + figure.title;
  figure.svg = drawn(histogram);
  figure.numbers.head = {"activation", "misclassified", "correct"};
  const auto bins = histogram.correct.size();
  const double width = (histogram.high - histogram.low) / static_cast<double>(bins);
  figure.numbers.rows.push_back(
      {"median", plain(histogram.median_misclassified), plain(histogram.median_correct)});
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const double first = histogram.low + width * static_cast<double>(bin);
    figure.numbers.rows.push_back({plain(first) + " to " + plain(first + width),
                                   std::to_string(histogram.misclassified[bin]),
                                   std::to_string(histogram.correct[bin])});
  }
  return figure;
}

Card card_of(const RunSources& run, const Json& neuron) {
  Card card;
  const bool biased = neuron.at("biased").get<bool>();
  card.title =
      "Neuron " + std::to_string(neuron.at("dimension").get<int64_t>()) +
      (biased ? ": biased, more active on mistakes" : ": kept, more active on correct predictions");
  for (const auto& of_class : neuron.at("classes"))
    card.figures.push_back(activations(run, of_class));
  card.samples = samples_of(run, neuron.at("samples"), true);
  card.note = "Below: the samples that activate it most.";
  return card;
}

const char* const kNoData =
    "The run was made without a report, so that the samples are not stored. Run it again without "
    "--no-report.";

}  // namespace

Section samples_section(const RunSources& run) {
  Section section{"samples", "What the model looked at"};
  if (!run.has_data()) {
    section.paragraphs = {kNoData};
    return section;
  }
  const auto& sheets = run.data.at("sheets");
  const bool inferred = !sheets.empty() && !sheets[0].at("value").is_null();
  section.paragraphs.push_back(
      inferred
          ? "The samples that are surest to be in each inferred group of " +
                run.data.at("identify").get<std::string>() +
                ", the model's mistakes first (marked at the left). Do the samples of a group "
                "share "
                "something that has nothing to do with the class? That is the shortcut. If they "
                "do not, do not trust the groups."
          : "Of each class of " + run.data.at("identify").get<std::string>() +
                ", the mistakes that the model was surest of (marked at the left), then the "
                "correct "
                "predictions that it was surest of. What do the mistakes have in common?");
  for (const auto& sheet : sheets) section.cards.push_back(sheet_of(run, sheet));
  return section;
}

Section neurons_section(const RunSources& run) {
  Section section{"neurons", "Neurons"};
  if (!run.has_data()) {
    section.paragraphs = {kNoData};
    return section;
  }
  section.paragraphs.emplace_back(
      "δ is the median activation of a class's misclassified samples less that of its correct "
      "ones. "
      "A neuron with a high δ fires for something that leads to mistakes. In each chart the bars "
      "above the line are misclassified samples, those below it correct ones; the thick lines are "
      "the medians.");
  const auto& neurons = run.data.at("neurons");
  if (neurons.empty())
    section.paragraphs.emplace_back(
        "No class has both mistakes and correct predictions: there is nothing to compare.");
  if (run.result.at("selected") != "neurontune" && !neurons.empty())
    section.paragraphs.emplace_back(
        "The selected head masks no neuron; these are the ones that the paper's method found.");
  for (const auto& neuron : neurons) section.cards.push_back(card_of(run, neuron));
  return section;
}

}  // namespace neurontune::html
