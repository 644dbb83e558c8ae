# SPDX-License-Identifier: MIT
# Catches: containers of xtensor that are no ranges to the library.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well()
check_shown()
