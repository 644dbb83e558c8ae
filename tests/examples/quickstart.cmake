# SPDX-License-Identifier: MIT
# Catches: a first snippet that does not compile, or whose numbers are wrong.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well()
check_shown()
# exp(x / 0.7) over their sum, by hand
check(out STREQUAL "p          = 0.7658 0.1835 0.0507
entropy    = 0.9619 bits
KL(p || u) = 0.4319 nats
duplicate  = 4
")
