#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace neurontune::html {

// Charts as inline SVG, whose colours are classes of the page's style sheet. The same input gives
// the same bytes. They are drawn narrow, so that their text stays legible on a small screen; what
// the colours mean stands in a legend outside of them.

/// A value, and the interval that it is known to lie in.
struct Estimate {
  double value = 0;
  std::optional<double> lower = std::nullopt, upper = std::nullopt;
};

/// Fractions on an axis of 0 to 100 %, a row each thing that is measured.
struct DotChart {
  struct Row {
    std::string label;
    std::string note;                             ///< right of the label: "12 samples"
    std::vector<std::optional<Estimate>> values;  ///< one a series
    bool marked = false;
  };
  std::string description;           ///< for who cannot see it
  std::vector<std::string> colours;  ///< of the series: "before", "after", "c0" to "c7"
  std::vector<Row> rows = {};
  bool connected = false;  ///< whether a row's values are joined, as before and after are
};
std::string drawn(const DotChart& chart);

/// Lines over a common x.
struct LineChart {
  struct Line {
    std::string colour;
    std::vector<std::pair<double, Estimate>> points = {};  ///< by x
    bool dots = false;                                     ///< whether each point is marked
  };
  std::string description;
  std::string x_title, y_title;
  std::vector<Line> lines;
  bool percent = false;              ///< whether y is a fraction, on 0 to 100 %
  std::vector<std::string> x_names;  ///< of x = 0, 1, …; none where x is a number
  std::optional<double> marked_x;    ///< a vertical line
  std::string mark;                  ///< what it says
  std::optional<double> level;       ///< a horizontal line
  std::string level_name;
};
std::string drawn(const LineChart& chart);

/// How a dimension's activations are distributed: mistakes upwards, correct predictions downwards,
/// each as a share of its own samples.
struct HistogramPair {
  std::string description;
  double low = 0, high = 0;                     ///< of the first and the last bin
  std::vector<int64_t> misclassified, correct;  ///< samples a bin, equally many bins
  double median_misclassified = 0, median_correct = 0;
};
std::string drawn(const HistogramPair& histogram);

/// Numbered points, fractions on both axes.
struct ScatterChart {
  struct Point {
    std::string name;  ///< shown on hovering
    std::string colour;
    Estimate x, y;
  };
  std::string description;
  std::string x_title, y_title;
  std::vector<Point> points;  ///< numbered from 1
};
std::string drawn(const ScatterChart& chart);

/// Fractions of every combination of two things: the higher, the stronger the colour.
struct HeatMap {
  std::string description;
  std::string x_title, y_title;
  std::vector<std::string> columns, rows;
  std::vector<std::vector<std::optional<double>>> values;  ///< of [row][column]
};
std::string drawn(const HeatMap& map);

}  // namespace neurontune::html
