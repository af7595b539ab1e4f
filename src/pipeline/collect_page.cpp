#include "pipeline/collect_page.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "base/tensor_values.h"
#include "neurontune/data/split.h"
#include "neurontune/pipeline/evaluate.h"
#include "pipeline/open_embeddings.h"
#include "pipeline/sample_texts.h"
#include "pipeline/thumbnails.h"

namespace neurontune {
namespace {

constexpr int64_t kSamplesOfSheet = 24;
constexpr int64_t kMistakesOfClass = 12;  ///< of a sheet of a class
constexpr std::size_t kMostSheets = 16;
constexpr std::size_t kNeurons = 5;  ///< of each kind
constexpr int64_t kSamplesOfNeuron = 8;
constexpr int64_t kMostClasses = 4;  ///< of a neuron
constexpr int64_t kBins = 20;
constexpr int64_t kPoints = 120;  ///< of a curve of scores
constexpr std::size_t kMostCurves = 8;

/// The first `most` of some rows, the highest first; of equals the earlier.
std::vector<int64_t> highest(std::vector<int64_t> rows, const std::vector<double>& values,
                             int64_t most) {
  std::stable_sort(rows.begin(), rows.end(), [&](int64_t left, int64_t right) {
    return values[static_cast<std::size_t>(left)] > values[static_cast<std::size_t>(right)];
  });
  if (static_cast<int64_t>(rows.size()) > most) rows.resize(static_cast<std::size_t>(most));
  return rows;
}

/// Where each id is in a data set.
std::map<std::string, int64_t> samples_by_id(const Dataset* dataset) {
  std::map<std::string, int64_t> samples;
  if (dataset == nullptr) return samples;
  const auto ids = dataset->ids();
  for (std::size_t i = 0; i < ids.size(); ++i) samples.emplace(ids[i], static_cast<int64_t>(i));
  return samples;
}

class Collector {
 public:
  Collector(const Config& config, const EmbeddingFolder& folder, const RunReport& report,
            const PageSource& source)
      : config_(config),
        folder_(folder),
        report_(report),
        selector_(SplitSelector::parse(config.splits.identify)),
        split_(folder.select(selector_)),
        held_out_(labelled(split_)),
        rows_(values_of<int64_t>(part_rows(folder.split(selector_.name).labels, selector_))),
        classes_(folder.head().classes()),
        dataset_(source.data != nullptr ? &source.data->split(selector_.name) : nullptr),
        samples_(samples_by_id(dataset_)),
        thumbnails_(source.images ? dataset_ : nullptr),
        texts_(dataset_, source.vocabulary) {
    const auto device = held_out_.embeddings.device();
    outputs_ = logits(to(folder.head(), device, at::kFloat), held_out_.embeddings);
    erm_ = outputs_.argmax(1);
    before_ = values_of<int64_t>(erm_);
    after_ = values_of<int64_t>(predictions(report.result.head(), held_out_.embeddings));
    labels_ = values_of<int64_t>(split_.labels);
    if (split_.attributes.defined()) attributes_ = values_of<int64_t>(split_.attributes);
  }

  PageData collect() {
    PageData page;
    for (int64_t label = 0; label < classes_; ++label)
      page.labels.push_back(folder_.names().label(label));
    for (int64_t value = 0; value < folder_.attribute_values(); ++value)
      page.attributes.push_back(folder_.names().attribute(value));
    page.shown = shown_split(report_);
    page.identify = config_.splits.identify;
    page.samples = static_cast<int64_t>(labels_.size());
    page.dimensions = folder_.head().embedding_dim();
    page.threshold = threshold();
    page.sheets = inferred() != nullptr ? sheets_of_groups() : sheets_of_classes();
    page.neurons = neurons();
    page.scores = curves(page.threshold);
    page.worst_group_of_epochs = true_worst_groups(page.shown);
    page.worst_inferred_group_of_epochs = worst_inferred_groups();
    return page;
  }

 private:
  /// The search that inferred groups, if one did.
  const ShortcutSearch* inferred() const {
    const auto* const repaired = report_.result.repair();
    return repaired != nullptr && repaired->shortcut.found_groups() ? &repaired->shortcut : nullptr;
  }

  const NeuronTuneResult& found() const { return report_.result.neurontune(); }

