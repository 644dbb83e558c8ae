# SPDX-License-Identifier: MIT
# Catches: an outer stride that is lost on the way, and columns outside of a block that are written.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well()
check_shown()
check(out MATCHES "p = 0.0000 [^\n]* 0.0000, entropy 0.9475")
