#pragma once

#include <string>
#include <vector>

#include "neurontune/pipeline/config.h"

namespace neurontune {

/// Every key, in their order.
std::vector<std::string> setting_keys();

/// Calls visit(key, field) for every setting: the one list of the config's keys. `Fields` is Config
/// or const Config.
template <typename Fields, typename Visit>
void for_each_setting(Fields& config, Visit&& visit) {
  visit("recipe", config.recipe);
  visit("seed", config.seed);
  visit("device", config.device);
  visit("threads", config.threads);
  visit("model.path", config.model.path);
  visit("model.head", config.model.head);
  visit("model.output", config.model.output);
  visit("model.preload_lib", config.model.preload_lib);
  visit("data.path", config.data.path);
  visit("data.format", config.data.format);
  visit("data.batch_size", config.data.extraction.batch_size);
  visit("data.embedding_dtype", config.data.extraction.stored_as);
  visit("data.mixed_precision", config.data.extraction.mixed_precision);
  visit("data.skip_bad", config.data.extraction.skip_bad);
  visit("data.transform.channels", config.data.transform.channels);
  visit("data.transform.resize", config.data.transform.resize);
  visit("data.transform.interpolation", config.data.transform.interpolation);
  visit("data.transform.crop", config.data.transform.crop);
  visit("data.transform.mean", config.data.transform.mean);
  visit("data.transform.std", config.data.transform.std);
  visit("embeddings.path", config.embeddings.path);
  visit("embeddings.arrays", config.embeddings.arrays);
  visit("splits.identify", config.splits.identify);
  visit("splits.tune", config.splits.tune);
  visit("identify.threshold", config.identify.threshold);
  visit("identify.threshold_quantile", config.identify.threshold_quantile);
  visit("identify.aggregate", config.identify.aggregate);
  visit("identify.activation", config.identify.activation);
  visit("identify.keep_at_least", config.identify.keep_at_least);
  visit("identify.mask_value", config.identify.mask_value);
  visit("identify.significance", config.identify.significance);
  visit("identify.false_discovery_rate", config.identify.false_discovery_rate);
  visit("identify.strata", config.identify.strata);
  visit("identify.detectable_effect", config.identify.detectable_effect);
  visit("tune.start", config.tune.start);
  visit("tune.refresh", config.tune.refresh);
  visit("tune.epochs", config.tune.epochs);
  visit("tune.batches_per_epoch", config.tune.batches_per_epoch);
  visit("tune.batch_size", config.tune.batch_size);
  visit("tune.learning_rate", config.tune.learning_rate);
  visit("tune.momentum", config.tune.momentum);
  visit("tune.weight_decay", config.tune.weight_decay);
  visit("select.criterion", config.select.criterion);
  visit("select.guard", config.select.guard);
  visit("select.max_drop", config.select.max_drop);
  visit("shortcut.evidence_threshold", config.shortcut.evidence_threshold);
  visit("shortcut.components", config.shortcut.components);
  visit("shortcut.confidence", config.shortcut.groups.confidence);
  visit("shortcut.smoothing", config.shortcut.groups.smoothing);
  visit("shortcut.error_quantile", config.shortcut.groups.error_quantile);
  visit("shortcut.shrinkage", config.shortcut.groups.shrinkage);
  visit("shortcut.rounds", config.shortcut.groups.rounds);
  visit("shortcut.group_samples", config.shortcut.groups.group_samples);
  visit("shortcut.samples_per_group", config.shortcut.samples_per_group);
  visit("shortcut.folds", config.shortcut.folds);
  visit("shortcut.penalty", config.shortcut.retraining.penalty);
  visit("shortcut.attribute_penalty", config.shortcut.retraining.attribute_penalty);
  visit("shortcut.iterations", config.shortcut.retraining.iterations);
  visit("shortcut.tolerance", config.shortcut.retraining.tolerance);
  visit("anchored.penalties", config.anchored.penalties);
  visit("anchored.gammas", config.anchored.gammas);
  visit("anchored.iterations", config.anchored.iterations);
  visit("anchored.tolerance", config.anchored.tolerance);
}

}  // namespace neurontune
