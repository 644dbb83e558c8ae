# SPDX-License-Identifier: MIT
# Catches: KL from logits that is not exactly 0 for equal rows; a start that changes the model; an
# update that reaches the frozen weights.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/alice-en.txt text/alice-de.txt)
check_shown()
string(REGEX MATCHALL "W unchanged: yes" unchanged "${out}")
list(LENGTH unchanged count)
check(count EQUAL 3)

set(numbers " +([0-9.]+) +([0-9.]+) +([-+0-9.e]+)\n")
find(start "\\(LoRA\\)\n[^\n]*\n +0${numbers}")
find(end "\\(LoRA\\)\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n +2000${numbers}")
list(GET start 1 before)
list(GET start 2 kl)
list(GET end 1 after)
check(kl STREQUAL "0")
check_range(${before} 5 6)
check_range(${after} 3 4)

list(SUBLIST start 0 2 losses)
list(JOIN losses " +" pattern)
foreach(step 0 20 200 2000) # both zero: stuck
  string(APPEND stuck "\n +${step} +${pattern} +0")
endforeach()
check(out MATCHES "B = 0, A = 0\n[^\n]*${stuck}\n")
find(random "B and A random normal\n[^\n]*\n +0${numbers}")
list(GET random 2 kl)
check_range(${kl} 0.001 1)

run_badly("^usage: " text/alice-en.txt)
run_badly("^usage: " text/alice-en.txt no/such/file)
