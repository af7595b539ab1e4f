#include "neurontune/pipeline/extract.h"

#include <ATen/ATen.h>

#include <chrono>
#include <functional>
#include <optional>

#include "data/file_io.h"
#include "digest.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/data/safetensors.h"
#include "neurontune/error.h"
#include "pipeline/extraction_cache.h"

namespace neurontune {
namespace {

constexpr const char* kHeadFile = "head.safetensors";

/// Calls use(first, features) for the batches of a data set, in order.
void for_each_batch(const SplitModel& model, const Dataset& dataset, int64_t batch_size,
                    const std::string& stage, const ProgressFn& progress,
                    const std::function<void(int64_t, const at::Tensor&)>& use) {
  const int64_t samples = dataset.size();
  for (int64_t first = 0; first < samples; first += batch_size) {
    const int64_t last = std::min(first + batch_size, samples);
    use(first, model.features(dataset.batch(first, last)));
    if (progress) progress(stage, last, samples);
  }
}

void check_labels(const DatasetSplit& split, int64_t classes) {
  const auto labels = split.dataset->labels();
  const auto bad = labels.ge(classes).nonzero();
  if (bad.size(0) == 0) return;
  const auto row = bad[0][0].item<int64_t>();
  throw Error("split " + split.name + ": sample " + split.dataset->ids()[row] + " has label " +
              std::to_string(labels[row].item<int64_t>()) + ", the model's head has classes 0 to " +
              std::to_string(classes - 1) + "; number the labels from 0 as the model does");
}

void write_ids(const std::filesystem::path& path, const std::vector<std::string>& ids) {
  std::string text;
  for (const auto& id : ids) text += id + "\n";
  write_file(path, text);
}

/// Writes the embeddings as they come: the file's size is fixed by the first batch's width.
void write_split(const SplitModel& model, const DatasetSplit& split, int64_t batch_size,
                 const std::filesystem::path& folder, const ProgressFn& progress) {
  const Dataset& dataset = *split.dataset;
  const auto attributes = dataset.attributes();
  std::optional<SafetensorsWriter> writer;
  for_each_batch(model, dataset, batch_size, "extract " + split.name, progress,
                 [&](int64_t first, const at::Tensor& features) {
                   if (!writer) {
                     std::vector<TensorSpec> specs = {
                         {"embeddings", features.scalar_type(), {dataset.size(), features.size(1)}},
                         {"labels", at::kLong, {dataset.size()}}};
                     if (attributes.defined())
                       specs.push_back({"attributes", at::kLong, {dataset.size()}});
                     writer.emplace(folder / (split.name + ".safetensors"), specs);
                   }
                   writer->write_rows("embeddings", first, features);
                 });
  writer->write_rows("labels", 0, dataset.labels());
  if (attributes.defined()) writer->write_rows("attributes", 0, attributes);
  write_ids(folder / (split.name + ".ids.txt"), dataset.ids());
  writer->finish();
}

void remove_other_splits(const DataFolder& data, ExtractionCache& cache,
                         const std::filesystem::path& folder) {
  for (const auto& [name, key] : cache.entries()) {
    const bool wanted =
        std::any_of(data.splits.begin(), data.splits.end(),
                    [&, &name = name](const auto& split) { return split.name == name; });
    if (wanted) continue;
    cache.forget(name);
    std::filesystem::remove(folder / (name + ".safetensors"));
    std::filesystem::remove(folder / (name + ".ids.txt"));
  }
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Extraction extract_embeddings(const SplitModel& model, const DataFolder& data, int64_t batch_size,
                              const std::filesystem::path& folder, const ProgressFn& progress) {
  const auto head = model.head();
  for (const auto& split : data.splits) check_labels(split, head.classes());
  make_folder(folder);
  Extraction extraction;
  const auto& first = *data.splits.front().dataset;
  extraction.verified = model.verify(first.batch(0, std::min(batch_size, first.size())));

  ExtractionCache cache(folder);
  remove_other_splits(data, cache, folder);
  write_head(folder / kHeadFile, head);
  data.names.write(folder);
  const auto key_of_all = model.fingerprint() + "\n" + std::to_string(batch_size) + "\n" +
                          c10::DeviceTypeName(model.device().type()) + "\n";
  for (const auto& split : data.splits) {
    const auto start = std::chrono::steady_clock::now();
    const auto key = text_digest(key_of_all + split.dataset->fingerprint());
    const bool reused = cache.holds(split.name, key);
    if (!reused) {
      cache.forget(split.name);
      write_split(model, split, batch_size, folder, progress);
      cache.remember(split.name, key);
    }
    extraction.splits[split.name] = {split.dataset->size(), seconds_since(start), reused};
  }
  return extraction;
}

at::Tensor predict(const SplitModel& model, const Head& head, const Dataset& dataset,
                   int64_t batch_size, const ProgressFn& progress) {
  const auto on_device = to(head, model.device(), at::kFloat);
  std::vector<at::Tensor> batches;
  for_each_batch(model, dataset, batch_size, "evaluate", progress,
                 [&](int64_t, const at::Tensor& features) {
                   batches.push_back(predictions(on_device, features).cpu());
                 });
  return at::cat(batches);
}

}  // namespace neurontune
