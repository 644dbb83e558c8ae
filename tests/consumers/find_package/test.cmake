# SPDX-License-Identifier: MIT
# Catches: an installed package that misses a header, its dependency or its version, cannot be moved, or is
# for one architecture only.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
install_gibbs()
build_and_run("${HERE}" "-DCMAKE_PREFIX_PATH=${prefix}")
