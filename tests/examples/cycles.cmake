# SPDX-License-Identifier: MIT
# Catches: a cycle that is found too late, too long or at the wrong place.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well()
check_shown()
check(out MATCHES "\nlist: does not end, node 3 begins a cycle of 7\n")
check(out MATCHES "\nxorshift: 0 values, then a cycle of 65535\n") # all but 0
check(out MATCHES "\nsplitmix: no cycle in [0-9]+ steps\n")
find(factors "\nrho: 576460752303423487 = ([0-9]+) x ([0-9]+), in ")
list(GET factors 0 a)
list(GET factors 1 b)
math(EXPR product "${a} * ${b}")
check(product EQUAL 576460752303423487)
check(a GREATER 1)
check(b GREATER 1)
# The middle-square sequence of 1234, by hand.
set(x 1234)
set(seen "")
while(NOT x IN_LIST seen)
  list(APPEND seen ${x})
  math(EXPR x "${x} * ${x} / 100 % 10000")
endwhile()
list(FIND seen ${x} tail)
list(LENGTH seen length)
math(EXPR length "${length} - ${tail}")
check(out MATCHES "\nmiddle square: ${tail} values, then a cycle of ${length} from ${x}\n")
