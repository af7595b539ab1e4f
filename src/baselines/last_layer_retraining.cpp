#include "neurontune/baselines/last_layer_retraining.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include "base/computing_type.h"
#include "core/split_checks.h"
#include "core/splits.h"
#include "method/epochs.h"

namespace neurontune {

Head retrain_last_layer(const LabelledEmbeddings& tuning, const Head& erm,
                        const RetrainingOptions& options, uint64_t seed,
                        const ProgressFn& progress) {
  options.validate();
  check_split(tuning, erm, "the tuning split");
  const c10::NoGradGuard no_grad;
  const auto head = to(erm, tuning.embeddings.device(), computing_type(tuning.embeddings));
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto start = starting_head(head, options.start, generator);
  HeadRetrainer retrainer(tuning.embeddings, tuning.labels, start, options, generator);
  for (int64_t epoch = 1; epoch <= options.epochs; ++epoch) {
    retrainer.run_epoch();
    if (progress) progress("tune", epoch, options.epochs);
  }
  return retrainer.head();
}

}  // namespace neurontune
