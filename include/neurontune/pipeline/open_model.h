#pragma once

#include "neurontune/base/log.h"
#include "neurontune/data/dataset.h"
#include "neurontune/data/embeddings.h"
#include "neurontune/export.h"
#include "neurontune/model/erm_model.h"
#include "neurontune/pipeline/config.h"

namespace neurontune {

// Each tells the log which files it opened, and what it found in them.

/// Opens `config.data`.
/// @throws Error as open_data does
NEURONTUNE_EXPORT DataFolder open_configured_data(const Config& config, const LogFn& log = {});

/// Opens `config.embeddings`.
/// @throws Error as ArrayNames::parse and EmbeddingFolder::open do
NEURONTUNE_EXPORT EmbeddingFolder open_configured_embeddings(const Config& config,
                                                             const LogFn& log = {});

/// Loads `config.model`, and before it the operators it needs, to `config.device`.
/// @throws Error as ErmModel::load and resolve_device do
NEURONTUNE_EXPORT ErmModel open_model(const Config& config, const LogFn& log = {});

}  // namespace neurontune
