# SPDX-License-Identifier: MIT
# Catches: a contrastive loss that training does not lower on sentences it has not seen, or that does
# not tend to the cost of guessing as the temperature grows.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/alice-en.txt)
check_shown()
find(guessing "costs ln [0-9]+ = ([0-9.]+) nats")
find(start "\n +0 +([0-9.]+) +([0-9.]+)%\n")
find(end "\n +60 +([0-9.]+) +([0-9.]+)%\n")
list(GET start 0 loss_start)
list(GET end 0 loss_end)
list(GET start 1 found_start)
list(GET end 1 found_end)
check_range(${loss_start} 0.5 2)
check_range(${loss_end} 0.1 0.85)
check_range(${found_start} 70 100)
check(found_end GREATER_EQUAL found_start)
find(warm "\n +1.00 +([0-9.]+) +([0-9.]+)\n")
list(GET warm 0 warm)
check_range(${warm} 4 ${guessing})
find(nearest "\n([0-9.]+) alice had been to the seaside")
check_range(${nearest} 0.6 1)

run_badly("^usage: ")
run_badly("^usage: " no/such/file)
