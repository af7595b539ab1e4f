#include "model/evaluation_mode.h"

#include <algorithm>
#include <set>
#include <vector>

#include "io/zip_entries.h"
#include "model/archive.h"
#include "model/training_flags.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using torch::jit::Module;

bool is_training(const Module& module) {
  if (!module.hasattr("training")) return false;
  const auto flag = module.attr("training");
  return flag.isBool() && flag.toBool();
}

/// The entry that holds the module's attributes: data.pkl in the archive's root folder.
const ZipEntry* attributes_in(const std::vector<ZipEntry>& entries) {
  const auto found = std::find_if(entries.begin(), entries.end(), [](const ZipEntry& entry) {
    const auto root = entry.name.find('/');
    return root != std::string::npos && entry.name.substr(root + 1) == "data.pkl";
  });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

std::optional<ChangedRecord> evaluation_mode(const std::filesystem::path& path,
                                             const Module& module) {
  std::set<std::string> classes;
  std::set<const void*> training;  // one that is registered twice is in the file once
  for (const auto& part : module.modules()) {
    if (!is_training(part)) continue;
    training.insert(part._ivalue().get());
    classes.insert(part.type()->name()->qualifiedName());
  }
  if (training.empty()) return std::nullopt;
  const auto refuse = [&](const std::string& reason) {
    throw Error(path.string() +
                " was exported in training mode, and cannot be written in "
                "evaluation mode: " +
                reason + "; call model.eval() before exporting it");
  };
  const auto entries = read_zip_entries(path);
  const auto* entry = attributes_in(entries);
  if (entry == nullptr || !entry->stored) refuse("its data.pkl is missing or compressed");
  ChangedRecord record{entry->name, read_record(path, entry->name), ""};
  record.written = record.loaded;
  std::size_t found = 0;
  try {
    for (const auto place : training_flags(record.loaded, classes)) {
      record.written[place] = kPickledFalse;
      ++found;
    }
  } catch (const Error& error) {
    refuse(entry->name + " " + error.what());
  }
  if (found != training.size())
    refuse(entry->name + " has " + std::to_string(found) + " flags of " +
           std::to_string(training.size()) + " modules");
  return record;
}

}  // namespace neurontune
