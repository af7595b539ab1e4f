# The library that users link, an archive or (BUILD_SHARED_LIBS) a shared one, of the same objects.
configure_file(${PROJECT_SOURCE_DIR}/cmake/version.h.in
  ${PROJECT_BINARY_DIR}/include/neurontune/version.h @ONLY)

function(add_library_of_objects name)
  add_library(${name} ${ARGN} $<TARGET_OBJECTS:neurontune_objects>)
  target_include_directories(${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
      $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${name} PUBLIC cxx_std_20)
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(${name}
    PUBLIC neurontune::torch
    PRIVATE neurontune::openmp JPEG::JPEG PNG::PNG GIF::GIF TIFF::TIFF neurontune::webp ZLIB::ZLIB
      neurontune::zip neurontune::yaml neurontune::liblinear $<BUILD_INTERFACE:neurontune_warnings>)
endfunction()

add_library_of_objects(neurontune)
add_library(neurontune::neurontune ALIAS neurontune)
set_target_properties(neurontune PROPERTIES VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

# The project's own programs also use what a shared library hides.
get_target_property(library_type neurontune TYPE)
if(library_type STREQUAL "SHARED_LIBRARY")
  add_library_of_objects(neurontune_internal STATIC EXCLUDE_FROM_ALL)
else()
  add_library(neurontune_internal ALIAS neurontune)
endif()
