# `cpack -G TGZ` and `cpack -G DEB` in the build folder. Neither package holds LibTorch: the program
# looks for it where CMake found it (RuntimePath.cmake). The .deb names Debian's libraries itself.
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_VENDOR "The NeuronTune authors")
set(CPACK_PACKAGE_CONTACT "The NeuronTune authors <neurontune@neurontune.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION "\
NeuronTune repairs a trained classifier that relies on a spurious feature. The repair happens after
training, changes the last linear layer alone and needs no group labels. This package holds the
program, the C++ library and its documentation. It needs the LibTorch that it was built with, in
${TORCH_INSTALL_PREFIX}.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${TORCH_INSTALL_PREFIX}/lib)
# What a program that links the archive needs besides.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libjpeg62-turbo-dev, libpng-dev, libwebp-dev, libgif-dev, \
libtiff-dev, zlib1g-dev, libzip-dev, libyaml-cpp-dev, liblinear-dev")
include(CPack)
