#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace neurontune {

/// The byte of a pickle that says True, and the one that says False.
inline constexpr char kPickledTrue = '\x88', kPickledFalse = '\x89';

/// Where the pickle of a TorchScript module (its file's data.pkl) says that modules are in training
/// mode: the places of kPickledTrue. Other objects, dicts and tuples may have a `training` too.
///
/// @param module_classes qualified names of the modules' classes
/// @throws Error if the pickle is not made as torch.jit.save makes one
std::vector<std::size_t> training_flags(const std::string& pickle,
                                        const std::set<std::string>& module_classes);

}  // namespace neurontune
