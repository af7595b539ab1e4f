# Writes a test of CTest for each suite of a GoogleTest program, for TEST_INCLUDE_FILES: one start a
# suite, where gtest_discover_tests has one a test, which takes longer than most tests do.
#
# cmake -D program=FILE -D out=FILE -P list_suites.cmake
cmake_policy(SET CMP0057 NEW)

# The models of these are exported, tuned and read again in an order of their own.
set(tests_apart ErmModel)

# Which fixture a suite of this name needs.
set(fixture_of_Oracle oracle_cases)
set(fixture_of_BaselineOracle baseline_cases)
set(fixture_of_Npz test_arrays)
set(fixture_of_Pillow test_images)

function(fixture_of suite result)
  set(${result} "" PARENT_SCOPE)
  if(suite MATCHES "OracleOnDevice")
    set(${result} ${fixture_of_Oracle} PARENT_SCOPE)
    return()
  endif()
  string(REGEX REPLACE "/.*" "" first ${suite})
  if(DEFINED fixture_of_${first})
    set(${result} ${fixture_of_${first}} PARENT_SCOPE)
  endif()
endfunction()

# The text of one test; GoogleTest says [  SKIPPED ] where there is no such device.
function(test_text name filter fixture result)
  set(text "add_test([=[${name}]=] [=[${program}]=] [=[--gtest_filter=${filter}]=] --gtest_brief=1)\n")
  set(properties "")
  if(fixture)
    string(APPEND properties " FIXTURES_REQUIRED ${fixture}")
  endif()
  if(name MATCHES "/cuda$")
    string(APPEND properties " SKIP_REGULAR_EXPRESSION [=[Skipped]=]")
  endif()
  if(properties)
    string(APPEND text "set_tests_properties([=[${name}]=] PROPERTIES${properties})\n")
  endif()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

execute_process(COMMAND ${program} --gtest_list_tests OUTPUT_VARIABLE listed
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "(^|\n)[^ \n]+\\.( *#[^\n]*)?(\n|$)" heads "${listed}")
set(all "")
foreach(head IN LISTS heads)
  string(REGEX REPLACE "^\n?([^ \n]+)\\..*" "\\1" suite "${head}")
  if(suite MATCHES ${tests_apart})
    continue()
  endif()
  fixture_of(${suite} fixture)
  if(suite MATCHES "^Devices/")
    foreach(device cpu cuda)
      test_text(${suite}/${device} "${suite}.*/${device}" "${fixture}" text)
      string(APPEND all "${text}")
    endforeach()
  else()
    test_text(${suite} "${suite}.*" "${fixture}" text)
    string(APPEND all "${text}")
  endif()
endforeach()
if(NOT all)
  message(FATAL_ERROR "${program} lists no suite")
endif()
file(WRITE ${out} "${all}")
