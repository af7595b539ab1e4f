#include <CLI/CLI.hpp>
#include <iostream>

#include "add_subcommand.h"
#include "help.h"
#include "neurontune/report/html_report.h"
#include "subcommands.h"

namespace neurontune::cli {
namespace {

struct ReportCommand {
  ReportCommand(CLI::App& command, Log&) {
    put(command.add_option("OUT", out,
                           "Folder that run, compare or ablate wrote its results into."),
        group::kOutput)
        ->required();
  }

  void execute() const { std::cout << write_html_report(out).string() << '\n'; }

  std::string out;
};

}  // namespace

void add_report(CLI::App& app, Log& log) {
  add_subcommand<ReportCommand>(app, log, "report",
                                "Make report.html again from the files that a command left");
}

}  // namespace neurontune::cli
