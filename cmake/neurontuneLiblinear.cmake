# liblinear as one target, neurontune::liblinear, found the same way in the build and in the
# installed package. It brings no package of its own.
if(NOT TARGET neurontune::liblinear)
  find_path(LIBLINEAR_INCLUDE_DIR linear.h PATH_SUFFIXES liblinear REQUIRED)
  find_library(LIBLINEAR_LIBRARY linear REQUIRED)
  mark_as_advanced(LIBLINEAR_INCLUDE_DIR LIBLINEAR_LIBRARY)
  add_library(neurontune::liblinear UNKNOWN IMPORTED)
  set_target_properties(neurontune::liblinear PROPERTIES
    IMPORTED_LOCATION ${LIBLINEAR_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${LIBLINEAR_INCLUDE_DIR})
endif()
