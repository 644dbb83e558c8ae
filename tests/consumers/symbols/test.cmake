# SPDX-License-Identifier: MIT
# Catches: code that is compiled for one architecture under a name that another one shares. The linker keeps
# either, so that a CPU without AVX may meet an AVX instruction in a unit that was compiled without.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
list(LENGTH ARCHITECTURES count)
if(count LESS 2)
  message("skipped: one architecture only")
  return()
endif()
find_program(NM nm REQUIRED)
find_program(CXXFILT c++filt REQUIRED)
list(JOIN ARCHITECTURES "," architectures)

# Without optimisation the accessors of spans and views, the standard library's among them, are functions too.
run(
  ${configure} -S "${CONSUMERS}/two_units" -B "${BUILD}/build" "-DROOT=${ROOT}"
  -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG" -DARCHITECTURES=${architectures}
  -DCMAKE_CXX_FLAGS=-DWITH_POLICIES
)
foreach(name IN LISTS ARCHITECTURES)
  run("${CMAKE_COMMAND}" --build "${BUILD}/build" --target unit_${name})
  file(GLOB_RECURSE object "${BUILD}/build/CMakeFiles/unit_${name}.dir/*.o")
  run("${NM}" --defined-only "${object}")
  # W, a weak function. Data (V) is the same whatever the flags.
  string(REGEX MATCHALL " [Ww] [^\n]*5(gibbs|xsimd)[^\n]*" symbols_${name} "${output}")
  list(LENGTH symbols_${name} count)
  if(count EQUAL 0)
    message(FATAL_ERROR "no weak function at all in ${object}")
  endif()
endforeach()
set(shared "")
foreach(first IN LISTS ARCHITECTURES)
  foreach(second IN LISTS ARCHITECTURES)
    if(first STRLESS second)
      foreach(symbol IN LISTS symbols_${first})
        if(symbol IN_LIST symbols_${second})
          list(APPEND shared "${symbol}")
        endif()
      endforeach()
    endif()
  endforeach()
endforeach()
if(shared)
  list(REMOVE_DUPLICATES shared)
  list(TRANSFORM shared REPLACE " . " "")
  run("${CXXFILT}" ${shared})
  message("${output}")
  message(FATAL_ERROR "the functions above are compiled for several architectures under one name")
endif()
