#include "neurontune/pipeline/extract.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>

#include "base/describe.h"
#include "base/log_message.h"
#include "device/autocast.h"
#include "model/verify.h"
#include "neurontune/base/error.h"
#include "neurontune/data/argument_order.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/data/split.h"
#include "pipeline/batch_reader.h"
#include "pipeline/embedding_output.h"
#include "pipeline/extraction_cache.h"
#include "pipeline/split_file.h"

namespace neurontune {
namespace {

/// A batch's tensors as the model's arguments.
std::vector<at::Tensor> arguments(const SplitModel& model, const Dataset& dataset,
                                  const std::vector<at::Tensor>& inputs) {
  const auto declared = model.inputs();
  if (declared.empty() || inputs.empty()) return inputs;
  std::vector<std::string> names;
  int64_t required = 0;
  for (const auto& input : declared) {
    names.push_back(input.name);
    required += input.required ? 1 : 0;
  }
  return in_argument_order(inputs, dataset.input_names(), names, required);
}

at::Tensor features_of(const SplitModel& model, const std::vector<at::Tensor>& inputs,
                       const ExtractionOptions& options) {
  const Autocast autocast(model.device(), options.mixed_precision);
  return model.features(inputs);
}

Unreadable on_unreadable(const ExtractionOptions& options) {
  return options.skip_bad ? Unreadable::skip : Unreadable::fail;
}

/// Calls use(batch, features) for the batches of a data set from row `first` on, in order.
void for_each_batch(const SplitModel& model, const Dataset& dataset, int64_t first,
                    const ExtractionOptions& options, const std::string& stage,
                    const ProgressFn& progress,
                    const std::function<void(const Batch&, const at::Tensor&)>& use) {
  BatchReader reader(dataset, first, options.batch_size, on_unreadable(options), model.device());
  while (const auto batch = reader.next()) {
    const auto inputs = arguments(model, dataset, batch->inputs);
    use(*batch, inputs.empty() ? at::Tensor() : features_of(model, inputs, options));
    if (progress) progress(stage, batch->last, dataset.size());
  }
}

void check_labels(const DatasetSplit& split, int64_t classes) {
  const auto labels = split.dataset->labels();
  const auto bad = labels.ge(classes).nonzero();
  if (bad.size(0) == 0) return;
  const auto row = bad[0][0].item<int64_t>();
  throw Error("split " + split.name + ": sample " + split.dataset->described(row) + " has label " +
              std::to_string(labels[row].item<int64_t>()) + ", the model's head has classes 0 to " +
              std::to_string(classes - 1) + "; number the labels from 0 as the model does");
}

std::vector<SkippedReport> write_split(const SplitModel& model, const DatasetSplit& split,
                                       const ExtractionOptions& options, at::ScalarType dtype,
                                       const std::string& key, const std::filesystem::path& folder,
                                       const ProgressFn& progress, const LogFn& log) {
  SplitFile file(folder, split, key, dtype, model.head().embedding_dim());
  if (file.rows_done() > 0)
    log_info(log, "split ", split.name, ": goes on after the ", file.rows_done(),
             " samples that an interrupted run wrote");
  for_each_batch(
      model, *split.dataset, file.rows_done(), options, "extract " + split.name, progress,
      [&](const Batch& batch, const at::Tensor& features) { file.add(batch, features); });
  file.finish();
  std::vector<SkippedReport> skipped;
  const auto ids = split.dataset->ids();
  for (const auto& [row, reason] : file.skipped())
    skipped.push_back({ids[static_cast<std::size_t>(row)], reason});
  return skipped;
}

/// What the model is tried on: the first samples that can be read.
std::vector<at::Tensor> first_batch(const Dataset& dataset, const ExtractionOptions& options) {
  BatchReader reader(dataset, 0, std::min(options.batch_size, dataset.size()),
                     on_unreadable(options), at::kCPU);
  while (const auto batch = reader.next())
    if (!batch->inputs.empty()) return batch->inputs;
  throw Error("no sample of the data can be read");
}

/// Features in mixed precision must be those in the model's own, but for rounding.
void check_mixed_precision(const SplitModel& model, const std::vector<at::Tensor>& inputs,
                           const at::Tensor& own, const ExtractionOptions& options) {
  const auto mixed = features_of(model, inputs, options).to(own.scalar_type());
  const double difference = (mixed - own).abs().max().item<double>();
  const double allowed = low_precision_tolerance(own);
  if (!(difference <= allowed))
    throw Error("mixed precision changes the features by " + describe(difference) + ", allowed " +
                describe(allowed) + "; extract without it");
}

std::vector<std::string> names_of(const DataFolder& data) {
  std::vector<std::string> names;
  for (const auto& split : data.splits) names.push_back(split.name);
  return names;
}

/// Splits that the data does not have any more.
void remove_other_splits(const std::vector<std::string>& wanted, ExtractionCache& cache,
                         EmbeddingOutput& output) {
  const auto entries = cache.entries();  // a copy: they go one by one
  for (const auto& [name, entry] : entries) {
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) continue;
    cache.forget(name);
    output.remove_split(name);
  }
  output.remove_unfinished_but(wanted);
}

/// All that the embeddings of a data set depend on.
MadeFrom made_from(const SplitModel& model, bool fast, const ExtractionOptions& options,
                   at::ScalarType dtype, const Dataset& dataset) {
  return {{"model or head", model.fingerprint()},
          {"batch size", std::to_string(options.batch_size)},
          {"device", c10::DeviceTypeName(model.device().type())},
          {"dtype", c10::toString(dtype)},
          {"speed-up", fast ? "fast" : ""},
          {"mixed precision", options.mixed_precision ? "mixed" : ""},
          {"unreadable samples", options.skip_bad ? "skip" : ""},
          {"data or transform", dataset.fingerprint()}};
}

at::ScalarType stored_dtype(StoredAs stored_as, at::ScalarType model) {
  switch (stored_as) {
    case StoredAs::float32:
      return at::kFloat;
    case StoredAs::float16:
      return at::kHalf;
    case StoredAs::bfloat16:
      return at::kBFloat16;
    case StoredAs::model:
      break;
  }
  return model;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

const char* name(StoredAs stored_as) {
  switch (stored_as) {
    case StoredAs::model:
      return "model";
    case StoredAs::float32:
      return "float32";
    case StoredAs::float16:
      return "float16";
    case StoredAs::bfloat16:
      return "bfloat16";
  }
  return "";
}

Extraction extract_embeddings(SplitModel& model, const DataFolder& data,
                              const ExtractionOptions& options, const std::filesystem::path& folder,
                              const ProgressFn& progress, const LogFn& log) {
  const auto head = model.head();
  for (const auto& split : data.splits) check_labels(split, head.classes());
  const auto names = names_of(data);
  for (const auto& split : names) check_split_name(split);
  EmbeddingOutput output(folder, names);
  Extraction extraction;
  const auto& sample = *data.splits.front().dataset;
  const auto first = arguments(model, sample, first_batch(sample, options));
  const bool fast = model.speed_up(first);
  log_debug(log, fast ? "the features run frozen, which gives the same embeddings"
                      : "the features run as the model has them");
  extraction.verified = model.verify(first);
  log_debug(log, "head(features(x)) equals model(x) within ",
            extraction.verified.max_abs_difference, ", allowed ", extraction.verified.tolerance);
  const auto features = model.features(first);
  if (options.mixed_precision) check_mixed_precision(model, first, features, options);
  const auto dtype = stored_dtype(options.stored_as, features.scalar_type());

  ExtractionCache cache(folder);
  remove_other_splits(names, cache, output);
  const bool has_names = !data.names.empty();
  output.begin_data(has_names);
  write_head(folder / kHeadFile, head);
  data.names.write(folder);
  for (const auto& split : data.splits) {
    const auto start = std::chrono::steady_clock::now();
    const auto parts = made_from(model, fast, options, dtype, *split.dataset);
    const auto mismatch = cache.mismatch(split.name, parts);
    auto& done = extraction.splits[split.name];
    done.reused = mismatch.empty();
    if (done.reused) {
      log_info(log, "split ", split.name, ": reused from ", folder.string());
    } else {
      log_debug(log, "split ", split.name, ": not reused from ", folder.string(), ": ", mismatch);
      const auto key = key_of(parts);
      cache.forget(split.name);
      output.begin_split(split.name);
      const auto skipped = write_split(model, split, options, dtype, key, folder, progress, log);
      cache.remember(split.name, {key, parts, skipped});
    }
    done.skipped = cache.entries().at(split.name).skipped;
    done.samples = split.dataset->size() - std::ssize(done.skipped);
    done.seconds = seconds_since(start);
    if (!done.reused)
      log_info(log, "split ", split.name, ": ", done.samples, " samples in ", done.seconds, " s");
  }
  output.finish(names, has_names);
  return extraction;
}

ClassPredictions predict(const SplitModel& model, const Head& head, const Dataset& dataset,
                         const ExtractionOptions& options, const ProgressFn& progress,
                         const LogFn& log) {
  if (options.skip_bad)
    throw OptionError("skip_bad is not possible here: every sample needs a prediction");
  if (options.mixed_precision) {
    const auto first = arguments(model, dataset, first_batch(dataset, options));
    check_mixed_precision(model, first, model.features(first), options);
  }
  const auto on_device = to(head, model.device(), at::kFloat);
  const auto start = std::chrono::steady_clock::now();
  std::vector<ClassPredictions> batches;
  for_each_batch(model, dataset, 0, options, "evaluate", progress,
                 [&](const Batch&, const at::Tensor& features) {
                   batches.push_back(class_predictions(logits(on_device, features)));
                 });
  log_info(log, "predicted ", dataset.size(), " samples in ", seconds_since(start), " s");
  return joined(batches);
}

}  // namespace neurontune
