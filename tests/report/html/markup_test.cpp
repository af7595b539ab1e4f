#include "report/html/markup.h"

#include "base/describe.h"
#include "base/number_text.h"

#include <gtest/gtest.h>

#include <clocale>

namespace neurontune::html {
namespace {

TEST(Markup, EscapesWhatHtmlReads) {
  EXPECT_EQ(escaped("<a href=\"x\">'&</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&lt;/a&gt;");
}

TEST(Markup, HiddenCharactersAreNotObeyed) {
  EXPECT_EQ(escaped("a\x1B\u202E<"), "a\uFFFD\uFFFD&lt;");
}

TEST(Markup, NumbersAreTheSameInEveryLocale) {
  const char* const locale = std::setlocale(LC_NUMERIC, "de_DE.UTF-8");
  EXPECT_EQ(fixed(1234.56, 1), "1234.6");
  EXPECT_EQ(as_percent(0.2345), "23.4 %");
  EXPECT_EQ(plain(0.00012), "0.00012");
  EXPECT_EQ(points(0.125), "+12.5");
  EXPECT_EQ(points(-0.125), "-12.5");
  EXPECT_EQ(fixed(-0.01, 1), "0.0");
  if (locale != nullptr) std::setlocale(LC_NUMERIC, "C");
}

TEST(Markup, ShortensInTheMiddleByCharacters) {
  EXPECT_EQ(shortened("äöüäöü", 6), "äöüäöü");
  const auto text = shortened("äöü/very/long/path/image.jpg", 15);
  EXPECT_EQ(text, "äöü/v…image.jpg");
}

}  // namespace
}  // namespace neurontune::html
