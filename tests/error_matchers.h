#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "neurontune/base/error.h"

/// Expects `statement` to throw an Error of one line that contains `part`.
#define EXPECT_ERROR(statement, part) EXPECT_ERROR_OF(neurontune::Error, statement, part)

/// Expects `statement` to throw a `Type` of one line that contains `part`.
#define EXPECT_ERROR_OF(Type, statement, part)                           \
  try {                                                                  \
    static_cast<void>(statement);                                        \
    ADD_FAILURE() << "no error; expected one that contains: " << (part); \
  } catch (const Type& error) {                                          \
    EXPECT_THAT(std::string(error.what()), ::testing::HasSubstr(part));  \
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);  \
  }
