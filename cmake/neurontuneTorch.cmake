# LibTorch as one target, neurontune::torch, named the same way in the build and in the installed
# package, so that no path of the machine that built the package gets into it.
if(NOT TARGET neurontune::torch)
  add_library(neurontune::torch INTERFACE IMPORTED)
  target_link_libraries(neurontune::torch INTERFACE ${TORCH_LIBRARIES})
endif()
