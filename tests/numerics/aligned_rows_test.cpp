#include "numerics/aligned_rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "misaligned.h"

namespace neurontune {
namespace {

bool begins_at_64(const at::Tensor& matrix) {
  return reinterpret_cast<uintptr_t>(matrix.const_data_ptr()) % 64 == 0;
}

TEST(AlignedRows, AreTheMatrixItselfWhereItLiesWell) {
  const auto matrix = at::rand({8, 16});
  EXPECT_TRUE(aligned_rows(matrix).is_same(matrix));
  EXPECT_EQ(aligned_rows(matrix.slice(0, 2, 5)).const_data_ptr(), matrix[2].const_data_ptr());
}

TEST(AlignedRows, AreACopyWhereItDoesNot) {
  const auto matrix = at::rand({8, 16});
  for (const auto& other : {misaligned(matrix, 4), misaligned(matrix, 60), matrix.t(),
                            matrix.slice(1, 0, 5), matrix.slice(0, 0, 8, 2)}) {
    const auto rows = aligned_rows(other);
    EXPECT_TRUE(rows.equal(other));
    EXPECT_TRUE(rows.is_contiguous());
    EXPECT_TRUE(begins_at_64(rows));
  }
}

}  // namespace
}  // namespace neurontune
