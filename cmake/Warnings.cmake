# The warnings every source of ours is compiled with: one interface target, linked by gaur_common.
add_library(gaur_warnings INTERFACE)
target_compile_options(gaur_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:C,CXX>:-Wall -Wextra -Wpedantic>
  $<$<AND:$<COMPILE_LANGUAGE:C,CXX>,$<BOOL:${GAUR_WERROR}>>:-Werror>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside its own <string> and <vector> once they are inlined.
  target_compile_options(gaur_warnings INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict -Wno-error=array-bounds -Wno-error=stringop-overflow>)
  if(GAUR_SANITIZE)
    target_compile_options(gaur_warnings INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-Wno-error=maybe-uninitialized>)
  endif()
endif()
