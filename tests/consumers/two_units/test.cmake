# SPDX-License-Identifier: MIT
# Catches: a function in a header that is neither inline nor a template, and units compiled for different
# architectures that lay the same type out differently. (consumer.symbols looks at the names themselves.)
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
list(JOIN ARCHITECTURES "," architectures)
foreach(type Debug Release)
  run(
    ${configure} -S "${HERE}" -B "${BUILD}/${type}" "-DROOT=${ROOT}" -DCMAKE_BUILD_TYPE=${type}
    -DARCHITECTURES=${architectures} "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG"
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
