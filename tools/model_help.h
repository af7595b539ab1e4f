#pragma once

namespace neurontune::cli {

// What the flags of a model say, in subcommands with a config and without.
inline constexpr const char* kModelHelp =
    "The trained classifier, a TorchScript file. --model may be left out.";
inline constexpr const char* kHeadHelp =
    "The layer to retrain: the name of the last linear layer, or of a submodule that ends the "
    "model "
    "and becomes the head. auto finds the last linear layer.";
inline constexpr const char* kOutputHelp =
    "The output that holds the logits, where the model has several: a place in a tuple (0), a "
    "field "
    "or a key (logits).";
inline constexpr const char* kPreloadHelp =
    "Shared libraries with the custom operators that the model needs.";

}  // namespace neurontune::cli