  bool is_mistake(int64_t row) const {
    return before_[static_cast<std::size_t>(row)] != labels_[static_cast<std::size_t>(row)];
  }

  PageData::Sample sample(int64_t row, std::optional<double> belief = std::nullopt) {
    const auto place = static_cast<std::size_t>(row);
    PageData::Sample one;
    one.id = split_.ids.empty() ? "row " + std::to_string(rows_[place]) : split_.ids[place];
    one.label = labels_[place];
    one.before = before_[place];
    one.after = after_[place];
    if (!attributes_.empty() && attributes_[place] >= 0) one.attribute = attributes_[place];
    one.belief = belief;
    if (const auto found = samples_.find(one.id); found != samples_.end()) {
      one.image = thumbnails_.of(found->second);
      one.text = texts_.of(found->second);
    }
    return one;
  }

  /// Groups (label, value) in the order of their accuracy under the ERM head, the lowest first; of
  /// many classes the worst, each with its class's usual group.
  std::vector<std::pair<int64_t, int64_t>> shown_groups() const {
    std::vector<std::pair<int64_t, int64_t>> groups;
    for (int64_t label = 0; label < classes_; ++label)
      for (int64_t value = 0; value < classes_; ++value) groups.emplace_back(label, value);
    if (const auto& accuracy = report_.result.repair()->erm.inferred) {
      const auto rates = values_of<double>(accuracy->accuracy);
      const auto rate = [&](const auto& group) {
        return rates[static_cast<std::size_t>(group.first * classes_ + group.second)];
      };
      std::stable_sort(groups.begin(), groups.end(), [&](const auto& left, const auto& right) {
        return rate(left) < rate(right);
      });
    }
    if (groups.size() <= kMostSheets) return groups;
    std::vector<std::pair<int64_t, int64_t>> shown(groups.begin(),
                                                   groups.begin() + kMostSheets / 2);
    for (std::size_t i = 0; i < kMostSheets / 2; ++i)
      if (const std::pair usual(groups[i].first, groups[i].first);
          std::find(shown.begin(), shown.end(), usual) == shown.end())
        shown.push_back(usual);
    return shown;
  }

  std::vector<PageData::Sheet> sheets_of_groups() {
    const auto [strongest, value] = inferred()->beliefs.cpu().max(1);
    const auto beliefs = values_of<double>(strongest);
    const auto values = values_of<int64_t>(value), rows = values_of<int64_t>(inferred()->trusted);
    std::vector<PageData::Sheet> sheets;
    for (const auto& [label, of] : shown_groups()) {
      std::vector<int64_t> members;
      for (std::size_t i = 0; i < rows.size(); ++i)
        if (labels_[static_cast<std::size_t>(rows[i])] == label && values[i] == of)
          members.push_back(static_cast<int64_t>(i));
      if (members.empty()) continue;
      PageData::Sheet sheet{label, of, static_cast<int64_t>(members.size()), {}};
      auto surest = highest(std::move(members), beliefs, kSamplesOfSheet);
      std::stable_partition(surest.begin(), surest.end(), [&](int64_t member) {
        return is_mistake(rows[static_cast<std::size_t>(member)]);
      });
      for (const auto member : surest)
        sheet.samples.push_back(sample(rows[static_cast<std::size_t>(member)],
                                       beliefs[static_cast<std::size_t>(member)]));
      sheets.push_back(std::move(sheet));
    }
    return sheets;
  }

  /// Of each class the surest mistakes, then the surest correct predictions.
  std::vector<PageData::Sheet> sheets_of_classes() {
    const auto sureness = values_of<double>(outputs_.to(at::kDouble).softmax(1).amax(1));
    std::vector<PageData::Sheet> sheets;
    for (int64_t label = 0; label < classes_ && sheets.size() < kMostSheets; ++label) {
      std::vector<int64_t> mistakes, correct;
      for (int64_t row = 0; row < static_cast<int64_t>(labels_.size()); ++row)
        if (labels_[static_cast<std::size_t>(row)] == label)
          (is_mistake(row) ? mistakes : correct).push_back(row);
      PageData::Sheet sheet{
          label, std::nullopt, static_cast<int64_t>(mistakes.size() + correct.size()), {}};
      auto shown = highest(std::move(mistakes), sureness, kMistakesOfClass);
      for (const auto row : highest(std::move(correct), sureness,
                                    kSamplesOfSheet - static_cast<int64_t>(shown.size())))
        shown.push_back(row);
      for (const auto row : shown) sheet.samples.push_back(sample(row));
      if (!sheet.samples.empty()) sheets.push_back(std::move(sheet));
    }
    return sheets;
  }

