#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "neurontune/io/safetensors.h"
#include "neurontune/method/retraining.h"

namespace neurontune {

/// One case: its tensors by name.
class OracleCase {
 public:
  std::string name;
  std::map<std::string, at::Tensor> tensors;

  bool has(const std::string& field) const { return tensors.count(field) != 0; }
  at::Tensor tensor(const std::string& field) const { return tensors.at(field); }
  /// The tensor, or an undefined one where the case has none of that name.
  at::Tensor tensor_or_none(const std::string& field) const {
    return has(field) ? tensors.at(field) : at::Tensor();
  }
  int64_t integer(const std::string& field) const { return tensors.at(field).item<int64_t>(); }
  double number(const std::string& field) const { return tensors.at(field).item<double>(); }
  std::vector<int64_t> integers(const std::string& field) const {
    const at::Tensor values = tensors.at(field).contiguous();
    return {values.const_data_ptr<int64_t>(), values.const_data_ptr<int64_t>() + values.numel()};
  }
  std::vector<double> numbers(const std::string& field) const {
    const at::Tensor values = tensors.at(field).contiguous();
    return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
  }
};

/// The cases that tests/oracle wrote into `file`.safetensors.
inline std::vector<OracleCase> oracle_cases(const std::string& file) {
  const auto path = std::filesystem::path(NEURONTUNE_ORACLE_CASES) / (file + ".safetensors");
  std::map<std::string, OracleCase> cases;
  for (const auto& [name, tensor] : read_safetensors(path)) {
    const std::size_t slash = name.find('/');
    OracleCase& oracle_case = cases[name.substr(0, slash)];
    oracle_case.name = file + " case " + name.substr(0, slash);
    oracle_case.tensors[name.substr(slash + 1)] = tensor;
  }
  std::vector<OracleCase> in_order;
  for (auto& [name, oracle_case] : cases) in_order.push_back(std::move(oracle_case));
  return in_order;
}

/// How far a computation may be from the oracle's: relative to the oracle's largest value, since
/// sums of mixed signs lose digits.
inline double tolerance(at::ScalarType dtype) { return dtype == at::kDouble ? 1e-9 : 1e-4; }

inline testing::AssertionResult close_within(const at::Tensor& actual, const at::Tensor& expected,
                                             double relative) {
  if (!actual.defined() && !expected.defined()) return testing::AssertionSuccess();
  if (!actual.defined() || !expected.defined()) {
    return testing::AssertionFailure() << (actual.defined() ? "not expected" : "not there");
  }
  if (actual.sizes() != expected.sizes() || actual.scalar_type() != expected.scalar_type()) {
    return testing::AssertionFailure()
           << "found " << actual.scalar_type() << " " << actual.sizes() << ", expected "
           << expected.scalar_type() << " " << expected.sizes();
  }
  const double allowed = relative * expected.abs().max().item<double>();
  const double difference = (actual - expected).abs().max().item<double>();
  if (!(difference <= allowed)) {
    return testing::AssertionFailure() << "differs by " << difference << ", allowed " << allowed;
  }
  return testing::AssertionSuccess();
}

inline testing::AssertionResult close(const at::Tensor& actual, const at::Tensor& expected) {
  return close_within(actual, expected, expected.defined() ? tolerance(expected.scalar_type()) : 0);
}

/// Medians are elements or means of two: the same bits in any implementation; NaN equals NaN.
inline testing::AssertionResult same(const at::Tensor& actual, const at::Tensor& expected) {
  if (actual.sizes() != expected.sizes() || actual.scalar_type() != expected.scalar_type()) {
    return testing::AssertionFailure()
           << "found " << actual.scalar_type() << " " << actual.sizes() << ", expected "
           << expected.scalar_type() << " " << expected.sizes();
  }
  if (!actual.allclose(expected, 0, 0, /*equal_nan=*/true)) {
    return testing::AssertionFailure() << "found\n" << actual << "\nexpected\n" << expected;
  }
  return testing::AssertionSuccess();
}

inline at::Generator seeded(const OracleCase& oracle_case) {
  return at::detail::createCPUGenerator(static_cast<uint64_t>(oracle_case.integer("seed")));
}

inline RetrainingOptions retraining_options(const OracleCase& oracle_case) {
  RetrainingOptions options;
  options.start = static_cast<Start>(oracle_case.integer("start"));
  options.refresh = oracle_case.integer("refresh");
  options.epochs = oracle_case.integer("epochs");
  options.batches_per_epoch = oracle_case.integer("batches_per_epoch");
  options.batch_size = oracle_case.integer("batch_size");
  options.learning_rate = oracle_case.number("learning_rate");
  options.momentum = oracle_case.number("momentum");
  options.weight_decay = oracle_case.number("weight_decay");
  return options;
}

}  // namespace neurontune
