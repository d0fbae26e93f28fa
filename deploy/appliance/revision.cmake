# equinox_find_revision(out folder): the commit that a folder stands at, twelve digits of it, or nothing outside of a repository.
# A build tree outlives commits: it is configured again when HEAD moves.
function(equinox_find_revision out folder)
  set(${out} "" PARENT_SCOPE)
  execute_process(COMMAND git -C ${folder} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE has_failed)
  if(has_failed)
    return()
  endif()
  set(${out} "${revision}" PARENT_SCOPE)
  # The log of HEAD is written whenever it moves, HEAD itself only when it comes to name another branch.
  foreach(file logs/HEAD HEAD)
    execute_process(COMMAND git -C ${folder} rev-parse --git-path ${file}
      OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    get_filename_component(path "${path}" ABSOLUTE BASE_DIR ${folder})
    # One that is not there would have every build configured again.
    if(EXISTS "${path}")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
    endif()
  endforeach()
endfunction()
