# GAUR_SANITIZE=address,undefined instruments every target. The run-time defaults are compiled into each executable
# (cmake/sanitizer_options.cpp), so that a test behaves the same under CTest, in a shell and in a debugger.
add_library(gaur_sanitizers INTERFACE)
if(GAUR_SANITIZE)
  # vptr checks follow type information across libLLVM, which is not instrumented.
  set(flags -fsanitize=${GAUR_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
  target_compile_options(gaur_sanitizers INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:${flags}>)
  target_link_options(gaur_sanitizers INTERFACE ${flags})
else()
  target_compile_definitions(gaur_sanitizers INTERFACE _FORTIFY_SOURCE=2)
  target_compile_options(gaur_sanitizers INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-fstack-protector-strong>)
endif()
target_compile_definitions(gaur_sanitizers INTERFACE _GLIBCXX_ASSERTIONS)

# Gives an executable the sanitizers' run-time defaults.
if(GAUR_SANITIZE)
  add_library(gaur_sanitizer_defaults OBJECT ${CMAKE_CURRENT_LIST_DIR}/sanitizer_options.cpp)
  target_link_libraries(gaur_sanitizer_defaults PRIVATE gaur_sanitizers)
endif()
function(gaur_sanitizer_options target)
  if(GAUR_SANITIZE)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:gaur_sanitizer_defaults>)
  endif()
endfunction()
