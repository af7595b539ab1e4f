// The parts of the method, one by one, with Google Benchmark:
//
//   parts small|full|growth|small-growth [--benchmark_filter=REGEX …]
//
// `full` is CelebA's size and ImageNet's number of classes, `growth` the first identification over
// two decades of samples, dimensions and classes, for growth.py; the small ones run in seconds and
// only show that everything works. What a part is held against is a benchmark beside it: one read
// of the same embeddings, medians by selection, plain matrix products.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/GradMode.h>
#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "method/ranked_split.h"
#include "neurontune/data/split.h"
#include "neurontune/io/npz.h"
#include "neurontune/io/safetensors.h"
#include "neurontune/method/mistake_test.h"
#include "neurontune/method/retraining.h"
#include "neurontune/shortcut/rebalanced_retraining.h"
#include "numerics/cross_product.h"
#include "shortcut/group_fit.h"

namespace neurontune {
namespace {

struct Size {
  int64_t tuning, identification, dimensions, classes;
  int64_t batches = 200;
};

at::Generator generator(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

/// Rectified normal embeddings of balanced classes, each a little higher in dimensions of its own.
LabelledEmbeddings split_of(int64_t samples, const Size& size, uint64_t seed) {
  const auto labels = at::arange(samples).remainder(size.classes);
  auto embeddings = at::randn({samples, size.dimensions}, generator(seed));
  embeddings.scatter_add_(1, labels.remainder(size.dimensions).unsqueeze(1),
                          at::ones({samples, 1}));
  return {embeddings.relu_(), labels};
}

Head head_of(const Size& size) {
  return {at::randn({size.classes, size.dimensions}, generator(3)) / 50, at::zeros({size.classes})};
}

void read_once(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.identification, size, 1);
  for (auto _ : state) benchmark::DoNotOptimize(data.embeddings.max());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(data.embeddings.nbytes()));
}

/// Medians of every class and dimension by selection, without anything kept for later.
void medians_by_selection(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.identification, size, 1);
  std::vector<at::Tensor> columns;
  for (int64_t label = 0; label < size.classes; ++label)
    columns.push_back(data.embeddings.index_select(0, data.labels.eq(label).nonzero().squeeze(1))
                          .t()
                          .contiguous());
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<at::Tensor> scratch;
    for (const auto& of_class : columns) scratch.push_back(of_class.clone());
    state.ResumeTiming();
    for (const auto& of_class : scratch)
      at::parallel_for(0, of_class.size(0), 1, [&](int64_t begin, int64_t end) {
        const int64_t n = of_class.size(1);
        for (int64_t column = begin; column < end; ++column) {
          auto* const values = of_class.mutable_data_ptr<float>() + column * n;
          std::nth_element(values, values + n / 2, values + n);
        }
      });
  }
}

void first_identification(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.identification, size, 1);
  const auto predicted = predictions(head_of(size), data.embeddings);
  for (auto _ : state)
    benchmark::DoNotOptimize(RankedSplit(data, size.classes, Activation::raw).scores(predicted));
}

void sfit_of_an_epoch(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.identification, size, 1);
  const RankedSplit ranked(data, size.classes, Activation::raw);
  const auto predicted = predictions(head_of(size), data.embeddings);
  for (auto _ : state) benchmark::DoNotOptimize(spuriousness_fitness(ranked.scores(predicted)));
  state.counters["mistakes"] = predicted.ne(data.labels).sum().item<double>();
}

void test_of_the_mistakes(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.identification, size, 1);
  for (auto _ : state) benchmark::DoNotOptimize(test_mistakes(data, head_of(size)));
}

void epoch(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.tuning, size, 2);
  RetrainingOptions options;
  options.batches_per_epoch = size.batches;
  HeadRetrainer retrainer(data.embeddings, data.labels, head_of(size), options, generator(4));
  for (auto _ : state) benchmark::DoNotOptimize(retrainer.run_epoch());
}

/// The logits of an epoch's batches, their rows gathered, and nothing else.
void products_of_an_epoch(benchmark::State& state, const Size& size) {
  const c10::NoGradGuard no_grad;
  const auto data = split_of(size.tuning, size, 2);
  const auto weight = head_of(size).weight.t().contiguous();
  const auto rows = at::randint(0, size.tuning, {size.batches, 128}, generator(4), at::kLong);
  for (auto _ : state)
    for (int64_t batch = 0; batch < size.batches; ++batch)
      benchmark::DoNotOptimize(data.embeddings.index_select(0, rows[batch]).mm(weight));
}

void gram_matrix(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.identification, size, 1);
  for (auto _ : state) benchmark::DoNotOptimize(gram(data.embeddings));
}

void groups(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.identification, size, 1);
  const auto predicted = predictions(head_of(size), data.embeddings);
  for (auto _ : state) benchmark::DoNotOptimize(infer_groups(data, predicted, size.classes));
}

void rebalanced_fit(benchmark::State& state, const Size& size) {
  const auto data = split_of(size.tuning, size, 2);
  const auto beliefs = at::ones({size.tuning, size.classes}, at::kDouble) / size.classes;
  const auto weights = rebalancing_weights(data.labels, beliefs, size.classes);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        RebalancedRetrainer(data, head_of(size)).fit(weights, at::ones({size.dimensions})));
}

