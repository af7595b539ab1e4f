// Tunes a random head on random embeddings: every part of the library that it needs must be found
// by the compiler, the linker and the loader.

#include <ATen/Context.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <neurontune/base/error.h>
#include <neurontune/data/image.h>
#include <neurontune/method/neuron_tune.h>
#include <neurontune/repair/repair.h>
#include <neurontune/report/conclusion.h>
#include <neurontune/version.h>

#include <cstdio>

namespace {

/// An exception of the library must be known on this side as what it is.
bool refuses_bad_options() {
  neurontune::NeuronTuneOptions options;
  options.tune.epochs = -1;
  try {
    options.validate();
  } catch (const neurontune::OptionError& error) {
    std::printf("error: %s\n", error.what());
    return true;
  }
  return false;
}

}  // namespace

int main() {
  at::manual_seed(0);
  const neurontune::LabelledEmbeddings identification{at::randn({200, 16}), at::randint(2, {200})};
  const neurontune::LabelledEmbeddings tuning{at::randn({300, 16}), at::randint(2, {300})};
  const neurontune::Head erm{at::randn({2, 16}), at::zeros({2})};

  neurontune::NeuronTuneOptions options;
  options.tune.epochs = 3;
  const auto result = neurontune::neuron_tune(identification, tuning, erm, options);
  const auto repaired = neurontune::repair(identification, tuning, erm);
  // Links the image libraries too, which the archive needs from its users.
  neurontune::write_png("consumer.png", at::zeros({4, 4}, at::kByte));

  std::printf("NeuronTune %s\n%s\n%s\n", neurontune::kVersion,
              neurontune::conclusion(result).c_str(), neurontune::conclusion(repaired).c_str());
  return refuses_bad_options() && result.trajectory.size() == 3 &&
                 repaired.head.weight.size(1) == 16
             ? 0
             : 1;
}
