# Linked PRIVATE: the project's own warnings and sanitizers, never its users'.
add_library(neurontune_warnings INTERFACE)
target_compile_options(neurontune_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wconversion -Wno-sign-conversion)
# Where warnings are errors, these stay warnings: they come from the optimiser, and GCC 12 gives
# false ones of each for plain uses of std::string and std::vector.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(neurontune_warnings INTERFACE
    -Wno-error=stringop-overflow -Wno-error=stringop-overread -Wno-error=restrict
    -Wno-error=array-bounds -Wno-error=maybe-uninitialized -Wno-error=free-nonheap-object)
endif()
if(NEURONTUNE_SANITIZE)
  target_compile_options(neurontune_warnings INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    -fno-sanitize=vptr)  # it needs type information that LibTorch hides
  target_link_options(neurontune_warnings INTERFACE -fsanitize=address,undefined)
endif()
