# The one list of files the repository checks look at.

# Sets <out> to the files under ROOT that match the patterns, relative to ROOT, without build trees and hidden folders.
function(repository_files out)
  file(GLOB entries RELATIVE ${ROOT} ${ROOT}/*)
  list(REMOVE_ITEM entries build)
  set(found "")
  foreach(pattern IN LISTS ARGN)
    file(GLOB files RELATIVE ${ROOT} ${ROOT}/${pattern})
    list(APPEND found ${files})
    foreach(entry IN LISTS entries)
      if(IS_DIRECTORY ${ROOT}/${entry})
        file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${entry}/${pattern})
        list(APPEND found ${files})
      endif()
    endforeach()
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()