  /// Where a class has both mistakes and correct samples, the scores that flags come from.
  std::vector<int64_t> usable_classes() const {
    std::vector<int64_t> usable;
    for (int64_t label = 0; label < found().scores.classes(); ++label)
      if (found().scores.usable(label)) usable.push_back(label);
    return usable;
  }

  /// Whether a dimension is flagged for any class: bool [M].
  at::Tensor flagged() const {
    const auto& biased = found().biased.biased;
    return (biased.dim() == 2 ? biased.any(0) : biased).cpu();
  }

  std::vector<PageData::Neuron> neurons() {
    const auto usable = usable_classes();
    if (usable.empty()) return {};
    const auto scores =
        found().scores.scores.to(at::kCPU, at::kDouble).index_select(0, at::tensor(usable));
    const auto is_flagged = flagged();
    const auto pick = [&](const at::Tensor& among, const at::Tensor& strength) {
      auto rows = values_of<int64_t>(among.nonzero().squeeze(1));
      return highest(std::move(rows), values_of<double>(strength), static_cast<int64_t>(kNeurons));
    };
    std::vector<PageData::Neuron> shown;
    for (const auto dimension : pick(is_flagged, scores.amax(0)))
      shown.push_back(neuron(dimension, true, usable));
    // Those that fire higher on the correct predictions of some class.
    for (const auto dimension : pick(is_flagged.logical_not(), scores.amin(0).neg()))
      shown.push_back(neuron(dimension, false, usable));
    return shown;
  }

  PageData::Neuron neuron(int64_t dimension, bool biased, const std::vector<int64_t>& usable) {
    auto column = held_out_.embeddings.select(1, dimension).to(at::kFloat);
    if (config_.identify.activation == Activation::magnitude) column = column.abs();
    PageData::Neuron one;
    one.dimension = dimension;
    one.biased = biased;
    const auto scores = spuriousness_scores(column.unsqueeze(1), held_out_.labels, erm_, classes_);
    const auto deltas = values_of<double>(scores.scores);
    std::vector<double> strength(deltas.size());
    std::transform(deltas.begin(), deltas.end(), strength.begin(),
                   [&](double delta) { return biased ? delta : -delta; });
    const auto activations = values_of<double>(column);
    for (const auto label : highest(usable, strength, kMostClasses))
      if (scores.usable(label)) one.classes.push_back(distribution(activations, label, scores));
    std::vector<int64_t> rows(labels_.size());
    std::iota(rows.begin(), rows.end(), 0);
    for (const auto row : highest(std::move(rows), activations, kSamplesOfNeuron))
      one.samples.push_back(sample(row));
    return one;
  }

  PageData::Activations distribution(const std::vector<double>& activations, int64_t label,
                                     const SpuriousnessScores& scores) const {
    PageData::Activations of;
    of.label = label;
    of.score = scores.scores[label][0].item<double>();
    of.median_misclassified = scores.median_misclassified[label][0].item<double>();
    of.median_correct = scores.median_correct[label][0].item<double>();
    of.low = std::numeric_limits<double>::infinity();
    of.high = -of.low;
    for (std::size_t row = 0; row < activations.size(); ++row) {
      if (labels_[row] != label) continue;
      of.low = std::min(of.low, activations[row]);
      of.high = std::max(of.high, activations[row]);
    }
    of.misclassified.assign(kBins, 0);
    of.correct.assign(kBins, 0);
    const double width = (of.high - of.low) / kBins;
    for (std::size_t row = 0; row < activations.size(); ++row) {
      if (labels_[row] != label) continue;
      const auto bin =
          width > 0 ? static_cast<int64_t>((activations[row] - of.low) / width) : int64_t{0};
      auto& counts = is_mistake(static_cast<int64_t>(row)) ? of.misclassified : of.correct;
      ++counts[static_cast<std::size_t>(std::clamp<int64_t>(bin, 0, kBins - 1))];
    }
    return of;
  }

