#pragma once

#include <CLI/App.hpp>

namespace neurontune::experiments {

void add_label_noise(CLI::App& app);
void add_identification_data(CLI::App& app);
void add_selection(CLI::App& app);
void add_transfer(CLI::App& app);

}  // namespace neurontune::experiments
