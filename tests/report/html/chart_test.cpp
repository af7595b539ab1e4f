#include "report/html/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/html/svg.h"

namespace neurontune::html {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Chart, TicksAreRoundNumbersWithinTheRange) {
  EXPECT_THAT(ticks(0, 1, 5), ElementsAre(0, 0.2, 2 * 0.2, 3 * 0.2, 0.8, 1));
  EXPECT_THAT(ticks(3, 41, 5), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(ticks(2, 2, 5), ElementsAre(2));
  EXPECT_EQ(tick_text(0.2, 0.2), "0.2");
  EXPECT_EQ(tick_text(30, 10), "30");
  EXPECT_EQ(tick_text(-0.0, 0.5), "0.0");
}

TEST(Chart, DotsStandWhereTheirFractionsAre) {
  DotChart chart{"accuracy", {"before", "after"}, {}, true};
  chart.rows.push_back({"a", "2 samples", {Estimate{0.0}, Estimate{1.0, 0.5, 1.0}}});
  const auto svg = drawn(chart);
  EXPECT_THAT(svg, HasSubstr("cx=\"16.0\""));
  EXPECT_THAT(svg, HasSubstr("cx=\"420.0\""));
  EXPECT_THAT(svg, HasSubstr("<line x1=\"218.0\""));  // of the interval, from the half
}

TEST(Chart, LabelsAreEscapedAndShortened) {
  DotChart chart{"<b>", {"before"}, {}};
  chart.rows.push_back({"<script>" + std::string(200, 'x'), "&", {Estimate{0.5}}});
  const auto svg = drawn(chart);
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
  EXPECT_THAT(svg, Not(HasSubstr(std::string(100, 'x'))));
}

TEST(Chart, EveryKindHasItsMarks) {
  LineChart line;
  line.lines = {{"c0", {{0, {1}}, {1, {2, 1.5, 2.5}}}, true}};
  line.marked_x = 1;
  EXPECT_EQ(count(drawn(line), "<polyline"), 1U);
  EXPECT_EQ(count(drawn(line), "<circle"), 2U);

  HistogramPair histogram;
  histogram.high = 1;
  histogram.misclassified = {0, 3, 1};
  histogram.correct = {5, 0, 1};
  EXPECT_EQ(count(drawn(histogram), "<rect"), 4U) << "an empty bin has none";

  ScatterChart scatter{"points", "x", "y", {{"erm", "before", {0.5}, {0.2}}}};
  EXPECT_THAT(drawn(scatter), HasSubstr("<title>erm</title>"));

  HeatMap map{"map", "x", "y", {"a", "b"}, {"c"}, {{0.25, std::nullopt}}};
  EXPECT_EQ(count(drawn(map), "<rect"), 1U) << "what was not run is left empty";
}

TEST(Chart, NothingToDrawIsNoFailure) {
  EXPECT_THAT(drawn(DotChart{}), HasSubstr("</svg>"));
  EXPECT_THAT(drawn(LineChart{}), HasSubstr("</svg>"));
  EXPECT_THAT(drawn(HistogramPair{}), HasSubstr("</svg>"));
  EXPECT_THAT(drawn(ScatterChart{}), HasSubstr("</svg>"));
}

TEST(Chart, ARangeOfRoundingErrorsIsDrawn) {
  EXPECT_THAT(ticks(0.6, 0.6 + 1e-16, 5), ElementsAre(0.6));
  const Estimate same{0.6, 0.6 - 1e-16, 0.6 + 1e-16};
  EXPECT_THAT(drawn(ScatterChart{"points", "x", "y", {{"a", "c0", same, same}}}),
              HasSubstr("<circle"));
}

TEST(Chart, TheSameInputGivesTheSameBytes) {
  ScatterChart scatter{"points", "x", "y", {{"a", "c0", {1.0 / 3, 0.1, 0.7}, {0.2}}}};
  EXPECT_EQ(drawn(scatter), drawn(scatter));
}

}  // namespace
}  // namespace neurontune::html
