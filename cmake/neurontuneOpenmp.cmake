# OpenMP as one target, neurontune::openmp, of the compiler's options alone. With the path of the
# library, as FindOpenMP has it, CMake warns for each program that LibTorch brings a library of the
# same name.
if(NOT TARGET neurontune::openmp)
  add_library(neurontune::openmp INTERFACE IMPORTED)
  separate_arguments(openmp_options NATIVE_COMMAND "${OpenMP_CXX_FLAGS}")
  target_compile_options(neurontune::openmp INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${openmp_options}>")
  target_link_options(neurontune::openmp INTERFACE ${openmp_options})
endif()
