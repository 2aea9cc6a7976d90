# What makes an installation usable by other projects: headers, the pkg-config file and the CMake package.
include(CMakePackageConfigHelpers)

install(FILES ${PROJECT_SOURCE_DIR}/api/mu/muapi.h ${PROJECT_SOURCE_DIR}/api/mu/gaur.h ${PROJECT_SOURCE_DIR}/api/mu/mu-fastimpl.h
              ${PROJECT_SOURCE_DIR}/api/mu/refimpl2-start.h ${PROJECT_SOURCE_DIR}/api/mu/gaur.hpp ${PROJECT_SOURCE_DIR}/api/mu/gaur_builder.hpp
              ${PROJECT_SOURCE_DIR}/api/mu/gaur_host.hpp ${PROJECT_SOURCE_DIR}/api/mu/gaur_machine.hpp
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mu)

set(pkgconfig_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH prefix_from_pkgconfig /${pkgconfig_folder} /)
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig "${prefix_from_pkgconfig}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/gaur.pc.in ${PROJECT_BINARY_DIR}/gaur.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gaur.pc DESTINATION ${pkgconfig_folder})

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/gaur)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/gaurConfig.cmake.in ${PROJECT_BINARY_DIR}/gaurConfig.cmake
                              INSTALL_DESTINATION ${package_folder} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gaurConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gaurConfig.cmake ${PROJECT_BINARY_DIR}/gaurConfigVersion.cmake DESTINATION ${package_folder})

# The Python package lies beside the library that it opens.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/api/bindings/python/gaur DESTINATION ${CMAKE_INSTALL_LIBDIR}/gaur/python FILES_MATCHING PATTERN *.py)
