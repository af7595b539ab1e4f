#pragma once

namespace neurontune {

/// What becomes of a file that is destroyed before it is finished, or whose process ends.
enum class Unfinished {
  removed,
  kept,  ///< hidden beside its path: the next writer of the same path finds the content there
};

}  // namespace neurontune
