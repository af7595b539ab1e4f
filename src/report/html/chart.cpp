#include "report/html/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/number_text.h"
#include "report/html/markup.h"
#include "report/html/svg.h"

namespace neurontune::html {
namespace {

constexpr double kWidth = 440;
constexpr double kText = 12;  // a line of text
constexpr std::size_t kLabel = 46;
constexpr std::size_t kTickLabel = 12;

/// "0 %", "25 %" …
std::string percent_tick(double fraction) { return fixed(100 * fraction, 0) + " %"; }

double clamped(double fraction) { return std::clamp(fraction, 0.0, 1.0); }

void draw_interval(Svg& svg, const Scale& scale, double y, const Estimate& estimate,
                   const std::string& colour) {
  if (!estimate.lower || !estimate.upper) return;
  const double first = scale(clamped(*estimate.lower)), last = scale(clamped(*estimate.upper));
  svg.line(first, y, last, y, "whisker " + colour);
  for (const double x : {first, last}) svg.line(x, y - 3, x, y + 3, "whisker " + colour);
}

/// The frame of a chart with two axes.
struct Frame {
  double left, top, right, bottom;
};

/// @param percents whether the values are fractions
void draw_y_axis(Svg& svg, const Frame& frame, const Scale& scale, bool percents,
                 const std::string& title) {
  const auto marks = ticks(scale.low, scale.high, 5);
  const double step = marks.size() > 1 ? marks[1] - marks[0] : 1;
  for (const double mark : marks) {
    svg.line(frame.left, scale(mark), frame.right, scale(mark), "grid");
    svg.text(frame.left - 6, scale(mark) + 4, percents ? percent_tick(mark) : tick_text(mark, step),
             "end", "tick");
  }
  svg.text(2, kText, title, "start", "axis");
}

void draw_x_axis(Svg& svg, const Frame& frame, const Scale& scale, bool percents,
                 const std::string& title) {
  const auto marks = ticks(scale.low, scale.high, 7);
  const double step = marks.size() > 1 ? marks[1] - marks[0] : 1;
  for (const double mark : marks) {
    svg.line(scale(mark), frame.bottom, scale(mark), frame.bottom + 4, "grid");
    svg.text(scale(mark), frame.bottom + 17, percents ? percent_tick(mark) : tick_text(mark, step),
             "middle", "tick");
  }
  svg.text((frame.left + frame.right) / 2, frame.bottom + 34, title, "middle", "axis");
}

/// Names that do not fit are left out evenly.
void draw_names(Svg& svg, const Frame& frame, const Scale& scale,
                const std::vector<std::string>& names, const std::string& title) {
  const auto every = std::max<std::size_t>(1, (names.size() + 7) / 8);
  for (std::size_t i = 0; i < names.size(); i += every)
    svg.text(scale(static_cast<double>(i)), frame.bottom + 17,
             shortened(names[i], names.size() > 4 ? kTickLabel / 2 + 2 : 2 * kTickLabel), "middle",
             "tick");
  svg.text((frame.left + frame.right) / 2, frame.bottom + 34, title, "middle", "axis");
}

/// The range of what is drawn, a little wider.
class Range {
 public:
  void add(double value) {
    if (!std::isfinite(value)) return;
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  void add(const Estimate& estimate) {
    for (const auto& value : {std::optional(estimate.value), estimate.lower, estimate.upper})
      if (value) add(*value);
  }
  Scale scale(double first, double last, double margin = 0.05) const {
    if (low_ > high_) return {0, 1, first, last};
    const bool wide = high_ - low_ > 1e-9 * std::max(std::abs(low_), std::abs(high_));
    const double room = wide ? margin * (high_ - low_) : 0.5;
    return {low_ - room, high_ + room, first, last};
  }
  /// Of fractions: within 0 and 1.
  Scale fractions(double first, double last) const {
    auto found = scale(first, last, 0.1);
    found.low = std::max(0.0, found.low);
    found.high = std::min(1.0, found.high);
    return found;
  }

 private:
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

/// How far below its row's middle a series stands, so that it hides no other.
double offset(std::size_t series, std::size_t count) {
  constexpr double kApart = 6;
  return kApart * (static_cast<double>(series) - (static_cast<double>(count) - 1) / 2);
}

}  // namespace

std::string drawn(const DotChart& chart) {
  constexpr double kRow = 44, kFirst = 8;
  const double bottom = kFirst + kRow * static_cast<double>(chart.rows.size());
  Svg svg(kWidth, bottom + 24, chart.description);
  const Scale scale{0, 1, 16, kWidth - 20};
  for (const double mark : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg.line(scale(mark), kFirst, scale(mark), bottom + 2, "grid");
    svg.text(scale(mark), bottom + 17, percent_tick(mark), "middle", "tick");
  }
  for (std::size_t i = 0; i < chart.rows.size(); ++i) {
    const auto& row = chart.rows[i];
    const double top = kFirst + kRow * static_cast<double>(i), y = top + 30;
    if (row.marked) svg.rect(2, top + 1, kWidth - 4, kRow - 2, "marked");
    svg.text(8, top + 14, shortened(row.label, kLabel), "start", "label");
    svg.text(kWidth - 8, top + 14, row.note, "end", "tick");
    std::optional<double> before;
    for (std::size_t series = 0; series < row.values.size(); ++series) {
      if (!row.values[series]) continue;
      const double x = scale(clamped(row.values[series]->value));
      if (chart.connected && before) svg.line(*before, y, x, y, "join");
      before = x;
    }
    for (std::size_t series = 0; series < row.values.size(); ++series) {
      if (!row.values[series]) continue;
      const auto& estimate = *row.values[series];
      const double place = y + offset(series, row.values.size());
      draw_interval(svg, scale, place, estimate, chart.colours[series]);
      svg.circle(scale(clamped(estimate.value)), chart.connected ? y : place,
                 chart.connected ? 5 : 4, chart.colours[series]);
    }
  }
  return svg.str();
}

std::string drawn(const LineChart& chart) {
  const Frame frame{52, 24, kWidth - 14, 220};
  Svg svg(kWidth, 262, chart.description);
  Range xs, ys;
  for (const auto& line : chart.lines)
    for (const auto& [x, y] : line.points) {
      xs.add(x);
      ys.add(y);
    }
  if (chart.level) ys.add(*chart.level);
  auto across = xs.scale(frame.left + 6, frame.right - 6, 0);
  if (!chart.x_names.empty())
    across = {-0.5, static_cast<double>(chart.x_names.size()) - 0.5, frame.left, frame.right};
  const auto up =
      chart.percent ? ys.fractions(frame.bottom, frame.top) : ys.scale(frame.bottom, frame.top);
  draw_y_axis(svg, frame, up, chart.percent, chart.y_title);
  if (chart.x_names.empty())
    draw_x_axis(svg, frame, across, false, chart.x_title);
  else
    draw_names(svg, frame, across, chart.x_names, chart.x_title);
  if (chart.level) {
    svg.line(frame.left, up(*chart.level), frame.right, up(*chart.level), "level");
    svg.text(frame.right, up(*chart.level) - 4, chart.level_name, "end", "tick");
  }
  if (chart.marked_x) {
    const double x = across(*chart.marked_x);
    svg.line(x, frame.top, x, frame.bottom, "level");
    const bool left = x < (frame.left + frame.right) / 2;
    svg.text(x + (left ? 5 : -5), frame.top + 8, chart.mark, left ? "start" : "end", "tick");
  }
  for (const auto& line : chart.lines) {
    std::vector<std::pair<double, double>> places;
    for (const auto& [x, y] : line.points) {
      places.emplace_back(across(x), up(y.value));
      if (!y.lower || !y.upper) continue;
      svg.line(across(x), up(*y.lower), across(x), up(*y.upper), "whisker " + line.colour);
    }
    if (places.size() > 1) svg.polyline(places, "curve " + line.colour);
    if (line.dots || places.size() == 1)
      for (const auto& [x, y] : places) svg.circle(x, y, 3.5, line.colour);
  }
  return svg.str();
}

std::string drawn(const HistogramPair& histogram) {
  constexpr double kWide = 300, kHalf = 46, kTop = 6, kLeft = 4, kRight = kWide - 4;
  const double middle = kTop + kHalf;
  Svg svg(kWide, middle + kHalf + 20, histogram.description);
  const Scale scale{histogram.low, histogram.high, kLeft, kRight};
  const auto bins = histogram.misclassified.size();
  const auto draw = [&](const std::vector<int64_t>& counts, const char* colour, bool upwards) {
    const auto most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    for (std::size_t bin = 0; bin < counts.size(); ++bin) {
      if (counts[bin] == 0) continue;
      const double height =
          std::max(0.8, kHalf * static_cast<double>(counts[bin]) / static_cast<double>(most));
      const double width = (kRight - kLeft) / static_cast<double>(bins);
      svg.rect(kLeft + width * static_cast<double>(bin) + 0.5, upwards ? middle - height : middle,
               width - 1, height, colour);
    }
  };
  draw(histogram.misclassified, "before", true);
  draw(histogram.correct, "after", false);
  svg.line(kLeft, middle, kRight, middle, "base");
  svg.line(scale(histogram.median_misclassified), kTop, scale(histogram.median_misclassified),
           middle, "median");
  svg.line(scale(histogram.median_correct), middle, scale(histogram.median_correct), middle + kHalf,
           "median");
  const double below = middle + kHalf + 14;
  svg.text(kLeft, below, plain(histogram.low), "start", "tick");
  svg.text(kRight, below, plain(histogram.high), "end", "tick");
  return svg.str();
}

std::string drawn(const ScatterChart& chart) {
  const Frame frame{52, 24, kWidth - 14, 330};
  Svg svg(kWidth, 372, chart.description);
  Range xs, ys;
  for (const auto& point : chart.points) {
    xs.add(point.x);
    ys.add(point.y);
  }
  const auto across = xs.fractions(frame.left, frame.right);
  const auto up = ys.fractions(frame.bottom, frame.top);
  draw_y_axis(svg, frame, up, true, chart.y_title);
  draw_x_axis(svg, frame, across, true, chart.x_title);
  for (const auto& [name, colour, x, y] : chart.points) {
    if (x.lower && x.upper)
      svg.line(across(clamped(*x.lower)), up(y.value), across(clamped(*x.upper)), up(y.value),
               "whisker " + colour);
    if (y.lower && y.upper)
      svg.line(across(x.value), up(clamped(*y.lower)), across(x.value), up(clamped(*y.upper)),
               "whisker " + colour);
  }
  for (std::size_t i = 0; i < chart.points.size(); ++i) {
    const auto& point = chart.points[i];
    const double x = across(point.x.value), y = up(point.y.value);
    svg.circle(x, y, 8.5, point.colour + " ringed", point.name);
    svg.text(x, y + 3.8, std::to_string(i + 1), "middle", "number");
  }
  return svg.str();
}

std::string drawn(const HeatMap& map) {
  constexpr double kRow = 30, kLeft = 92, kTop = 24;
  const double bottom = kTop + kRow * static_cast<double>(map.rows.size());
  const double width = (kWidth - kLeft - 4) / static_cast<double>(map.columns.size());
  Svg svg(kWidth, bottom + 42, map.description);
  Range range;
  for (const auto& row : map.values)
    for (const auto& value : row)
      if (value) range.add(*value);
  const auto shade = range.scale(0.08, 0.75, 0);
  svg.text(2, kText, map.y_title, "start", "axis");
  for (std::size_t row = 0; row < map.rows.size(); ++row) {
    const double y = kTop + kRow * static_cast<double>(row);
    svg.text(kLeft - 6, y + kRow / 2 + 4, shortened(map.rows[row], 13), "end", "tick");
    for (std::size_t column = 0; column < map.columns.size(); ++column) {
      const auto& value = map.values[row][column];
      if (!value) continue;
      const double x = kLeft + width * static_cast<double>(column);
      svg.rect(x + 1, y + 1, width - 2, kRow - 2, "cell",
               " fill-opacity=\"" + fixed(shade(*value), 3) + "\"");
      if (width >= 30)
        svg.text(x + width / 2, y + kRow / 2 + 4, fixed(100 * *value, width >= 40 ? 1 : 0),
                 "middle", "label");
    }
  }
  const Frame frame{kLeft, kTop, kWidth - 4, bottom};
  const Scale centres{-0.5, static_cast<double>(map.columns.size()) - 0.5, kLeft, kWidth - 4};
  draw_names(svg, frame, centres, map.columns, map.x_title);
  return svg.str();
}

}  // namespace neurontune::html
