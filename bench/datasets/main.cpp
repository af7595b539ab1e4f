// Makes one data set of the benchmark suite, with the embeddings of a model trained on it.
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>
#include <optional>
#include <string>

#include "benchmark_dataset.h"
#include "exit_code.h"
#include "log.h"
#include "neurontune/base/error.h"

namespace {

using neurontune::OptionError;
using neurontune::benchmark::DatasetOptions;

constexpr const char* kFooter = R"(Families, and the numbers of classes recommended for the suite:
  dominoes  the label's photograph below the attribute's, grey 56 x 28: 2, 3, 4
  textured  a garment before coloured stripes, clear or faint, colour 32 x 32: 2, 4
  patch     a coloured square in a corner, clear or faint, colour 28 x 28: 2, 10

Train and val hold the correlation in each class that is not unbiased; in test every (label,
attribute) group is equally often. With --train-groups, --val-groups and --test-groups the groups
are as often as they say. Printed, and kept in DIR/dataset.json: one line of JSON with
ERM's accuracy on test. A finished DIR is left as it is. Exit codes: 0 done, 2 wrong usage, 1 all
else.)";

/// The command line.
struct Command {
  explicit Command(CLI::App& app) {
    app.add_option("FAMILY", family, "dominoes, textured or patch")->required();
    app.add_option("--out", out, "folder for data/, erm.pt and embeddings/")
        ->required()
        ->option_text("DIR");
    auto& images = options.images;
    app.add_option("--classes", images.classes, "of labels, and of attributes")
        ->option_text("C [2]");
    app.add_option("--correlation", correlation,
                   "fraction of each class whose attribute is the class's; none: 1 / C, nothing to "
                   "gain from it")
        ->option_text("X | none [0.95]");
    app.add_option("--unbiased-classes", images.unbiased_classes,
                   "the first K classes have every attribute equally often, whatever the "
                   "correlation")
        ->option_text("K [0]");
    app.add_option("--train-groups", tables.train,
                   "instead: samples of every (label, attribute) in order, attributes the faster")
        ->delimiter(',')
        ->option_text("N,…");
    app.add_option("--val-groups", tables.val, "of val")->delimiter(',')->option_text("N,…");
    app.add_option("--test-groups", tables.test, "of test")->delimiter(',')->option_text("N,…");
    app.add_option("--label-noise", images.label_noise,
                   "fraction of train's and val's labels that are made wrong")
        ->option_text("X [0]");
    app.add_option("--seed", images.seed, "of the images, the network and its batches")
        ->option_text("N [0]");
    app.add_option("--threads", threads, "for tensor work; 0: all cores")->option_text("N [0]");
    app.add_option("--train-samples", images.train_samples, "a multiple of C")
        ->option_text("N [8000, from 5 classes 16000; with unbiased classes 2/3]");
    app.add_option("--val-samples", images.val_samples, "a multiple of C")
        ->option_text("N [4000, from 5 classes 8000; with unbiased classes 2/3]");
    app.add_option("--test-samples", images.test_samples, "a multiple of C * C")
        ->option_text("N [2000, from 5 classes 10000]");
    app.add_option("--epochs", options.epochs, "of ERM")->option_text("N [12]");
    app.add_option("--features", options.features, "of the network's embedding")
        ->option_text("M [256]");
    app.add_option("--fashion-mnist", fashion_mnist, "folder of the original photographs")
        ->option_text("DIR [" + fashion_mnist + "]");
    app.footer(kFooter);
  }

  void execute() {
    if (threads < 0) {
      throw OptionError("threads is " + std::to_string(threads) + ", expected at least 0");
    }
    if (threads > 0) at::set_num_threads(threads);
    options.images.family = neurontune::demo::parse_family(family);
    options.images.correlation = parse_correlation();
    if (!tables.train.empty() || !tables.val.empty() || !tables.test.empty())
      options.images.groups = tables;
    std::cout << neurontune::benchmark::make_dataset(out, options, fashion_mnist).dump() << '\n';
  }

  std::optional<double> parse_correlation() const {
    if (correlation == "none") return std::nullopt;
    double value = 0;
    const char* end = correlation.data() + correlation.size();
    const auto [rest, failure] = std::from_chars(correlation.data(), end, value);
    if (failure != std::errc() || rest != end) {
      throw OptionError("correlation is " + correlation + ", expected 0 to 1 or none");
    }
    return value;
  }

  DatasetOptions options;
  neurontune::demo::GroupTables tables;
  std::string family, out, correlation = "0.95";
  std::string fashion_mnist = neurontune::demo::kFashionMnistFolder;
  int threads = 0;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Makes a biased data set of real photographs, trains a small CNN on it and writes its "
      "embeddings.",
      "datasets");
  neurontune::cli::Log log;
  return neurontune::cli::exit_code_of(app, log, [&] {
    Command command(app);
    app.parse(argc, argv);
    command.execute();
  });
}
