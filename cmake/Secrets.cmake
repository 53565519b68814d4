# SPDX-License-Identifier: Apache-2.0
# Where keys come from: a library for the command and the proxy, and nono-keyring, which speaks to the system's keyring.
set(nono_secrets_sources secrets/bitwarden_item.cpp secrets/child.cpp secrets/reference.cpp secrets/source.cpp)
add_library(nono_secrets STATIC ${nono_secrets_sources})
target_include_directories(nono_secrets PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(nono_secrets PUBLIC nono::nono)
set_target_properties(nono_secrets PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
nono_harden(nono_secrets)

# Linked dynamically to libc alone, because a static program cannot load libsecret.
add_executable(nono_keyring_program secrets/keyring_main.cpp secrets/keyring_linux.cpp secrets/keyring_macos.cpp)
target_include_directories(nono_keyring_program PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(nono_keyring_program PRIVATE nono::nono ${CMAKE_DL_LIBS})
set_target_properties(nono_keyring_program PROPERTIES
  OUTPUT_NAME nono-keyring RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR} UNITY_BUILD ON)
nono_harden(nono_keyring_program)
nono_link_loading(nono_keyring_program)
if(APPLE)
  target_link_libraries(nono_keyring_program PRIVATE "-framework Security" "-framework CoreFoundation")
endif()

if(NONO_INSTALL)
  install(TARGETS nono_keyring_program RUNTIME COMPONENT nono_command)
endif()
