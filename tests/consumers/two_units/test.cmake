# SPDX-License-Identifier: MIT
# Catches: a function in a header that is neither inline nor a template; units compiled for different
# architectures that lay the same type out differently; and code that is compiled for one architecture under a
# name that another one shares, of which the linker keeps either, so that a CPU without AVX may meet an AVX
# instruction in a unit that was compiled without.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
list(JOIN ARCHITECTURES "," architectures)
run(
  ${configure} -S "${HERE}" -B "${BUILD}/app" "-DROOT=${ROOT}" -DCMAKE_BUILD_TYPE=Release
  -DARCHITECTURES=${architectures} "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -fno-inline -Dflatten= -DNDEBUG"
)
run("${CMAKE_COMMAND}" --build "${BUILD}/app")
file(GLOB programs "${BUILD}/app/app_*")
list(LENGTH programs count)
if(count EQUAL 0)
  message(FATAL_ERROR "no program was built")
endif()
foreach(program IN LISTS programs)
  run("${program}")
endforeach()

# Every function that is not always inlined is one of its own here; with flatten kernels have their parts in them.
# (Without optimisation those of the standard library's spans are functions too. Constructors that the compiler
# writes itself cannot be told to be inlined, and are wherever a compiler inlines anything.)
find_program(NM nm REQUIRED)
find_program(CXXFILT c++filt REQUIRED)
foreach(name IN LISTS ARCHITECTURES)
  file(GLOB_RECURSE object "${BUILD}/app/CMakeFiles/unit_${name}.dir/*.o")
  run("${NM}" --defined-only "${object}")
  # W, a weak function. Data (V) is the same whatever the flags.
  string(REGEX MATCHALL " [Ww] [^\n]*5(gibbs|xsimd)[^\n]*" symbols_${name} "${output}")
  list(FILTER symbols_${name} EXCLUDE REGEX "C[12]E")
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
