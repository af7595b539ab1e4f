# libzip as one target, neurontune::zip, found the same way in the build and in the installed package.
# Not through libzip's own package: Debian's fails where its command line tools are not installed.
if(NOT TARGET neurontune::zip)
  find_path(LIBZIP_INCLUDE_DIR zip.h REQUIRED)
  find_library(LIBZIP_LIBRARY zip REQUIRED)
  mark_as_advanced(LIBZIP_INCLUDE_DIR LIBZIP_LIBRARY)
  add_library(neurontune::zip UNKNOWN IMPORTED)
  set_target_properties(neurontune::zip PROPERTIES
    IMPORTED_LOCATION ${LIBZIP_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${LIBZIP_INCLUDE_DIR})
endif()
