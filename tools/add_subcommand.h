#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "base/log_message.h"
#include "log.h"
#include "log_options.h"
#include "neurontune/version.h"

namespace neurontune::cli {

/// Adds a subcommand: a `Command` is made of its flags and the log, and executes when parsing has
/// ended.
template <typename Command>
void add_subcommand(CLI::App& app, Log& log, const char* name, const char* description) {
  auto* flags = app.add_subcommand(name, description);
  auto command = std::make_shared<Command>(*flags, log);
  add_log_options(*flags, log);
  if (auto* out = flags->get_option_no_throw("--out"); out != nullptr)
    out->check([](const std::string& path) {
      return path.empty() ? std::string("is empty, expected a path") : std::string();
    });
  flags->callback([command, &log, name] {
    log_debug(log.callback(), "neurontune ", kVersion, ", subcommand ", name);
    const auto start = std::chrono::steady_clock::now();
    command->execute();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    log_debug(log.callback(), "subcommand ", name, ": ", taken.count(), " s");
  });
}

}  // namespace neurontune::cli
