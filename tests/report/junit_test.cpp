#include "neurontune/report/junit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace neurontune {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Junit, AFailureIsAFindingOfATestCase) {
  EXPECT_EQ(junit_xml("eval.test", {{"samples>=1", {}}, {"auroc>1", {"auroc is 0.5", "so"}}}),
            R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="neurontune" tests="2" failures="1" errors="0">
  <testsuite name="neurontune.eval.test" tests="2" failures="1" errors="0" skipped="0" time="0">
    <testcase classname="neurontune.eval.test" name="samples&gt;=1" time="0"/>
    <testcase classname="neurontune.eval.test" name="auroc&gt;1" time="0">
      <failure message="auroc is 0.5" type="NotAsRequired">auroc is 0.5; so</failure>
    </testcase>
  </testsuite>
</testsuites>
)");
}

TEST(Junit, BeginsAsAllOfThem) { EXPECT_TRUE(junit_xml("x", {}).starts_with(kJunitBeginning)); }

TEST(Junit, WhatXmlCannotHoldIsEscaped) {
  const auto xml = junit_xml("a\"b", {{"<&>'\xE9\x01\n", {"\xEF\xBF\xBF"}}});
  EXPECT_THAT(xml, HasSubstr("name=\"neurontune.a&quot;b\""));
  EXPECT_THAT(xml, HasSubstr(R"(name="&lt;&amp;&gt;'\xE9\x01\x0A")"));
  EXPECT_THAT(xml, HasSubstr("message=\"\xEF\xBF\xBD\""));
  EXPECT_THAT(xml, Not(HasSubstr("\xEF\xBF\xBF")));
}

}  // namespace
}  // namespace neurontune
