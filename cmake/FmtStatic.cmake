# SPDX-License-Identifier: Apache-2.0
# nono_fmt: fmt without a shared object, by the first way that the installed package allows:
# its static library, ours built from its headers (fmt 9), its header-only form.
find_package(fmt REQUIRED)
add_library(nono_fmt INTERFACE)

get_target_property(fmt_type fmt::fmt TYPE)
if(fmt_type STREQUAL "STATIC_LIBRARY")
  target_link_libraries(nono_fmt INTERFACE fmt::fmt)
elseif(fmt_VERSION VERSION_GREATER_EQUAL 9 AND fmt_VERSION VERSION_LESS 10)
  get_target_property(fmt_includes fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
  add_library(nono_fmt_static STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt_static.cpp)
  target_include_directories(nono_fmt_static SYSTEM PUBLIC ${fmt_includes})
  target_compile_features(nono_fmt_static PUBLIC cxx_std_20)
  target_compile_options(nono_fmt_static PRIVATE -ffunction-sections -fdata-sections)
  set_target_properties(nono_fmt_static PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(nono_fmt INTERFACE nono_fmt_static)
else()
  target_link_libraries(nono_fmt INTERFACE fmt::fmt-header-only)
endif()
