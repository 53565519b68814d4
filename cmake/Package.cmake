# SPDX-License-Identifier: Apache-2.0
# `cpack` in the build directory makes a Debian package of what `cmake --install` would install below /usr.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nono)
set(CPACK_PACKAGE_VENDOR nono)
set(CPACK_PACKAGE_CONTACT "The authors of nono <maintainers@nono.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION  # below the line that PROJECT_DESCRIPTION is
"The nono command confines a process to what its policy grants, by Landlock
and seccomp, for good. The headers are the policy language behind it: C++20,
header-only, needing the standard library alone.")
# A static command needs no library; what a dynamic one needs is read off it. What nono-keyring loads while it runs is not.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libsecret-1-0, g++ (>= 12) | clang (>= 1:16), cmake (>= 3.23) | pkgconf, libfmt-dev (>= 9)")

# Debian keeps licence and changes in files of these names.
set(debian ${PROJECT_BINARY_DIR}/debian)
configure_file(cmake/debian/copyright.in ${debian}/copyright @ONLY)
configure_file(cmake/debian/changelog.in ${debian}/changelog.Debian @ONLY)
configure_file(cmake/debian/lintian-overrides ${debian}/nono COPYONLY)
find_program(GZIP_PROGRAM gzip)
if(GZIP_PROGRAM)  # -n: no clock in it
  execute_process(COMMAND ${GZIP_PROGRAM} -9nf ${debian}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${debian}/changelog.Debian.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nono
          COMPONENT nono_debian EXCLUDE_FROM_ALL)
endif()
# And manual pages compressed.
set(manual nono_manual)
if(GZIP_PROGRAM AND TARGET nono_command AND nono_texts)
  set(manual "")
  add_custom_command(TARGET nono_command POST_BUILD
    COMMAND ${GZIP_PROGRAM} -9nkf ${nono_texts}/nono.1 BYPRODUCTS ${nono_texts}/nono.1.gz VERBATIM)
  install(FILES ${nono_texts}/nono.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
          COMPONENT nono_debian EXCLUDE_FROM_ALL)
endif()
install(FILES ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/nono COMPONENT nono_debian EXCLUDE_FROM_ALL)
install(FILES ${debian}/nono DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
        COMPONENT nono_debian EXCLUDE_FROM_ALL)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_COMPONENTS_ALL nono_headers nono_debian)
if(TARGET nono_command)
  list(APPEND CPACK_COMPONENTS_ALL nono_command ${manual})
else()
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
endif()
include(CPack)
