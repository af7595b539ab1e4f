# `cmake --install`: the library with its headers, a package that find_package(neurontune) finds, and
# what there is to read. tools/CMakeLists.txt installs the program.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/neurontune)

install(TARGETS neurontune EXPORT neurontuneTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/neurontune ${PROJECT_BINARY_DIR}/include/neurontune
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT neurontuneTargets NAMESPACE neurontune:: DESTINATION ${package_dir})

# A static library's private dependencies are linked by its users.
set(NEURONTUNE_IS_STATIC OFF)
if(library_type STREQUAL "STATIC_LIBRARY")
  set(NEURONTUNE_IS_STATIC ON)
endif()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/neurontuneConfig.cmake.in
  ${PROJECT_BINARY_DIR}/neurontuneConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/neurontuneConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/neurontuneConfig.cmake
  ${PROJECT_BINARY_DIR}/neurontuneConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/neurontuneTorch.cmake
  ${CMAKE_CURRENT_LIST_DIR}/neurontuneLiblinear.cmake
  ${CMAKE_CURRENT_LIST_DIR}/neurontuneOpenmp.cmake
  ${CMAKE_CURRENT_LIST_DIR}/neurontuneWebp.cmake
  ${CMAKE_CURRENT_LIST_DIR}/neurontuneYaml.cmake
  ${CMAKE_CURRENT_LIST_DIR}/neurontuneZip.cmake
  DESTINATION ${package_dir})

install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs ${PROJECT_SOURCE_DIR}/examples
  DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN __pycache__ EXCLUDE
  PATTERN docs/api EXCLUDE PATTERN docs/index.rst EXCLUDE)
