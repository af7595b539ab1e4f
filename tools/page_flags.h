#pragma once

#include <CLI/CLI.hpp>

#include "help.h"
#include "neurontune/pipeline/page_options.h"

namespace neurontune::cli {

/// --no-report, of commands that write report.html.
inline void add_report_flag(CLI::App& command, PageOptions& page) {
  put(command.add_flag_callback(
          "--no-report", [&page] { page.written = false; },
          "Do not write report.html, the result as a page to read."),
      group::kOutput);
}

/// --no-images, of those whose page may show images of the data.
inline void add_images_flag(CLI::App& command, PageOptions& page) {
  put(command.add_flag_callback(
          "--no-images", [&page] { page.images = false; },
          "Show no images of the data in report.html, only the samples' names."),
      group::kOutput);
}

/// --vocabulary, of those whose page may show text of the data.
inline void add_vocabulary_option(CLI::App& command, PageOptions& page) {
  put(command.add_option("--vocabulary", page.vocabulary,
                         "Show samples of tokens as text in report.html: vocab.txt, vocab.json or "
                         "tokenizer.json of their tokenizer."),
      group::kOutput, "FILE");
}

}  // namespace neurontune::cli
