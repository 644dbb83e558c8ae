# SPDX-License-Identifier: MIT
# Catches: a gibbs::dispatch that is built where nothing asked for it, is missing from the installed package,
# or takes over the project's own -march or -ffast-math; a limit in the environment that is not kept.
# (consumer.dispatch_units looks into the units.)
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")

# architecture(NAME COMMAND...): runs, and fails unless NAME is all that is printed.
macro(architecture name)
  run(${ARGN})
  if(NOT output STREQUAL "${name}\n")
    message(FATAL_ERROR "is ${output}, should be ${name}: ${ARGN}")
  endif()
endmacro()

if(NOT ARCHITECTURES)
  message("skipped: this build tests no architectures but its own")
  return()
endif()
list(GET ARCHITECTURES -1 best)
foreach(way vendored installed)
  if(way STREQUAL vendored)
    run(
      ${configure} -S "${HERE}" -B "${BUILD}/${way}" "-DROOT=${ROOT}"
      "-DCMAKE_CXX_FLAGS=-march=native -ffast-math -Wall -Wextra -Werror"
    )
  else()
    install_gibbs()
    run(
      ${configure} -S "${HERE}" -B "${BUILD}/${way}" -DINSTALLED=ON "-DCMAKE_PREFIX_PATH=${prefix}"
      -DCMAKE_BUILD_TYPE=Debug
    )
    run("${CMAKE_COMMAND}" --build "${BUILD}/${way}" --target other)
    file(GLOB_RECURSE built "${BUILD}/${way}/*gibbs_dispatch*.[ao]")
    if(built)
      message(FATAL_ERROR "built, though nothing links it: ${built}")
    endif()
  endif()
  run("${CMAKE_COMMAND}" --build "${BUILD}/${way}" --target app)
  foreach(name IN LISTS ARCHITECTURES)
    architecture(${name} "${CMAKE_COMMAND}" -E env GIBBS_MAX_ARCHITECTURE=${name} "${BUILD}/${way}/app")
  endforeach()
  architecture(${best} "${CMAKE_COMMAND}" -E env GIBBS_MAX_ARCHITECTURE=ia64 "${BUILD}/${way}/app")
  architecture(${best} "${CMAKE_COMMAND}" -E env --unset=GIBBS_MAX_ARCHITECTURE "${BUILD}/${way}/app")
endforeach()
