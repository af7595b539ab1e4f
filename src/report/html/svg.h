#pragma once

#include <string>
#include <vector>

#include "report/html/chart.h"

namespace neurontune::html {

/// Writes the elements of a drawing. Coordinates have one decimal.
class Svg {
 public:
  Svg(double width, double height, const std::string& description);

  void line(double x1, double y1, double x2, double y2, const std::string& css);
  void rect(double x, double y, double width, double height, const std::string& css,
            const std::string& more = "");
  void circle(double x, double y, double radius, const std::string& css,
              const std::string& title = "");
  void polyline(const std::vector<std::pair<double, double>>& points, const std::string& css);
  /// @param anchor start, middle or end
  void text(double x, double y, const std::string& text, const std::string& anchor = "start",
            const std::string& css = "");

  std::string str() const { return body_ + "</svg>"; }

 private:
  std::string body_;
};

/// From values to places.
struct Scale {
  double low = 0, high = 1, first = 0, last = 1;

  double operator()(double value) const {
    return high > low ? first + (value - low) / (high - low) * (last - first) : (first + last) / 2;
  }
};

/// Round numbers between two values, about `most` of them.
std::vector<double> ticks(double low, double high, int most);

/// A tick's number, with as many decimals as its step needs.
std::string tick_text(double tick, double step);

}  // namespace neurontune::html
