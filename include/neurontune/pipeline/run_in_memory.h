#pragma once

#include <string>

#include "neurontune/base/log.h"
#include "neurontune/base/progress.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/export.h"
#include "neurontune/pipeline/config.h"
#include "neurontune/report/run_report.h"

namespace neurontune {

/// The settings of the method, for data in memory: recipe, seed, and those of identify, tune,
/// select, shortcut and anchored. Those of files and machines are refused: tensors are somewhere
/// already.
///
/// @param settings a JSON object, as a config file has it. A key may also be written with a dot,
///                 "tune.epochs", or by its last part alone, "epochs", where no other ends so.
/// @throws OptionError for an unknown key, naming the nearest, a key that may be one of several or
///         is given twice, a value of another type or out of its range
NEURONTUNE_EXPORT Config method_config(const std::string& settings);

/// The same settings as a JSON object of keys with dots, which `method_config` reads.
NEURONTUNE_EXPORT std::string method_settings(const Config& config);

/// What `run` does between its files: tunes the head on `config.splits` and measures it on every
/// split, where the tensors are.
///
/// @param data its splits all on one device
/// @throws Error as `tune_head` does
NEURONTUNE_EXPORT RunReport run_in_memory(const Config& config, const EmbeddingFolder& data,
                                          const ProgressFn& progress = {}, const LogFn& log = {});

}  // namespace neurontune
