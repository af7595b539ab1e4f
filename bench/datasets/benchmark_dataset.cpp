#include "benchmark_dataset.h"

#include <chrono>
#include <string>

#include "base/option_checks.h"
#include "demo/small_cnn.h"
#include "io/file_io.h"
#include "neurontune/base/error.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/model/erm_model.h"
#include "neurontune/pipeline/evaluate.h"
#include "neurontune/pipeline/extract.h"

namespace neurontune::benchmark {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Which groups there are, and how often.
Json groups_json(const demo::BiasedImagesOptions& images) {
  if (images.groups)
    return {{"train_groups", images.groups->train},
            {"val_groups", images.groups->val},
            {"test_groups", images.groups->test}};
  const demo::SplitSizes sizes = images.sizes();
  return {{"correlation", images.correlation ? Json(*images.correlation) : Json("none")},
          {"unbiased_classes", images.unbiased_classes},
          {"train_samples", sizes.train},
          {"val_samples", sizes.val},
          {"test_samples", sizes.test}};
}

Json settings_json(const DatasetOptions& options) {
  const demo::BiasedImagesOptions& images = options.images;
  Json json = {{"family", demo::design(images.family).name}, {"classes", images.classes}};
  json.update(groups_json(images));
  json.update({{"label_noise", images.label_noise},
               {"seed", images.seed},
               {"epochs", options.epochs},
               {"features", options.features}});
  return json;
}

/// What an earlier run left in dataset.json; null where there is none.
/// @throws Error if it is of other settings
Json finished(const fs::path& path, const Json& settings) {
  if (!fs::exists(path)) return {};
  const Json found = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  for (const auto& [key, value] : settings.items()) {
    const Json of_found = found.is_object() ? found.value(key, Json()) : Json();
    if (of_found != value) {
      throw Error(path.string() + ": " + key + " is " + of_found.dump() + ", expected " +
                  value.dump() + " or another folder");
    }
  }
  return found;
}

void train_erm(const fs::path& folder, const DataFolder& data, const DatasetOptions& options) {
  demo::ErmTrainingOptions training;
  training.epochs = options.epochs;
  training.features = options.features;
  training.seed = options.images.seed;
  demo::train_small_cnn(data.split("train"), options.images.classes, training, folder / "erm.pt");
}

Json erm_accuracy(const EmbeddingFolder& embeddings) {
  const SplitMetrics test = evaluate(embeddings.head(), embeddings).at("test");
  return {{"mean_accuracy", test.accuracy.mean_accuracy},
          {"worst_group_accuracy", test.groups->worst_group_accuracy}};
}

}  // namespace

void DatasetOptions::validate() const {
  images.validate();
  check_at_least("epochs", epochs, 1);
  check_at_least("features", features, 1);
}

Json make_dataset(const fs::path& folder, const DatasetOptions& options,
                  const fs::path& fashion_mnist) {
  options.validate();
  Json json = settings_json(options);
  if (Json earlier = finished(folder / "dataset.json", json); !earlier.is_null()) return earlier;

  const auto start = std::chrono::steady_clock::now();
  demo::write_biased_images(folder / "data",
                            demo::make_biased_images(options.images, fashion_mnist));
  const DataFolder data = open_data(folder / "data", {});
  train_erm(folder, data, options);
  ErmModel model = ErmModel::load(folder / "erm.pt");
  extract_embeddings(model, data, {}, folder / "embeddings");
  json["erm"] = erm_accuracy(EmbeddingFolder::open(folder / "embeddings"));
  json["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_file(folder / "dataset.json", json.dump() + "\n");
  return json;
}

}  // namespace neurontune::benchmark
