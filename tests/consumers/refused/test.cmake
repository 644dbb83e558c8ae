# SPDX-License-Identifier: MIT
# Catches: flags under which results would silently be wrong, and that compile all the same; an exemption
# that does not work.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
set(compile "${CXX}" -std=c++20 -fsyntax-only "-I${ROOT}/include")
foreach(include IN LISTS XSIMD_INCLUDE)
  if(NOT include STREQUAL "/usr/include")
    list(APPEND compile -isystem "${include}")
  endif()
endforeach()
set(file -x c++ "${ROOT}/include/gibbs/gibbs.hpp")
run(${compile} ${file})
set(why "gibbs needs IEEE arithmetic")
run_refused("${why}" ${compile} -O2 -ffast-math ${file})
run_refused("${why}" ${compile} -Ofast ${file})
run_refused("${why}" ${compile} -O2 -ffinite-math-only ${file})
run_unchecked("${CXX}" --version)
if(NOT output MATCHES "clang") # which does not tell
  run_refused("${why}" ${compile} -O2 -fassociative-math -fno-signed-zeros -fno-trapping-math ${file})
  run_refused("${why}" ${compile} -O2 -funsafe-math-optimizations ${file})
endif()
run(${compile} -O2 -ffast-math -fno-fast-math ${file})
run(${compile} -Ofast -fno-fast-math ${file})
# gibbs::dispatch is compiled elsewhere.
run(${compile} -Ofast "${CONSUMERS}/dispatch/app.cpp")
