# SPDX-License-Identifier: MIT
# Catches: KL and cross-entropy that disagree, KL that is not exactly 0 for equal distributions, zeros
# that give anything but inf.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/alice-en.txt text/alice-de.txt text/alice-fr.txt)
check_shown()

set(row " +([0-9.]+) +([0-9.]+) +([0-9.]+) +-?([0-9.]+e[-+][0-9]+)\n")
foreach(p 1 2 3)
  foreach(q 1 2 3)
    find(numbers "\n +${p} +${q}${row}")
    list(GET numbers 0 h)
    list(GET numbers 1 kl)
    list(GET numbers 2 cross)
    list(GET numbers 3 difference)
    check_sum(${cross} ${h} ${kl})
    check_range(${difference} 0 5e-15)
    if(p EQUAL q)
      check(kl STREQUAL "0.00000")
    else()
      check_range(${kl} 0.2 1)
    endif()
    set(kl_${p}_${q} ${kl})
  endforeach()
endforeach()
check(NOT kl_1_2 STREQUAL kl_2_1)
check(out MATCHES "KL.2..1. = +inf") # English has no letter with an accent

find(start "\n +0 +([0-9.]+) +([0-9.]+) ([0-9.]+)\n")
find(end "\n +1000 +([0-9.]+) +([0-9.]+) ([0-9.]+)\n")
list(GET start 2 h_start)
list(GET end 1 kl_end)
list(GET end 2 h_end)
check(h_start STREQUAL h_end)
check_range(${kl_end} 0 0.001)

find_all(cosines "\n *[0-9.]+ +[0-9.]+ +[0-9.]+ +([0-9.]+)")
list(GET cosines -1 last)
check_range(${last} 0.9999 1)

run_badly("^usage: " text/alice-en.txt)
run_badly("cannot read no/such/file" text/alice-en.txt no/such/file)
