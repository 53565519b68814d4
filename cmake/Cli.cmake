# SPDX-License-Identifier: Apache-2.0
# The nono command: everything but main() is a library, so that unit tests can link it.
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
include(cmake/FmtStatic.cmake)
if(NOT APPLE)  # what a jar says, and names in any language: read where hosts are filtered
  find_path(NONO_MINIZIP_INCLUDE minizip/unzip.h REQUIRED)
  find_library(NONO_MINIZIP NAMES libminizip.a minizip REQUIRED)
  find_library(NONO_ZLIB NAMES libz.a z REQUIRED)
  find_path(NONO_IDN2_INCLUDE idn2.h REQUIRED)
  find_library(NONO_IDN2 NAMES libidn2.a idn2 REQUIRED)
  find_library(NONO_UNISTRING NAMES libunistring.a unistring REQUIRED)
  set(nono_host_libraries ${NONO_MINIZIP} ${NONO_ZLIB} ${NONO_IDN2} ${NONO_UNISTRING})
endif()

file(GLOB_RECURSE nono_cli_sources CONFIGURE_DEPENDS cli/*.cpp)
list(REMOVE_ITEM nono_cli_sources ${PROJECT_SOURCE_DIR}/cli/main.cpp)
if(nono_cli_sources)
  add_library(nono_cli STATIC ${nono_cli_sources})
  set(nono_cli_scope PUBLIC)
else()
  add_library(nono_cli INTERFACE)
  set(nono_cli_scope INTERFACE)
endif()
target_include_directories(nono_cli ${nono_cli_scope} ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/cli)
target_link_libraries(nono_cli ${nono_cli_scope} nono::nono nono_secrets nono_fmt CLI11::CLI11 nlohmann_json::nlohmann_json
  ${nono_host_libraries})

if(NONO_BUILD_TESTS AND nono_cli_sources)  # whoever builds all of it builds it faster so
  target_precompile_headers(nono_cli PRIVATE <nono/nono.hpp> <fmt/format.h>)
  # Several files at a time: each would compile the same inline functions of the headers again.
  set_target_properties(nono_cli PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
endif()

add_executable(nono_command cli/main.cpp)
target_link_libraries(nono_command PRIVATE nono_cli)
set_target_properties(nono_command PROPERTIES
  OUTPUT_NAME nono
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

foreach(target IN ITEMS nono_cli nono_command)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    target_compile_definitions(${target} PRIVATE NONO_VERSION="${PROJECT_VERSION}")
    nono_harden(${target})
  endif()
endforeach()
nono_link_hardened(nono_command)

# The manual page and the completions are what the command itself says of its flags. Where it cannot be run there are none.
set(nono_texts "")
if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
  set(nono_texts ${PROJECT_BINARY_DIR}/texts)
  file(MAKE_DIRECTORY ${nono_texts})
  add_custom_command(TARGET nono_command POST_BUILD
    COMMAND nono_command man > ${nono_texts}/nono.1
    COMMAND nono_command completion bash > ${nono_texts}/nono.bash
    COMMAND nono_command completion zsh > ${nono_texts}/_nono
    COMMAND nono_command completion fish > ${nono_texts}/nono.fish
    BYPRODUCTS ${nono_texts}/nono.1 ${nono_texts}/nono.bash ${nono_texts}/_nono ${nono_texts}/nono.fish
    VERBATIM)
endif()

if(NONO_INSTALL)
  install(TARGETS nono_command RUNTIME COMPONENT nono_command)
  if(nono_texts)
    install(FILES ${nono_texts}/nono.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT nono_manual)
    install(FILES ${nono_texts}/nono.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
            RENAME nono COMPONENT nono_command)
    install(FILES ${nono_texts}/_nono DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT nono_command)
    install(FILES ${nono_texts}/nono.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
            COMPONENT nono_command)
  endif()
endif()
