#pragma once

namespace neurontune::cli {

// What the flags of a model say, in subcommands with a config and without.
inline constexpr const char* kHeadHelp =
    "the last linear layer, or a submodule that becomes the head; auto finds the layer";
inline constexpr const char* kOutputHelp =
    "which of several outputs holds the logits: a place in a tuple, a field or a key";
inline constexpr const char* kPreloadHelp =
    "shared libraries of custom operators that the model needs";

}  // namespace neurontune::cli