  /// The threshold as a value: of a quantile the lowest score that is flagged by it.
  double threshold() const {
    const auto& options = config_.identify;
    if (!options.threshold_quantile || !found().scores.any_usable()) return options.threshold;
    const auto scores = aggregated_scores(found().scores, options.aggregate);
    const auto flags = found().biased.biased.to(scores.device());
    if (!flags.any().item<bool>()) return scores.max().item<double>();
    return scores.masked_select(flags).min().item<double>();
  }

  /// Whether a score at the threshold is flagged: of a quantile it is the lowest that is.
  bool flags_at_threshold() const {
    return config_.identify.threshold_quantile && found().biased.biased.any().item<bool>();
  }

  /// Of the classes with the most mistakes.
  std::vector<PageData::Scores> curves(double threshold) const {
    const bool inclusive = flags_at_threshold();
    auto usable = usable_classes();
    std::vector<double> mistakes(found().scores.misclassified.begin(),
                                 found().scores.misclassified.end());
    usable = highest(std::move(usable), mistakes, static_cast<int64_t>(kMostCurves));
    std::sort(usable.begin(), usable.end());
    std::vector<PageData::Scores> curves;
    for (const auto label : usable) {
      auto scores = values_of<double>(found().scores.scores[label]);
      std::sort(scores.begin(), scores.end(), std::greater<>());
      PageData::Scores curve{label, 0, {}};
      curve.over_threshold = std::count_if(scores.begin(), scores.end(), [&](double s) {
        return s > threshold || (inclusive && s == threshold);
      });
      const auto dimensions = static_cast<int64_t>(scores.size());
      const int64_t points = std::min(dimensions, kPoints);
      for (int64_t i = 0; i < points; ++i) {
        const int64_t rank = points == 1 ? 0 : i * (dimensions - 1) / (points - 1);
        curve.by_rank.emplace_back(rank + 1, scores[static_cast<std::size_t>(rank)]);
      }
      curves.push_back(std::move(curve));
    }
    return curves;
  }

  /// Of each epoch, on a split whose attributes are known.
  std::vector<double> true_worst_groups(const std::string& shown) const {
    std::vector<double> worst;
    const auto& split = folder_.split(shown);
    if (!any_attribute_known(split.attributes)) return worst;
    const auto space = group_space(folder_);
    for (const auto& checkpoint : found().trajectory)
      worst.push_back(evaluate(checkpoint.head, split, space).groups->worst_group_accuracy);
    return worst;
  }

  /// Of each epoch, on the identification split.
  std::vector<double> worst_inferred_groups() const {
    std::vector<double> worst;
    if (inferred() == nullptr) return worst;
    const auto rows = inferred()->trusted.to(held_out_.labels.device());
    const auto embeddings = held_out_.embeddings.index_select(0, rows);
    const auto labels = held_out_.labels.index_select(0, rows);
    for (const auto& checkpoint : found().trajectory)
      worst.push_back(inferred_accuracy(predictions(checkpoint.head, embeddings), labels,
                                        inferred()->beliefs, classes_)
                          .worst_accuracy());
    return worst;
  }

  const Config& config_;
  const EmbeddingFolder& folder_;
  const RunReport& report_;
  SplitSelector selector_;
  EmbeddingSplit split_;
  LabelledEmbeddings held_out_;
  std::vector<int64_t> rows_;  ///< where its samples are in the whole split
  int64_t classes_;
  const Dataset* dataset_;
  std::map<std::string, int64_t> samples_;  ///< id → sample of the data set
  Thumbnails thumbnails_;
  SampleTexts texts_;
  at::Tensor outputs_;                                         ///< logits of the ERM head, [N, C]
  at::Tensor erm_;                                             ///< its predictions, int64 [N]
  std::vector<int64_t> labels_, before_, after_, attributes_;  ///< the last one may be empty
};

}  // namespace

PageData collect_page(const Config& config, const EmbeddingFolder& folder, const RunReport& report,
                      const PageSource& source) {
  const c10::NoGradGuard no_grad;
  return Collector(config, folder, report, source).collect();
}

}  // namespace neurontune
