# Every dependency of the library and its command line, from the system or CMAKE_PREFIX_PATH.

# LibTorch: where nothing names one, the Python package that scripts/setup puts into .venv.
file(GLOB venv_torch ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch/share/cmake)
# It warns that static libraries are missing which its shared ones do not need; errors still show.
set(CMAKE_MESSAGE_LOG_LEVEL ERROR)
find_package(Torch QUIET)
if(NOT Torch_FOUND AND venv_torch)
  find_package(Torch QUIET PATHS ${venv_torch} NO_DEFAULT_PATH)
endif()
unset(CMAKE_MESSAGE_LOG_LEVEL)
if(NOT Torch_FOUND)
  message(FATAL_ERROR
    "No LibTorch: run scripts/setup, or name the folder of TorchConfig.cmake in Torch_DIR or its "
    "prefix in CMAKE_PREFIX_PATH.")
endif()
message(STATUS "LibTorch: ${Torch_DIR}")
include(neurontuneTorch)

# at::parallel_for runs on one thread in files that are compiled without it.
find_package(OpenMP REQUIRED COMPONENTS CXX)
include(neurontuneOpenmp)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(GIF 5 REQUIRED)
find_package(TIFF 4.5 REQUIRED)  # errors of a file, not of the process
find_package(ZLIB REQUIRED)
include(neurontuneWebp)
include(neurontuneYaml)
include(neurontuneZip)
include(neurontuneLiblinear)
include(neurontuneMustache)

if(NEURONTUNE_TOOLS)
  find_package(CLI11 REQUIRED)
  find_package(spdlog 1.9 REQUIRED)
endif()
if(NEURONTUNE_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()

# A project that takes this one in as source links these too: it must see them.
if(NOT PROJECT_IS_TOP_LEVEL)
  get_property(found DIRECTORY PROPERTY IMPORTED_TARGETS)
  set_target_properties(${found} PROPERTIES IMPORTED_GLOBAL TRUE)
endif()
