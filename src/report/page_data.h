#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace neurontune {

/// What report.html shows of a run and result.json does not hold; stored as report.json.
struct PageData {
  /// A sample of the identification split.
  struct Sample {
    std::string id;
    int64_t label = 0;
    int64_t before = 0, after = 0;     ///< predictions of the ERM head and the selected one
    std::optional<int64_t> attribute;  ///< where it is known
    std::optional<double> belief;      ///< how sure it is that it belongs where it is shown
    std::string image;                 ///< a data URI, or empty
    std::string text;                  ///< its tokens as text, or empty
  };

  /// Samples of a class, or of an inferred group of one.
  struct Sheet {
    int64_t label = 0;
    std::optional<int64_t> value;  ///< of the inferred attribute
    int64_t count = 0;             ///< samples that it has in all
    std::vector<Sample> samples;
  };

  /// A dimension's activations in the samples of a class.
  struct Activations {
    int64_t label = 0;
    double score = 0;  ///< δ: the difference of the medians
    double median_misclassified = 0, median_correct = 0;
    double low = 0, high = 0;                     ///< of the first and the last bin
    std::vector<int64_t> misclassified, correct;  ///< samples a bin
  };

  struct Neuron {
    int64_t dimension = 0;
    bool biased = false;
    std::vector<Activations> classes;
    std::vector<Sample> samples;  ///< that activate it most
  };

  /// δ of a class, from the highest down; of many dimensions some, by rank.
  struct Scores {
    int64_t label = 0;
    int64_t over_threshold = 0;
    std::vector<std::pair<int64_t, double>> by_rank;  ///< from 1
  };

  std::vector<std::string> labels, attributes;  ///< names to show, of each class and value
  std::string shown;                            ///< the split whose accuracies come first
  std::string identify;                         ///< the identification split
  int64_t samples = 0;                          ///< of it
  int64_t dimensions = 0;
  double threshold = 0;  ///< over which a score is biased
  std::vector<Sheet> sheets;
  std::vector<Neuron> neurons;  ///< the strongest biased ones, then the strongest kept ones
  std::vector<Scores> scores;
  /// The true worst-group accuracy on the shown split of each epoch of trajectory.jsonl; none
  /// without attributes.
  std::vector<double> worst_group_of_epochs;
  /// The accuracy in the worst inferred group of `identify` of each epoch; none where no groups
  /// were inferred.
  std::vector<double> worst_inferred_group_of_epochs;
};

nlohmann::ordered_json page_data_json(const PageData& data);

}  // namespace neurontune
