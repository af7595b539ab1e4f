# Where the installed program looks for LibTorch: `rpath` alone, and no folder of this machine. CMake
# writes it over what is there, which must be as long.
set(program $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/neurontune/bin/neurontune)
file(READ_ELF ${program} RUNPATH linked RPATH linked_by_rpath)
set(linked ${linked} ${linked_by_rpath})
list(JOIN linked ":" linked)
file(RPATH_CHANGE FILE ${program} OLD_RPATH "${linked}" NEW_RPATH "${rpath}")