void safetensors_read(benchmark::State& state, const Size& size) {
  const auto file = std::filesystem::temp_directory_path() / "neurontune-parts.safetensors";
  const auto data = split_of(size.identification, size, 1);
  write_safetensors(file, {{"embeddings", data.embeddings}, {"labels", data.labels}});
  for (auto _ : state)
    benchmark::DoNotOptimize(neurontune::read_safetensors(file).at("embeddings").max());
  std::filesystem::remove(file);
}

/// A float32 matrix as numpy.savez writes it: not compressed.
void write_npz(const std::filesystem::path& file, const at::Tensor& matrix) {
  auto header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                std::to_string(matrix.size(0)) + ", " + std::to_string(matrix.size(1)) + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string array("\x93NUMPY\x01\x00", 8);
  array += {static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)};
  array += header;
  array.append(static_cast<const char*>(matrix.const_data_ptr()), matrix.nbytes());
  zip_t* const archive = zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  auto* const source = zip_source_buffer(archive, array.data(), array.size(), 0);
  const auto entry = zip_file_add(archive, "embeddings.npy", source, 0);
  zip_set_file_compression(archive, static_cast<zip_uint64_t>(entry), ZIP_CM_STORE, 0);
  if (zip_close(archive) != 0) throw std::runtime_error("cannot write " + file.string());
}

void npz_read(benchmark::State& state, const Size& size) {
  const auto file = std::filesystem::temp_directory_path() / "neurontune-parts.npz";
  write_npz(file, split_of(size.identification, size, 1).embeddings);
  for (auto _ : state) benchmark::DoNotOptimize(read_npz(file).at("embeddings").max());
  std::filesystem::remove(file);
}

void split_in_halves(benchmark::State& state, const Size& size) {
  const auto labels = at::arange(size.tuning).remainder(size.classes);
  const auto half = SplitSelector::parse("train:1/2");
  for (auto _ : state) benchmark::DoNotOptimize(part_rows(labels, half));
}

using Part = void (*)(benchmark::State&, const Size&);

void add(const char* name, Part part, const Size& size) {
  benchmark::RegisterBenchmark(name, part, size)->Unit(benchmark::kMillisecond)->UseRealTime();
}

/// The first identification and its peers over two decades of samples, dimensions and classes.
void add_growth(const Size& base) {
  const auto add_at = [](const char* axis, int64_t value, const Size& size) {
    const auto named = [&](const char* part) {
      return std::string(part) + "/" + axis + ":" + std::to_string(value);
    };
    add(named("first_identification").c_str(), first_identification, size);
    add(named("medians_by_selection").c_str(), medians_by_selection, size);
    add(named("read_once").c_str(), read_once, size);
  };
  for (const int64_t percent : {10, 32, 100, 316, 1000}) {
    auto size = base;
    add_at("samples", size.identification = base.identification * percent / 100, size);
    size = base;
    add_at("dimensions", size.dimensions = base.dimensions * percent / 100, size);
    size = base;
    add_at("classes", size.classes = std::max<int64_t>(2, base.classes * percent / 100), size);
  }
}

void add_all(const Size& celeba, const Size& imagenet) {
  add("read_once", read_once, celeba);
  add("safetensors_read", safetensors_read, celeba);
  add("npz_read", npz_read, celeba);
  add("split_in_halves", split_in_halves, celeba);
  add("medians_by_selection", medians_by_selection, celeba);
  add("first_identification", first_identification, celeba);
  add("sfit_of_an_epoch", sfit_of_an_epoch, celeba);
  add("test_of_the_mistakes", test_of_the_mistakes, celeba);
  add("epoch", epoch, celeba);
  add("products_of_an_epoch", products_of_an_epoch, celeba);
  add("epoch_of_1000_classes", epoch, imagenet);
  add("products_of_an_epoch_of_1000_classes", products_of_an_epoch, imagenet);
  add("gram_matrix", gram_matrix, celeba);
  add("groups", groups, celeba);
  add("rebalanced_fit", rebalanced_fit, celeba);
}

}  // namespace
}  // namespace neurontune

int main(int argc, char** argv) {
  const std::string size = argc > 1 ? argv[1] : "";
  using neurontune::Size;
  if (size == "growth") {
    neurontune::add_growth(Size{0, 20000, 256, 20});
  } else if (size == "small-growth") {
    neurontune::add_growth(Size{0, 1000, 32, 20});
  } else if (size == "full") {
    neurontune::add_all(Size{162770, 19867, 2048, 2}, Size{20000, 20000, 2048, 1000});
  } else if (size == "small") {
    neurontune::add_all(Size{600, 400, 64, 2, 5}, Size{600, 400, 32, 100, 2});
  } else {
    std::cerr << "usage: parts small|full|growth|small-growth [--benchmark_…]\n";
    return 2;
  }
  std::vector<char*> rest = {argv[0]};
  rest.insert(rest.end(), argv + 2, argv + argc);
  int count = static_cast<int>(rest.size());
  benchmark::Initialize(&count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, rest.data())) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
