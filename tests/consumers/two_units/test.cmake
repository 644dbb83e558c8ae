# SPDX-License-Identifier: MIT
# Catches: a function in a header that is neither inline nor a template, and code that is compiled for one
# architecture under a name that another one shares: the linker keeps either.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
list(JOIN ARCHITECTURES "," architectures)
foreach(type Debug Release)
  run(
    ${configure} -S "${HERE}" -B "${BUILD}/${type}" "-DROOT=${ROOT}" -DCMAKE_BUILD_TYPE=${type}
    -DARCHITECTURES=${architectures}
  )
  run("${CMAKE_COMMAND}" --build "${BUILD}/${type}")
  file(GLOB programs "${BUILD}/${type}/app_*")
  list(LENGTH programs count)
  if(count EQUAL 0)
    message(FATAL_ERROR "no program was built")
  endif()
  foreach(program IN LISTS programs)
    run("${program}")
  endforeach()
endforeach()

# Weak functions of the library, or of xsimd, that two architectures share.
find_program(NM nm REQUIRED)
set(all "")
foreach(name IN LISTS ARCHITECTURES)
  file(GLOB_RECURSE object "${BUILD}/Release/CMakeFiles/unit_${name}.dir/*.o")
  run("${NM}" --defined-only "${object}")
  string(REGEX MATCHALL " [Ww] [^\n]*5(gibbs|xsimd)[^\n]*" symbols "${output}")
  list(APPEND all ${symbols})
endforeach()
set(seen ${all})
list(REMOVE_DUPLICATES seen)
if(NOT seen STREQUAL all)
  foreach(symbol IN LISTS seen)
    list(FIND all "${symbol}" first)
    list(REMOVE_AT all ${first})
  endforeach()
  list(REMOVE_DUPLICATES all)
  find_program(CXXFILT c++filt REQUIRED)
  list(TRANSFORM all REPLACE " . " "")
  run("${CXXFILT}" ${all})
  message("${output}")
  message(FATAL_ERROR "the functions above are compiled for several architectures under one name")
endif()
