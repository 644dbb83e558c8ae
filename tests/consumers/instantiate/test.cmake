# SPDX-License-Identifier: MIT
# Catches: a function with a kernel in it that instantiate.hpp does not list, so that every file compiles it
# again.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
find_program(NM nm REQUIRED)
build_and_run("${HERE}" -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG")
file(GLOB_RECURSE object "${BUILD}/app/*app.cpp.o")
run("${NM}" -C --defined-only "${object}")
string(REGEX MATCHALL "gibbs::detail::[a-z_]*(_rows|_of_row|_of_piece)<[^\n]*" kernels "${output}")
if(kernels)
  list(JOIN kernels "\n" kernels)
  message(FATAL_ERROR "compiled in every file:\n${kernels}")
endif()
run("${NM}" -C --undefined-only "${object}")
if(NOT output MATCHES "gibbs::detail::softmax_rows<float")
  message(FATAL_ERROR "softmax is not in the other file:\n${output}")
endif()
