#include "report/html/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace neurontune::html {
namespace {

using testing::HasSubstr;
using testing::Not;

const char* const kNasty = "<i>{{page_title}}&";
const char* const kEscaped = "&lt;i&gt;{{page_title}}&amp;";

TEST(Page, EveryTextIsEscaped) {
  Page page{kNasty, {kNasty}, {{kNasty, kNasty, kNasty, kNasty}}, kNasty, {{kNasty, kNasty}},
            {},     kNasty};
  Section section{"a", kNasty};
  section.paragraphs = {kNasty};
  section.commands = {kNasty};
  const Table table{kNasty, {kNasty}, {{kNasty}}};
  section.tables = {table};
  section.figures = {{kNasty, {{"c0", kNasty, kNasty}}, "<svg></svg>", table}};
  const Sample sample{kNasty, kNasty, "", kNasty, true};
  section.cards = {{kNasty, kNasty, section.figures, {sample}}, {kNasty, kNasty, {}, {sample}}};
  page.sections = {section};
  const auto html = rendered(page);
  EXPECT_THAT(html, HasSubstr(kEscaped));
  EXPECT_THAT(html, Not(HasSubstr("<i>")));
  EXPECT_THAT(html, HasSubstr("<svg></svg>"));
}

TEST(Page, WhatIsNotThereLeavesNothing) {
  const auto html = rendered({"title", {}, {}, "", {}, {}, "end"});
  for (const auto* part : {"<table", "<figure", "class=\"tiles\"", "class=\"warnings\"", "<nav"})
    EXPECT_THAT(html, Not(HasSubstr(part)));
}

TEST(Page, ARowIsMarkedAndWallTimesAreToldApart) {
  Section section{"a", "A"};
  section.tables = {{"", {"h"}, {{"x"}, {"y"}}, 1, false, true}};
  const auto html = rendered({"t", {}, {}, "", {}, {section}, ""});
  EXPECT_THAT(html, HasSubstr("<tr class=\"marked\"><td>y</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<tr><td>x</td></tr>"));
  EXPECT_THAT(html, HasSubstr("<table class=\"clock\">"));
}

}  // namespace
}  // namespace neurontune::html
