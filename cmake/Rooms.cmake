# The rooms of the source that work on tensors and JSON alone and handle no memory themselves: they lie
# above the others (docs/architecture.md), which build without them.
set(upper_rooms "(baselines|shortcut|repair|report|pipeline|compare|demo|recipes)/")

# Takes the files of the upper rooms, and those that include them, out of a list of source files.
function(keep_lower_rooms variable)
  set(kept "")
  foreach(file IN LISTS ${variable})
    if(file MATCHES "(^|/)${upper_rooms}[^/]*$")
      continue()
    endif()
    get_filename_component(path ${file} ABSOLUTE)
    set(includes "")
    if(EXISTS ${path})
      file(STRINGS ${path} includes REGEX "^#include \"(neurontune/)?${upper_rooms}")
    endif()
    if(NOT includes)
      list(APPEND kept ${file})
    endif()
  endforeach()
  set(${variable} ${kept} PARENT_SCOPE)
endfunction()

# Makes a target one of the lower rooms' files.
function(target_keep_lower_rooms target)
  get_target_property(sources ${target} SOURCES)
  keep_lower_rooms(sources)
  set_target_properties(${target} PROPERTIES SOURCES "${sources}")
endfunction()
