# SPDX-License-Identifier: MIT
# Catches: two methods that find different duplicates.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(1000000)
check_shown(" [0-9]+\\.[0-9][0-9] ")
foreach(n 1 2 3 100 65536 1000000)
  run_well(${n})
  find_all(duplicates "\n[a-z]+ +([0-9]+) +[0-9]+[.][0-9]+ ")
  list(LENGTH duplicates count)
  check(count EQUAL 6)
  list(REMOVE_DUPLICATES duplicates)
  list(LENGTH duplicates count)
  check(count EQUAL 1)
  check_range(${duplicates} 1 ${n})
endforeach()
foreach(bad 0 -1 x 12x 100000001 "1;2")
  run_badly("^usage: " ${bad})
endforeach()
