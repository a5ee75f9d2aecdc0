# Every target links adit::flags: the one place for compiler flags.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(ADIT_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize=")
option(ADIT_FUZZ "Build the libFuzzer targets (needs clang)" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers need these allowances (ccache(1), "Precompiled headers"); paths below the source folder do not
  # count, so that another clone finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_MAXSIZE=12G
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

add_library(adit_flags INTERFACE)
add_library(adit::flags ALIAS adit_flags)
target_include_directories(adit_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(adit_flags INTERFACE -Wall -Wextra -Werror -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess lets ccache see through a precompiled header.
  target_compile_options(adit_flags INTERFACE -fpch-preprocess)
endif()
if(ADIT_SANITIZE)
  target_compile_options(adit_flags INTERFACE -fsanitize=${ADIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(adit_flags INTERFACE -fsanitize=${ADIT_SANITIZE})
  if(ADIT_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 warns that ThreadSanitizer does not model the fences that Asio uses beside its locks, and sees bounds crossed
    # in std::string where its own instrumentation hides the size (of tests: see adit_test).
    target_compile_options(adit_flags INTERFACE -Wno-tsan -Wno-array-bounds)
  endif()
endif()
