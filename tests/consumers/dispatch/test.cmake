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
# Installed: the tests themselves have the one of a vendored library.
install_gibbs()
run(
  ${configure} -S "${HERE}" -B "${BUILD}/app" "-DCMAKE_PREFIX_PATH=${prefix}" -DCMAKE_BUILD_TYPE=Debug
  "-DCMAKE_CXX_FLAGS=-march=native -ffast-math -Wall -Wextra -Werror"
)
run("${CMAKE_COMMAND}" --build "${BUILD}/app" --target other)
file(GLOB_RECURSE built "${BUILD}/app/*gibbs_dispatch*.[ao]")
if(built)
  message(FATAL_ERROR "built, though nothing links it: ${built}")
endif()
run("${CMAKE_COMMAND}" --build "${BUILD}/app" --target app)
set(app "${BUILD}/app/app")
foreach(name IN LISTS ARCHITECTURES)
  architecture(${name} "${CMAKE_COMMAND}" -E env GIBBS_MAX_ARCHITECTURE=${name} "${app}")
endforeach()
architecture(${best} "${CMAKE_COMMAND}" -E env GIBBS_MAX_ARCHITECTURE=ia64 "${app}")
architecture(${best} "${CMAKE_COMMAND}" -E env --unset=GIBBS_MAX_ARCHITECTURE "${app}")
