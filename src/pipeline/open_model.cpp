#include "neurontune/pipeline/open_model.h"

#include <sstream>

namespace neurontune {

DataFolder open_configured_data(const Config& config) {
  return open_data(config.data.path, config.data.transform, config.data.format,
                   config.data.extraction.skip_bad ? BadImages::kept : BadImages::refused);
}

EmbeddingFolder open_configured_embeddings(const Config& config) {
  return EmbeddingFolder::open(config.embeddings.path, ArrayNames::parse(config.embeddings.arrays));
}

ErmModel open_model(const Config& config) {
  std::istringstream libraries(config.model.preload_lib);
  for (std::string library; std::getline(libraries, library, ',');)
    if (!library.empty()) load_operators(library);
  return ErmModel::load(config.model.path, resolve_device(config.device),
                        {config.model.head, config.model.output});
}

}  // namespace neurontune
