# SPDX-License-Identifier: MIT
# Catches: a temperature that is not the best, or applied to one primitive and not to another. At the
# best temperature the loss has no slope, which means that cross-entropy and entropy are equal there.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/alice-en.txt)
check_shown()

set(files text/alice-en.txt text/alice-de.txt "${EXAMPLE}")
if(EXISTS /usr/share/common-licenses/GPL-3)
  list(APPEND files /usr/share/common-licenses/GPL-3)
endif()
foreach(file IN LISTS files)
  run_well("${file}")
  find(best "\n +([0-9.]+) +([0-9.]+) +([0-9.]+) +([0-9.]+) +([0-9.]+)  <- best\n")
  list(GET best 0 temperature)
  list(GET best 1 loss)
  list(GET best 3 entropy)
  check_range(${temperature} 0.5 2)
  check_range(${loss} 1 8)
  string(REPLACE "." "" a "${loss}")
  string(REPLACE "." "" b "${entropy}")
  math(EXPR difference "${a} - ${b}")
  check_range(${difference} -20 20) # of the fourth decimal
  find_all(losses "\n +[0-9.]+ +([0-9.]+) +[0-9.]+ +[0-9.]+ +[0-9.]+")
  list(LENGTH losses count)
  check(count EQUAL 7)
  foreach(other IN LISTS losses)
    check("${other}" GREATER_EQUAL "${loss}")
  endforeach()
  check(out MATCHES "\n +1.000 +[0-9.]+ +[0-9.]+ +[0-9.]+ +0.0000\n")
  set(first "${out}")
  run_well("${file}")
  check(out STREQUAL first)
endforeach()

run_badly("^usage: ")
run_badly("^usage: " no/such/file)
run_badly("^usage: " text/alice-en.txt text/alice-en.txt)
