# SPDX-License-Identifier: Apache-2.0
# nono-proxy: what filters hosts. A program of its own, started only where hosts are filtered. All but main() is a library.
find_package(nlohmann_json REQUIRED)

# Boost by its version: the coroutines of 1.74, Debian 12's default, do not compile with these compilers.
find_path(NONO_BOOST_INCLUDE boost/asio/awaitable.hpp REQUIRED)
file(STRINGS ${NONO_BOOST_INCLUDE}/boost/version.hpp boost_version REGEX "define BOOST_VERSION ")
string(REGEX REPLACE "[^0-9]" "" boost_version "${boost_version}")
if(boost_version LESS 108100)
  message(FATAL_ERROR "nono-proxy needs Boost 1.81 or newer (libboost1.81-dev)")
endif()
find_path(NONO_CARES_INCLUDE ares.h REQUIRED)
find_library(NONO_CARES NAMES libcares.a cares REQUIRED)
set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL 3.0 REQUIRED)

set(nono_proxy_rules proxy/audit.cpp proxy/endpoint.cpp proxy/header.cpp proxy/route.cpp proxy/rules.cpp proxy/settings.cpp proxy/target.cpp)
set(nono_proxy_wire proxy/connection.cpp proxy/race.cpp proxy/resolver.cpp proxy/server.cpp proxy/session.cpp proxy/tunnel.cpp)
add_library(nono_proxy STATIC ${nono_proxy_rules} ${nono_proxy_wire})
target_include_directories(nono_proxy PUBLIC ${PROJECT_SOURCE_DIR})
target_include_directories(nono_proxy SYSTEM PUBLIC ${NONO_BOOST_INCLUDE} ${NONO_CARES_INCLUDE})
target_compile_definitions(nono_proxy PUBLIC BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(nono_proxy PUBLIC nono::nono nono_fmt nlohmann_json::nlohmann_json ${NONO_CARES} OpenSSL::SSL)
# Two files at a time in place of ten: each would compile Asio, or the JSON library, again.
set_target_properties(nono_proxy PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
set_source_files_properties(${nono_proxy_rules} PROPERTIES UNITY_GROUP rules)
set_source_files_properties(${nono_proxy_wire} PROPERTIES UNITY_GROUP wire)

add_executable(nono_proxy_program proxy/main.cpp)
target_link_libraries(nono_proxy_program PRIVATE nono_proxy)
set_target_properties(nono_proxy_program PROPERTIES OUTPUT_NAME nono-proxy RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
nono_harden(nono_proxy)
nono_harden(nono_proxy_program)
nono_link_hardened(nono_proxy_program)
# libcrypto refers to what looks up names in a way that a static program cannot; nothing here calls it.
target_link_options(nono_proxy_program PRIVATE -Wl,-w)

if(NONO_INSTALL)
  install(TARGETS nono_proxy_program RUNTIME COMPONENT nono_command)
endif()
