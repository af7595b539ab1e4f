#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "neurontune/base/log.h"
#include "neurontune/data/image.h"
#include "neurontune/export.h"
#include "neurontune/method/neuron_tune.h"
#include "neurontune/method/retraining.h"
#include "neurontune/method/selection.h"
#include "neurontune/method/spuriousness.h"
#include "neurontune/pipeline/extract.h"
#include "neurontune/repair/anchored_retraining.h"
#include "neurontune/repair/repair.h"
#include "neurontune/shortcut/shortcut_search.h"

namespace neurontune {

/// All settings of a run. The JSON form has the same names and nesting, and every key may be left
/// out: {"seed": 0, "identify": {"threshold": 0, …}, …}.
struct NEURONTUNE_EXPORT Config {
  std::string recipe = "robust";  ///< the named set of settings the others start from
  uint64_t seed = 0;              ///< of everything random
  std::string device = "auto";    ///< auto (CUDA where there is one), cpu, cuda or cuda:N
  int64_t threads = 0;            ///< for tensor work, up to 4 a processor; 0: LibTorch's

  struct {
    std::string path;           ///< a TorchScript file
    std::string head = "auto";  ///< as in SplitOptions
    std::string output = "auto";
    std::string preload_lib;  ///< shared libraries of custom operators, separated by commas
  } model;                    ///< that is repaired
  struct {
    std::string path;  ///< a folder with metadata.csv or another manifest, or the manifest
    std::string format = "auto";  ///< of the manifest, as open_data takes it
    ImageTransform transform;
    ExtractionOptions extraction;
  } data;  ///< its images or tokens
  struct {
    std::string path;    ///< a folder of embeddings, instead of model and data
    std::string arrays;  ///< what its arrays are called, as ArrayNames::parse takes it
  } embeddings;          ///< computed elsewhere
  struct {
    std::string identify = "val";
    std::string tune = "train";
  } splits;  ///< or parts of them, as SplitSelector::parse takes them

  IdentificationOptions identify;  ///< of the biased dimensions
  RetrainingOptions tune;          ///< of the head
  SelectionOptions select;         ///< of the repair
  ShortcutSearchOptions shortcut;  ///< of the evidence
  AnchoredOptions anchored;        ///< of the heads retrained near the ERM head

  /// @throws OptionError if a value is out of its range
  void validate() const;
};

/// A setting written out on a command line.
struct SettingFlag {
  std::string flag;  ///< as the user knows it: "--epochs"
  std::string key;   ///< dotted: "tune.epochs"
  std::string text;  ///< "40"
};

/// Flags over the config file over the transform.json beside the model over DATA/transform.json
/// over the data's format over the recipe over the structs' defaults.
///
/// @param config_file a JSON or YAML file, or empty for none
/// @param log         gets which transform.json was used
/// @throws OptionError for an unknown key, recipe or name, a value of another type or out of its
///         range, or a config that is neither JSON nor YAML
/// @throws Error if a file cannot be read
NEURONTUNE_EXPORT Config resolve_config(const std::filesystem::path& config_file,
                                        const std::vector<SettingFlag>& flags,
                                        const LogFn& log = {});

/// The transform that a transform.json says.
/// @param base of what it leaves out
/// @throws Error as `resolve_config` does
NEURONTUNE_EXPORT ImageTransform transform_of_file(const std::filesystem::path& file,
                                                   const ImageTransform& base);

/// A config with some settings changed, in their order; that of a recipe changes all the recipe
/// names, whatever file or flag set them before.
/// @throws OptionError as `resolve_config` does
NEURONTUNE_EXPORT Config with_settings(Config config, const std::vector<SettingFlag>& settings);

/// Every setting as JSON, which `resolve_config` reads.
NEURONTUNE_EXPORT std::string json_text(const Config& config);

/// The names of the recipes compiled in.
NEURONTUNE_EXPORT std::vector<std::string> recipe_names();

/// The settings the paper's method takes of a config, and those that `repair` does.
NEURONTUNE_EXPORT NeuronTuneOptions neuron_tune_options(const Config& config);
NEURONTUNE_EXPORT RepairOptions repair_options(const Config& config);

/// The device that `text` (auto, cpu, cuda, cuda:N) names on this machine.
/// @throws OptionError if it is no such name; Error if there is no such device
/// @param log gets the device, and how many threads there are
NEURONTUNE_EXPORT at::Device resolve_device(const std::string& text, const LogFn& log = {});

}  // namespace neurontune
