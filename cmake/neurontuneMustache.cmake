# The header of kainjow mustache as neurontune::mustache: Debian's comes without a package for CMake.
if(NOT TARGET neurontune::mustache)
  find_path(MUSTACHE_INCLUDE_DIR kainjow/mustache.hpp REQUIRED)
  mark_as_advanced(MUSTACHE_INCLUDE_DIR)
  add_library(neurontune::mustache INTERFACE IMPORTED)
  set_target_properties(neurontune::mustache PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES ${MUSTACHE_INCLUDE_DIR})
endif()
