# SPDX-License-Identifier: MIT
# Catches: a source tree that works only as the top-level project (CMAKE_SOURCE_DIR and the like).
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
build_and_run("${HERE}")
