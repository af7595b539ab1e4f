#include "neurontune/repair/tuned_head.h"

#include <ATen/ATen.h>

namespace neurontune {

const NeuronTuneResult& TunedHead::neurontune() const {
  return repair() ? repair()->neurontune : std::get<NeuronTuneResult>(result);
}

const Head& TunedHead::head() const { return repair() ? repair()->head : neurontune().head; }

CandidateSettings TunedHead::settings() const {
  if (repair()) return repair()->settings;
  const auto epoch = neurontune().selected_epoch;
  if (epoch == 0) return {};
  return {Source::neurontune, FittedTo::tuning, epoch};
}

std::optional<int64_t> TunedHead::epoch() const {
  const auto of = settings();
  if (of.source == Source::erm) return 0;
  return of.epoch;
}

BiasedDimensions TunedHead::masked() const {
  const auto& found = neurontune();
  if (!repair()) return found.biased;
  const auto of = settings();
  if (of.source != Source::neurontune)
    return {at::zeros_like(found.biased.biased), at::ones_like(found.biased.mask)};
  const bool is_of_trajectory = of.fitted_to == FittedTo::tuning;
  return is_of_trajectory ? found.trajectory[static_cast<std::size_t>(*of.epoch - 1)].biased
                          : found.biased;
}

std::optional<double> TunedHead::sfit() const {
  return repair() ? repair()->candidates.front().sfit : neurontune().sfit;
}

const std::vector<std::string>& TunedHead::warnings() const {
  return repair() ? repair()->warnings : neurontune().warnings;
}

TunedHead tune_head(const LabelledEmbeddings& held_out, const LabelledEmbeddings& tuning,
                    const Head& erm, const RepairOptions& options, const at::Tensor& attributes,
                    const ProgressFn& progress) {
  if (is_of_repair(options.neurontune.select.criterion))
    return {repair(held_out, tuning, erm, options, progress, attributes)};
  return {neuron_tune(held_out, tuning, erm, options.neurontune, progress)};
}

}  // namespace neurontune
