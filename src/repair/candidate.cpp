#include "neurontune/repair/candidate.h"

#include "base/describe.h"

namespace neurontune {

const char* name(Source source) {
  switch (source) {
    case Source::erm:
      return "erm";
    case Source::bias_shift:
      return "bias_shift";
    case Source::anchored:
      return "anchored";
    case Source::balanced:
      return "balanced";
    case Source::neurontune:
      return "neurontune";
    case Source::rebalanced:
      return "rebalanced";
  }
  return "";
}

const char* name(FittedTo data) {
  switch (data) {
    case FittedTo::nothing:
      return "nothing";
    case FittedTo::tuning:
      return "tuning";
    case FittedTo::held_out:
      return "held_out";
    case FittedTo::both:
      return "both";
  }
  return "";
}

const char* name(Acceptance acceptance) {
  switch (acceptance) {
    case Acceptance::kept:
      return "kept";
    case Acceptance::free:
      return "free";
    case Acceptance::trade:
      return "trade";
    case Acceptance::known:
      return "known";
    case Acceptance::refused:
      return "refused";
  }
  return "";
}

namespace {

std::string on(FittedTo data) {
  switch (data) {
    case FittedTo::nothing:
      return "";
    case FittedTo::tuning:
      return " on the tuning split";
    case FittedTo::held_out:
      return " on held-out data";
    case FittedTo::both:
      return " on held-out data and as much of the tuning split";
  }
  return "";
}

std::string what(const CandidateSettings& settings) {
  switch (settings.source) {
    case Source::erm:
      return "the ERM head";
    case Source::bias_shift:
      return "the ERM head with its biases shifted so that classes are equally accurate";
    case Source::anchored:
      return "retrained near the ERM head (penalty " + describe(*settings.penalty) +
             (*settings.gamma > 0
                  ? ", its mistakes upweighted by gamma " + describe(*settings.gamma)
                  : std::string()) +
             ")";
    case Source::balanced:
      return "retrained with classes balanced";
    case Source::neurontune:
      return "epoch " + std::to_string(*settings.epoch) +
             " of class-balanced retraining with the biased dimensions masked";
    case Source::rebalanced:
      return "retrained with inferred groups balanced";
  }
  return "";
}

}  // namespace

std::string describe(const CandidateSettings& settings) {
  return what(settings) + on(settings.fitted_to);
}

}  // namespace neurontune
