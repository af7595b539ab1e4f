# embed_text(OUTPUT NAMESPACE::NAME FILE): a C++ source that defines `const char NAME[]` with the
# file's text, and is made anew when the file changes.
function(embed_text output name file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  string(REGEX REPLACE "::[^:]*$" "" scope ${name})
  string(REGEX REPLACE "^.*::" "" variable ${name})
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"namespace @scope@ {
extern const char @variable@[];
const char @variable@[] = R\"embedded(@text@)embedded\";
}  // namespace @scope@
")
endfunction()
