# yaml-cpp as one target, neurontune::yaml, whatever its own package calls it: that differs between its
# versions.
if(NOT TARGET neurontune::yaml)
  find_package(yaml-cpp REQUIRED)
  add_library(neurontune::yaml INTERFACE IMPORTED)
  set_target_properties(neurontune::yaml PROPERTIES INTERFACE_LINK_LIBRARIES
    $<IF:$<TARGET_EXISTS:yaml-cpp::yaml-cpp>,yaml-cpp::yaml-cpp,yaml-cpp>)
endif()
