# How a layer becomes a library, and how the layers become libgaur.so.

# What every source of ours is compiled with, and what users of libgaur.so see.
add_library(gaur_common INTERFACE)
target_include_directories(gaur_common INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(gaur_common INTERFACE gaur_warnings gaur_sanitizers gaur::fmt Threads::Threads)
if(GAUR_CHECK_LEVEL STREQUAL "")
  set(check_level $<IF:$<CONFIG:Debug>,2,1>)
else()
  set(check_level ${GAUR_CHECK_LEVEL})
endif()
target_compile_definitions(gaur_common INTERFACE
  GAUR_CHECK_LEVEL=${check_level} GAUR_JIT=$<BOOL:${GAUR_JIT}> GAUR_VERSION="${PROJECT_VERSION}")
# Symbols stay visible (libgaur-llvm.so calls libgaur's C++ functions) but nobody interposes them.
target_compile_options(gaur_common INTERFACE
  $<$<COMPILE_LANGUAGE:C,CXX>:-fno-semantic-interposition -fno-omit-frame-pointer>)
# What a program needs at its start costs time at each: relative relocations packed where the linker can, and symbols of a
# program with the property GAUR_BINDS_LAZILY looked up when they are called. (Not those of libraries: the loader needs more
# stack than Mu code leaves for a call.)
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -Wl,--help OUTPUT_VARIABLE linker_help ERROR_QUIET)
string(FIND "${linker_help}" "-z pack-relative-relocs" packs_relocations)
target_link_options(gaur_common INTERFACE -Wl,-z,relro,-z,noexecstack,-z,$<IF:$<BOOL:$<TARGET_PROPERTY:GAUR_BINDS_LAZILY>>,lazy,now>
  $<$<NOT:$<EQUAL:${packs_relocations},-1>>:-Wl,-z,pack-relative-relocs>)

# gaur_layer(<name> SOURCES <files...> [DEPENDS <layers...>] [USES <third-party targets...>] [OUTSIDE])
# Makes the static library gaur_<name> of position-independent objects. DEPENDS names the layers below whose headers
# this one includes; USES names the foreign libraries this layer alone may include. Every layer becomes part of
# libgaur.so, except one marked OUTSIDE. A layer without sources is an interface library.
function(gaur_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "OUTSIDE" "" "SOURCES;DEPENDS;USES")
  list(TRANSFORM layer_DEPENDS PREPEND gaur_)
  if(NOT layer_SOURCES)
    add_library(gaur_${name} INTERFACE)
    target_link_libraries(gaur_${name} INTERFACE gaur_common ${layer_DEPENDS})
    return()
  endif()
  add_library(gaur_${name} STATIC ${layer_SOURCES})
  target_link_libraries(gaur_${name} PUBLIC gaur_common ${layer_DEPENDS} PRIVATE ${layer_USES})
  if(NOT layer_OUTSIDE)
    set_property(GLOBAL APPEND PROPERTY gaur_library_layers gaur_${name})
    set_property(GLOBAL APPEND PROPERTY gaur_library_uses ${layer_USES})
  endif()
endfunction()

# Makes libgaur.so (target libgaur) of the objects of all layers declared so far.
function(gaur_library)
  get_property(layers GLOBAL PROPERTY gaur_library_layers)
  get_property(uses GLOBAL PROPERTY gaur_library_uses)
  if(NOT layers)
    return()
  endif()
  list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_library(libgaur SHARED ${objects})
  set_target_properties(libgaur PROPERTIES
    OUTPUT_NAME gaur VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE CXX
    INSTALL_RPATH "")  # all that it needs is the system's
  target_link_libraries(libgaur PUBLIC gaur_common PRIVATE ${uses} ${CMAKE_DL_LIBS})
  # Calls inside the library bind directly, and a call upwards between layers or to nowhere fails here, not at run time.
  # It stays when its clients close it: signal handlers, thread-locals and compiled code point into it.
  # Data of libraries in headers is its own: names that others could have too are looked up at each start.
  target_link_options(libgaur PRIVATE -Wl,-Bsymbolic-functions -Wl,--no-undefined -Wl,-z,nodelete -Wl,--exclude-libs,ALL
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map)
  set_property(TARGET libgaur APPEND PROPERTY LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/exports.map)
  install(TARGETS libgaur LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  # The names that clients of the two flavours of 2017 look for.
  foreach(alias libmu.so libmurefimpl2start.so)
    add_custom_command(TARGET libgaur POST_BUILD COMMAND ${CMAKE_COMMAND} -E create_symlink
                       $<TARGET_FILE_NAME:libgaur> $<TARGET_FILE_DIR:libgaur>/${alias} VERBATIM)
    install(FILES $<TARGET_FILE_DIR:libgaur>/${alias} DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endforeach()
endfunction()
