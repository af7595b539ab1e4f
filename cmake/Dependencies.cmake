# Every dependency of the library and its command line, from the system or CMAKE_PREFIX_PATH.
find_package(Torch REQUIRED)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_path(LIBFCCP_INCLUDE_DIR libfccp/csv.h REQUIRED)

if(NEURONTUNE_TOOLS)
  find_package(CLI11 REQUIRED)
endif()
