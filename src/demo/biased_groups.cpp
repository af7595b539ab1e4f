#include "demo/biased_groups.h"

#include <cmath>
#include <string>

#include "demo/fashion_mnist.h"
#include "neurontune/base/error.h"

namespace neurontune::demo {
namespace {

void check_samples(const char* name, int64_t samples, int64_t divisor, int64_t most) {
  if (samples < divisor || samples > most || samples % divisor != 0) {
    throw OptionError(std::string(name) + " is " + std::to_string(samples) +
                      ", expected a multiple of " + std::to_string(divisor) + " from " +
                      std::to_string(divisor) + " to " + std::to_string(most));
  }
}

}  // namespace

std::vector<Group> biased_groups(int64_t samples, int64_t classes, double correlation,
                                 int64_t unbiased) {
  const int64_t of_class = samples / classes;
  const double independent = 1.0 / static_cast<double>(classes);
  std::vector<Group> groups;
  for (int64_t label = 0; label < classes; ++label) {
    const double share = label < unbiased ? independent : correlation;
    const int64_t agreeing = std::llround(share * static_cast<double>(of_class));
    for (int64_t index = 0; index < of_class; ++index) {
      const int64_t turn = index < agreeing ? 0 : 1 + (index - agreeing) % (classes - 1);
      groups.push_back({label, (label + turn) % classes});
    }
  }
  return groups;
}

void check_biased_samples(int64_t classes, double correlation, int64_t train_samples,
                          int64_t val_samples, int64_t test_samples) {
  if (!(correlation >= 0 && correlation <= 1)) {
    throw OptionError("correlation is " + std::to_string(correlation) + ", expected 0 to 1");
  }
  const int64_t most_training = kTrainingOriginals * classes;
  check_samples("train_samples", train_samples, classes, most_training - classes);
  check_samples("val_samples", val_samples, classes, most_training - train_samples);
  check_samples("test_samples", test_samples, classes * classes, kTestOriginals * classes);
}

}  // namespace neurontune::demo
