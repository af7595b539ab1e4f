#pragma once

namespace neurontune {

/// What a command writes for people to look at.
struct PageOptions {
  bool written = true;  ///< report.html, and what it is made from
  bool images = true;   ///< whether it holds small copies of the data's images
};

}  // namespace neurontune
