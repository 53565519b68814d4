# SPDX-License-Identifier: Apache-2.0
# examples/NAME.cpp is a program; where NAME.expected lies beside it, a test compares what it prints.
file(GLOB example_sources CONFIGURE_DEPENDS examples/*.cpp)
file(GLOB example_outputs CONFIGURE_DEPENDS examples/*.expected)

foreach(source IN LISTS example_sources)
  get_filename_component(name ${source} NAME_WE)
  file(STRINGS ${source} needs_json REGEX "#include <nono/json/")
  set(door nono)
  if(needs_json)
    set(door nono_json)
  endif()
  if(NOT TARGET ${door})
    continue()
  endif()
  add_executable(example_${name} ${source})
  target_link_libraries(example_${name} PRIVATE ${door} nono_developer)
  target_compile_options(example_${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1>)
  # What all of them include first is read once: half the time together.
  if(DEFINED nono_first_example)
    target_precompile_headers(example_${name} REUSE_FROM ${nono_first_example})
  else()
    target_precompile_headers(example_${name} PRIVATE <nono/nono.hpp>)
    set(nono_first_example example_${name})
  endif()
  set_target_properties(example_${name} PROPERTIES
    OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)

  set(expected ${PROJECT_SOURCE_DIR}/examples/${name}.expected)
  if(NONO_BUILD_TESTS AND expected IN_LIST example_outputs)
    add_test(NAME example.${name}
             COMMAND ${NONO_PYTHON} ${PROJECT_SOURCE_DIR}/tests/run_example.py
                     $<TARGET_FILE:example_${name}> ${expected})
    set_tests_properties(example.${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
  endif()
endforeach()
