// Tunes a random head on random embeddings: every part of the installed library that it needs must
// be found by the compiler, the linker and the loader.

#include <ATen/ATen.h>
#include <neurontune/data/image.h>
#include <neurontune/method/neuron_tune.h>
#include <neurontune/repair/repair.h>

#include <cstdio>

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

  std::printf("%s head, %ld of 16 dimensions biased\n", neurontune::name(repaired.settings.source),
              static_cast<long>(result.biased.count()));
  return result.trajectory.size() == 3 && repaired.head.weight.size(1) == 16 ? 0 : 1;
}
