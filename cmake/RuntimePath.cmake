# Where an installed program or shared library looks for the libraries it needs: beside itself, in the
# prefix's own folder, and where LibTorch was found. CMake adds the folders of the libraries that are
# linked, but none within the project, where scripts/setup puts LibTorch.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
set(CMAKE_INSTALL_RPATH
  $ORIGIN $ORIGIN/../${CMAKE_INSTALL_LIBDIR} ${TORCH_INSTALL_PREFIX}/lib)
