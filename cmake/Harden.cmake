# SPDX-License-Identifier: Apache-2.0
# How our programs are compiled and linked: hardened, small, and static where there is a static libc.
include(CheckCXXSourceCompiles)

function(nono_harden target)
  target_link_libraries(${target} PRIVATE nono_developer)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  # -O2, not Release's -O3: smaller, and no slower here. Sections let the linker drop what is not used.
  target_compile_options(${target} PRIVATE
    $<$<NOT:$<CONFIG:Debug>>:-O2> -ffunction-sections -fdata-sections -fstack-protector-strong)
  if(NOT NONO_SANITIZE)
    # Fortified libc calls need optimisation, and hide calls from the sanitizers.
    target_compile_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>)
    target_compile_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  endif()
endfunction()

function(nono_link_sections target)
  target_link_options(${target} PRIVATE -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
endfunction()

# A program that loads libraries while it runs, so it has a libc that others have too, and its own C++ library.
function(nono_link_loading target)
  nono_link_sections(${target})
  if(NOT NONO_SANITIZE)
    target_link_options(${target} PRIVATE -pie -static-libstdc++ -static-libgcc)
  endif()
endfunction()

# A static program starts in half the time: no loader, no relocation by name. PIE all the same, and no relocation
# stays writable. Where there is no static libc, libstdc++ alone is linked in (dynamically it costs 1.8 ms).
function(nono_link_hardened target)
  nono_link_sections(${target})
  if(NONO_SANITIZE)
    return()  # the sanitizers need a dynamic program
  endif()
  set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
  check_cxx_source_compiles("int main() {}" NONO_HAVE_STATIC_PIE)
  if(NONO_HAVE_STATIC_PIE)
    target_link_options(${target} PRIVATE -static-pie)
  else()
    target_link_options(${target} PRIVATE -pie -static-libstdc++ -static-libgcc)
  endif()
endfunction()
