# SPDX-License-Identifier: MIT
# Catches: a contrastive loss that training does not lower on sentences it has not seen, or that does
# not tend to the cost of guessing as the temperature grows.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/alice-en.txt)
check_shown()
find(guessing "costs ln [0-9]+ = ([0-9.]+) nats")
# Found, and the losses at the temperatures 0.01 to 1.
set(losses " +([0-9.]+) +[0-9.]+ +([0-9.]+) +[0-9.]+ +[0-9.]+ +[0-9.]+ +([0-9.]+)\n")
find(start "\n +0 +([0-9.]+)%${losses}")
find(end "\n +60 +([0-9.]+)%${losses}")
list(GET start 0 found_start)
list(GET end 0 found_end)
check_range(${found_start} 70 100)
check(found_end GREATER_EQUAL found_start)
list(GET start 2 loss_start) # at the temperature of the training
list(GET end 2 loss_end)
check_range(${loss_start} 0.5 2)
check_range(${loss_end} 0.1 0.85)
foreach(i 1 3) # colder and hotter
  list(GET start ${i} before)
  list(GET end ${i} after)
  check_range(${after} ${loss_end} ${before})
endforeach()
check_range(${after} 4 ${guessing}) # the hottest
find(nearest "\n([0-9.]+) alice had been to the seaside")
check_range(${nearest} 0.6 1)

run_badly("^usage: ")
run_badly("^usage: " no/such/file)
