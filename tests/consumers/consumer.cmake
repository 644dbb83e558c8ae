# SPDX-License-Identifier: MIT
# What the tests in the folders beside this file share. ROOT is the library's source, BUILD a folder that is
# the test's own and is emptied first.

cmake_minimum_required(VERSION 3.23)
set(CONSUMERS "${CMAKE_CURRENT_LIST_DIR}")
get_filename_component(HERE "${CMAKE_SCRIPT_MODE_FILE}" DIRECTORY)
file(REMOVE_RECURSE "${BUILD}")
file(MAKE_DIRECTORY "${BUILD}")

# run(COMMAND...): fails the test if the command fails. Sets `output` to all that it printed.
macro(run)
  run_unchecked(${ARGN})
  if(NOT status EQUAL 0)
    message("${output}")
    message(FATAL_ERROR "failed with ${status}: ${ARGN}")
  endif()
endmacro()

# run_refused(TEXT COMMAND...): fails the test unless the command fails and prints TEXT.
macro(run_refused text)
  run_unchecked(${ARGN})
  if(status EQUAL 0)
    message("${output}")
    message(FATAL_ERROR "should have failed: ${ARGN}")
  endif()
  # CMake wraps its messages.
  string(REGEX REPLACE "[ \n]+" " " unwrapped "${output}")
  string(FIND "${unwrapped}" "${text}" position)
  if(position EQUAL -1)
    message("${output}")
    message(FATAL_ERROR "failed as it should, but without saying: ${text}")
  endif()
endmacro()

function(run_unchecked)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(status "${status}" PARENT_SCOPE)
  set(output "${output}" PARENT_SCOPE)
endfunction()

# `cmake` that configures with the compiler and the generator of the build that the test belongs to.
set(configure
    "${CMAKE_COMMAND}" -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}" "-DCMAKE_CXX_COMPILER=${CXX}"
)

# The same xsimd too, installed or fetched.
if(XSIMD_DIR)
  list(APPEND configure "-Dxsimd_DIR=${XSIMD_DIR}")
endif()
if(XSIMD_SOURCE)
  list(APPEND configure "-DFETCHCONTENT_SOURCE_DIR_XSIMD=${XSIMD_SOURCE}")
endif()

# build_and_run(SOURCE [CMAKE ARGUMENT...]): a project whose program is called `app`. Sets `output`.
macro(build_and_run source)
  run(${configure} -S "${source}" -B "${BUILD}/app" "-DROOT=${ROOT}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${BUILD}/app")
  run("${BUILD}/app/app")
endmacro()

# Installs the library, then moves the result: an absolute path left in it does not go unnoticed.
# Sets `prefix`.
macro(install_gibbs)
  run(
    ${configure} -S "${ROOT}" -B "${BUILD}/gibbs" -DGIBBS_TESTS=OFF -DGIBBS_BENCH=OFF -DGIBBS_EXAMPLES=OFF
    "-DCMAKE_INSTALL_PREFIX=${BUILD}/first"
  )
  run("${CMAKE_COMMAND}" --install "${BUILD}/gibbs")
  set(prefix "${BUILD}/prefix")
  file(RENAME "${BUILD}/first" "${prefix}")
  file(REMOVE_RECURSE "${BUILD}/gibbs")
endmacro()
