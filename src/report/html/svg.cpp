#include "report/html/svg.h"

#include <algorithm>
#include <cmath>

#include "base/number_text.h"
#include "report/html/markup.h"

namespace neurontune::html {
namespace {

std::string attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + fixed(value, 1) + "\"";
}

std::string css_class(const std::string& css) {
  return css.empty() ? "" : " class=\"" + css + "\"";
}

}  // namespace

Svg::Svg(double width, double height, const std::string& description)
    : body_("<svg viewBox=\"0 0 " + fixed(width, 0) + " " + fixed(height, 0) +
            "\" role=\"img\" aria-label=\"" + escaped(description) + "\">") {}

void Svg::line(double x1, double y1, double x2, double y2, const std::string& css) {
  body_ += "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
           attribute("y2", y2) + css_class(css) + "/>";
}

void Svg::rect(double x, double y, double width, double height, const std::string& css,
               const std::string& more) {
  body_ += "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", width) +
           attribute("height", height) + css_class(css) + more + "/>";
}

void Svg::circle(double x, double y, double radius, const std::string& css,
                 const std::string& title) {
  body_ +=
      "<circle" + attribute("cx", x) + attribute("cy", y) + attribute("r", radius) + css_class(css);
  body_ += title.empty() ? "/>" : "><title>" + escaped(title) + "</title></circle>";
}

void Svg::polyline(const std::vector<std::pair<double, double>>& points, const std::string& css) {
  body_ += "<polyline" + css_class(css) + " points=\"";
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i > 0) body_ += ' ';
    body_.append(fixed(points[i].first, 1)).append(",").append(fixed(points[i].second, 1));
  }
  body_ += "\"/>";
}

void Svg::text(double x, double y, const std::string& text, const std::string& anchor,
               const std::string& css) {
  if (text.empty()) return;
  body_ += "<text" + attribute("x", x) + attribute("y", y) +
           (anchor == "start" ? "" : " text-anchor=\"" + anchor + "\"") + css_class(css) + ">" +
           escaped(text) + "</text>";
}

std::vector<double> ticks(double low, double high, int most) {
  // A range of rounding errors has no round numbers.
  if (!(high - low > 1e-9 * std::max(std::abs(low), std::abs(high)))) return {low};
  const double rough = (high - low) / most;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  std::vector<double> found;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i)
    found.push_back(i * step);
  return found;
}

std::string tick_text(double tick, double step) {
  const double decimals = -std::floor(std::log10(step) + 1e-9);
  if (step <= 0 || decimals > 6 || std::abs(tick) >= 1e6) return plain(tick);
  return fixed(tick, static_cast<int>(std::max(0.0, decimals)));
}

}  // namespace neurontune::html
