# Linked PRIVATE: the project's own warnings and sanitizers, never its users'.
add_library(neurontune_warnings INTERFACE)
target_compile_options(neurontune_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wconversion -Wno-sign-conversion)
if(NEURONTUNE_SANITIZE)
  target_compile_options(neurontune_warnings INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    -fno-sanitize=vptr)  # it needs type information that LibTorch hides
  target_link_options(neurontune_warnings INTERFACE -fsanitize=address,undefined)
endif()
