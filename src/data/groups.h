#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace neurontune {

/// A sample whose group y·A + a is known.
struct GroupedSample {
  int64_t label = 0;  ///< y, at least 0
  int64_t group = 0;  ///< at least 0, or −1 where not known
};

/// The number of attributes A behind groups y·A + a: the smallest by which every group is at most
/// its label's last. The attributes then are group % A.
///
/// @param where    what the samples come from, for the message
/// @param describe where a sample is found, for the message: "line 3"
/// @return 1 where there is no sample
/// @throws Error if there is no such A; it names two samples that contradict each other
int64_t attributes_of_groups(const std::string& where, const std::vector<GroupedSample>& samples,
                             const std::function<std::string(std::size_t)>& describe);

/// A file's groups.
struct GroupedSplit {
  std::string file;   ///< for messages
  at::Tensor labels;  ///< int64 [N]
  at::Tensor groups;  ///< int64 [N]
};

/// The attributes of all splits of a data set, by one A.
///
/// @return an int64 [N] for each, −1 where the group is not known
/// @throws Error as above
std::vector<at::Tensor> attributes_of_groups(const std::string& where,
                                             const std::vector<GroupedSplit>& splits);

}  // namespace neurontune
