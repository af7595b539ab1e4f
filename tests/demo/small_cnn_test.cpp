#include "demo/small_cnn.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "file_bytes.h"
#include "neurontune/base/error.h"
#include "neurontune/model/erm_model.h"

namespace neurontune::demo {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::file_bytes;

/// Noise with a bright bar, at the top for class 0 and at the bottom for class 1.
class Bars : public Dataset {
 public:
  Bars(int64_t size, at::IntArrayRef image, uint64_t seed) {
    auto generator = at::detail::createCPUGenerator(seed);
    const int64_t height = image[1];
    images_ = at::rand({size, image[0], height, image[2]}, generator);
    labels_ = at::randint(2, {size}, generator, at::TensorOptions(at::kLong));
    for (int64_t i = 0; i < size; ++i) {
      const int64_t top = labels_[i].item<int64_t>() == 0 ? 0 : height / 2;
      images_[i].narrow(1, top + height / 8, height / 8).add_(0.7);
    }
  }

  int64_t size() const override { return labels_.size(0); }
  at::Tensor labels() const override { return labels_; }
  at::Tensor attributes() const override { return {}; }
  std::vector<std::string> ids() const override {
    return std::vector<std::string>(static_cast<size_t>(size()), "bar");
  }
  std::vector<std::string> input_names() const override { return {"inputs"}; }
  std::vector<at::Tensor> batch(int64_t first, int64_t last) const override {
    return {images_.narrow(0, first, last - first)};
  }
  std::string fingerprint() const override { return "bars"; }

 private:
  at::Tensor images_;
  at::Tensor labels_;
};

ErmTrainingOptions quick(uint64_t seed = 0) {
  ErmTrainingOptions options;
  options.epochs = 3;
  options.batch_size = 32;
  options.seed = seed;
  return options;
}

fs::path path_of(const std::string& name) { return fs::path(testing::TempDir()) / name; }

std::string error_of(const Dataset& train, int64_t classes, const ErmTrainingOptions& options) {
  try {
    train_small_cnn(train, classes, options, path_of("refused.pt"));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(SmallCnn, LearnsAndLoadsAsAModelWithItsHead) {
  const auto path = path_of("bars.pt");
  train_small_cnn(Bars(512, {1, 56, 28}, 1), 2, quick(), path);

  const auto model = ErmModel::load(path);
  EXPECT_EQ(model.head_name(), "fc");
  EXPECT_EQ(model.head().classes(), 2);
  EXPECT_EQ(model.head().embedding_dim(), 256);
  const Bars unseen(200, {1, 56, 28}, 2);
  const auto images = unseen.batch(0, unseen.size());
  const auto correct = model.output(images).argmax(1).eq(unseen.labels()).sum().item<int64_t>();
  EXPECT_GE(correct, 196);
  EXPECT_GE(model.features(images).min().item<float>(), 0.0F) << "features are rectified";
  EXPECT_LE(model.verify(images).max_abs_difference, 1e-4);
}

TEST(SmallCnn, SameSeedGivesTheSameBytesAndAnotherOthers) {
  const Bars train(96, {1, 56, 28}, 1);
  train_small_cnn(train, 2, quick(5), path_of("first.pt"));
  train_small_cnn(train, 2, quick(5), path_of("second.pt"));
  train_small_cnn(train, 2, quick(6), path_of("other_seed.pt"));
  EXPECT_EQ(file_bytes(path_of("first.pt")), file_bytes(path_of("second.pt")));
  EXPECT_NE(file_bytes(path_of("first.pt")), file_bytes(path_of("other_seed.pt")));
}

TEST(SmallCnn, TakesColourImagesOfOtherSizesAndMoreClasses) {
  for (const auto& image : std::vector<std::vector<int64_t>>{{3, 16, 16}, {3, 97, 64}}) {
    const Bars train(40, image, 1);
    const auto path = path_of("colour.pt");
    train_small_cnn(train, 4, quick(), path);
    const auto logits = ErmModel::load(path).output(train.batch(0, 5));
    EXPECT_EQ(logits.sizes(), (std::vector<int64_t>{5, 4}));
  }
}

TEST(SmallCnn, ReportsEveryBatch) {
  std::vector<int64_t> done;
  int64_t last_total = 0;
  train_small_cnn(Bars(70, {1, 16, 16}, 1), 2, quick(), path_of("progress.pt"),
                  [&](std::string_view stage, int64_t finished, int64_t total) {
                    EXPECT_EQ(stage, "train");
                    done.push_back(finished);
                    last_total = total;
                  });
  EXPECT_THAT(done, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(last_total, 9);
}

TEST(SmallCnn, RefusesWhatItCannotTrainOn) {
  EXPECT_THAT(error_of(Bars(8, {1, 15, 28}, 1), 2, quick()), HasSubstr("[8, 1, 15, 28]"));
  const Bars train(32, {1, 16, 16}, 1);
  EXPECT_THAT(error_of(train, 1, quick()), HasSubstr("classes is 1, expected at least 2"));
  auto options = quick();
  options.epochs = 0;
  EXPECT_THAT(error_of(train, 2, options), HasSubstr("epochs is 0"));
  options = quick();
  options.learning_rate = 0;
  EXPECT_THAT(error_of(train, 2, options), HasSubstr("learning_rate"));
}

}  // namespace
}  // namespace neurontune::demo
