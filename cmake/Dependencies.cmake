# Every library that is not ours, one target each. A layer names the ones it owns after USES in its gaur_layer call;
# cmake/layers.txt says which folder may include whose headers.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
add_library(gaur::fmt ALIAS fmt::fmt)
# In one file of ours, and one library less to load at each start.
add_library(gaur::spdlog ALIAS spdlog::spdlog_header_only)
add_library(gaur::cli11 ALIAS CLI11::CLI11)
add_library(gaur::json ALIAS nlohmann_json::nlohmann_json)

if(GAUR_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

if(GAUR_JIT)
  pkg_check_modules(bdw_gc REQUIRED IMPORTED_TARGET GLOBAL bdw-gc>=8.2)
  pkg_check_modules(libffi REQUIRED IMPORTED_TARGET GLOBAL libffi)
  pkg_check_modules(xxhash REQUIRED libxxhash)
  # Without its header images are neither compressed nor decompressed; the library is opened when there is a compressed one.
  pkg_check_modules(zstd libzstd)
  if(zstd_FOUND)
    add_library(gaur_zstd_package INTERFACE)
    target_include_directories(gaur_zstd_package SYSTEM INTERFACE ${zstd_INCLUDE_DIRS})
    add_library(gaur::zstd ALIAS gaur_zstd_package)
  endif()
  pkg_check_modules(libunwind REQUIRED IMPORTED_TARGET GLOBAL libunwind)
  add_library(gaur::gc ALIAS PkgConfig::bdw_gc)
  add_library(gaur::ffi ALIAS PkgConfig::libffi)
  # Its header alone.
  add_library(gaur_xxhash_package INTERFACE)
  target_include_directories(gaur_xxhash_package SYSTEM INTERFACE ${xxhash_INCLUDE_DIRS})
  add_library(gaur::xxhash ALIAS gaur_xxhash_package)
  # It has an unwinder for C++ exceptions of its own; that of the compiler comes first, for all programs that load us.
  add_library(gaur_unwind_package INTERFACE)
  target_link_libraries(gaur_unwind_package INTERFACE gcc_s PkgConfig::libunwind)
  add_library(gaur::unwind ALIAS gaur_unwind_package)
  find_package(benchmark REQUIRED)
  add_library(gaur::benchmark ALIAS benchmark::benchmark)

  # LLVM's package file accepts only an exact major.minor, hence the folder instead of a version.
  find_package(LLVM REQUIRED CONFIG PATHS /usr/lib/llvm-19/lib/cmake/llvm NO_DEFAULT_PATH)
  message(STATUS "LLVM ${LLVM_PACKAGE_VERSION} in ${LLVM_DIR}")
  add_library(gaur_llvm_package INTERFACE)
  target_include_directories(gaur_llvm_package SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
  separate_arguments(llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
  target_compile_definitions(gaur_llvm_package INTERFACE ${llvm_definitions})
  target_link_libraries(gaur_llvm_package INTERFACE LLVM)
  if(GAUR_SANITIZE)
    # LLVM's allocators would mark their memory in our inlined code, and libLLVM.so, which is not instrumented, would not unmark it.
    target_compile_options(gaur_llvm_package INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-U__SANITIZE_ADDRESS__>)
  endif()
  add_library(gaur::llvm ALIAS gaur_llvm_package)
endif()
