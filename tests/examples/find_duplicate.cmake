# SPDX-License-Identifier: MIT
# Catches: a wrong duplicate, index or cycle; bad input that crashes, hangs or passes.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/integers.txt)
check_shown()

# walk(VALUES VALUE TAIL LENGTH ENTRY): as a file and as standard input.
file(MAKE_DIRECTORY "${SCRATCH}")
set(path "${SCRATCH}/integers.txt")
function(walk values value tail length entry)
  file(WRITE "${path}" "${values}")
  run_well("${path}")
  set(from_file "${out}")
  set(INPUT "${path}")
  run_well()
  check(out STREQUAL from_file)
  find(found "^duplicate: ([0-9]+), at index ([0-9]+) and at index ([0-9]+)\n")
  list(GET found 0 duplicate)
  list(GET found 1 first)
  list(GET found 2 second)
  check(duplicate STREQUAL value)
  check(first LESS second)
  string(REGEX MATCHALL "[0-9]+" all "${values}")
  foreach(index IN ITEMS ${first} ${second})
    list(GET all ${index} there)
    check(there STREQUAL value)
  endforeach()
  check(out MATCHES
        "\ncycle: begins at ${entry}, after ${tail} steps from 0, and is ${length} long\n$")
endfunction()
walk("3 1 4 2 4\n" 4 3 1 4) # 0 3 2 4 4
walk("1,1" 1 1 1 1)
walk("1 2 3 4 5 6 7 8 9 9" 9 9 1 9) # everything but the last is tail
walk("2 3 1 2" 2 1 3 2) # 0 2 1 3 2
walk(" 1\n\t3  3,2\r\n" 3 2 2 3) # 0 1 3 2 3

foreach(bad "" "1" "0 1" "1 3" "-1 1" "1 1 4" "9223372036854775807 1")
  file(WRITE "${path}" "${bad}")
  run_badly("^gibbs::find_duplicate[a-z_]*: .*value" "${path}")
endforeach()
foreach(bad "1 x" "1 1.5" "1 9223372036854775808")
  file(WRITE "${path}" "${bad}")
  run_badly("^not an integer of 64 bits: " "${path}")
endforeach()
run_badly("^cannot read no/such/file" no/such/file)
run_badly("^usage: " a b)
