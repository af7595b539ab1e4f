# Installs the build into a prefix of its own, then configures, builds and runs tests/package there.
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# The prefix moves after the installation: the package must not remember where it was put.
file(REMOVE_RECURSE ${work_dir})
run(${CMAKE_COMMAND} --install ${build_dir} --prefix ${work_dir}/installed)
file(RENAME ${work_dir}/installed ${work_dir}/prefix)
file(GLOB_RECURSE package_files ${work_dir}/prefix/*.cmake)
foreach(file ${package_files})
  file(READ ${file} text)
  string(FIND "${text}" "${build_dir}" position)
  if(NOT position EQUAL -1)
    message(FATAL_ERROR "${file} names the build folder ${build_dir}")
  endif()
endforeach()

# Where each shell looks for completions.
if(has_program)
  foreach(file share/bash-completion/completions/neurontune share/zsh/site-functions/_neurontune
               share/fish/vendor_completions.d/neurontune.fish)
    file(SIZE ${work_dir}/prefix/${file} size)
    if(size EQUAL 0)
      message(FATAL_ERROR "${file} is empty")
    endif()
  endforeach()
endif()

run(${CMAKE_COMMAND} -S ${source_dir} -B ${work_dir}/build -G ${generator}
  -D CMAKE_BUILD_TYPE=${build_type} -D CMAKE_CXX_COMPILER=${compiler} -D Torch_DIR=${torch_dir}
  -D CMAKE_PREFIX_PATH=${work_dir}/prefix -D CMAKE_EXE_LINKER_FLAGS=${link_flags})
run(${CMAKE_COMMAND} --build ${work_dir}/build)
run(${CMAKE_COMMAND} -E chdir ${work_dir} ${work_dir}/build/consumer)
