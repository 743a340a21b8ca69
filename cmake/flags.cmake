# The interface target every folder links privately: warnings, definitions, sanitizers.
add_library(project_flags INTERFACE)
target_include_directories(project_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(project_flags INTERFACE _GNU_SOURCE)
target_compile_options(project_flags INTERFACE
  -Werror -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wformat=2 -Wconversion -Wno-sign-conversion
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  -fno-omit-frame-pointer)

if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(project_flags INTERFACE _FORTIFY_SOURCE=2)
  target_compile_options(project_flags INTERFACE -fstack-protector-strong)
endif()

if(SCAPULA_SANITIZE)
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=undefined)
  target_compile_options(project_flags INTERFACE ${sanitizers})
  # gcc's flow analysis is misled by its own instrumentation; the release build keeps the warning.
  target_compile_options(project_flags INTERFACE $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(project_flags INTERFACE ${sanitizers})
endif()

if(SCAPULA_TSAN)
  target_compile_options(project_flags INTERFACE -fsanitize=thread $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(project_flags INTERFACE -fsanitize=thread)
endif()

if(SCAPULA_FUZZ)
  target_compile_options(project_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# project_library(NAME SOURCES...): a static library with the project's flags.
function(project_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC project_flags)
endfunction()
