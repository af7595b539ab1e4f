# libwebp with its demuxer as one target, neurontune::webp, found the same way in the build and in the
# installed package: Debian's comes without a package for CMake.
if(NOT TARGET neurontune::webp)
  find_path(WEBP_INCLUDE_DIR webp/demux.h REQUIRED)
  find_library(WEBP_LIBRARY webp REQUIRED)
  find_library(WEBPDEMUX_LIBRARY webpdemux REQUIRED)
  mark_as_advanced(WEBP_INCLUDE_DIR WEBP_LIBRARY WEBPDEMUX_LIBRARY)
  add_library(neurontune::webp UNKNOWN IMPORTED)
  set_target_properties(neurontune::webp PROPERTIES
    IMPORTED_LOCATION ${WEBPDEMUX_LIBRARY} INTERFACE_LINK_LIBRARIES ${WEBP_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${WEBP_INCLUDE_DIR})
endif()
