# SPDX-License-Identifier: MIT
# Catches: an entropy that differs from that of ent (Debian's package of the name), on text, a binary
# and a compressed file; cross-entropy and KL that do not belong together.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/alice-en.txt text/alice-de.txt text/alice-fr.txt)
check_shown()

file(MAKE_DIRECTORY "${SCRATCH}")
execute_process(
  COMMAND "${CMAKE_COMMAND}" -E tar czf "${SCRATCH}/text.tar.gz" alice-en.txt alice-de.txt alice-fr.txt
  WORKING_DIRECTORY "${ROOT}/examples/text"
  COMMAND_ERROR_IS_FATAL ANY
)
string(REPEAT "a" 1000 same)
file(WRITE "${SCRATCH}/same.txt" "${same}")
file(WRITE "${SCRATCH}/two.txt" "abbbabbbabbb")
file(WRITE "${SCRATCH}/one.txt" "a")
set(files
    "${EXAMPLE}" text/alice-en.txt text/alice-de.txt "${ROOT}/LICENSE" "${SCRATCH}/text.tar.gz"
    "${SCRATCH}/same.txt" "${SCRATCH}/two.txt" "${SCRATCH}/one.txt"
)
run_well(${files})
find_all(entropies "([0-9.]+) +[0-9.]+ +[0-9.inf]+ +[0-9.inf]+  [^\n]+\n")
list(LENGTH entropies count)
check(count EQUAL 8)
find(compressed "\n +([0-9.]+) +[0-9.]+ +[^\n]*text.tar.gz\n")
check_range(${compressed} 7.9 8)
check(out MATCHES " 0.000000 +1.0000 [^\n]*same.txt\n")
check(out MATCHES " 0.811278 +1.7548 [^\n]*two.txt\n")

# p against itself, and H(p,q) = H(p) + KL; the program holds every byte that a text does.
set(row "\n +([0-9.]+) +[0-9.]+ +([0-9.]+) +([0-9.]+)  [^\n]*")
find(itself "${row}byte_entropy")
list(GET itself 0 h)
list(GET itself 1 kl)
list(GET itself 2 cross)
check(kl STREQUAL "0.000000")
check_sum(${cross} ${h} 0)
find(text "${row}alice-en.txt")
list(GET text 0 h)
list(GET text 1 kl)
list(GET text 2 cross)
check_sum(${cross} ${h} ${kl})
check_range(${kl} 0.5 20)
run_well("${SCRATCH}/one.txt" "${SCRATCH}/two.txt")
check(out MATCHES " 0.811278 +1.7548 +inf +inf  [^\n]*two.txt\n")

find_program(ENT ent)
if(ENT)
  foreach(path expected IN ZIP_LISTS files entropies)
    execute_process(
      COMMAND "${ENT}" -t "${path}" WORKING_DIRECTORY "${ROOT}/examples" OUTPUT_VARIABLE out
    )
    find(entropy "1,[0-9]+,([0-9.]+),")
    check_sum(${expected} ${entropy} 0)
  endforeach()
else()
  message(STATUS "ent is not installed: not compared with it")
endif()

run_badly("^usage: ")
run_badly("cannot read no/such/file" text/alice-en.txt no/such/file)
