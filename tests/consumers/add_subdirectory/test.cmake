# SPDX-License-Identifier: MIT
# Catches: a library that, vendored, changes the project around it, builds or installs things unasked, or
# warns in the project's own units.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
build_and_run("${HERE}")
run("${CMAKE_COMMAND}" --install "${BUILD}/app" --prefix "${BUILD}/prefix")
if(EXISTS "${BUILD}/prefix")
  message(FATAL_ERROR "a vendored gibbs installs:\n${output}")
endif()
