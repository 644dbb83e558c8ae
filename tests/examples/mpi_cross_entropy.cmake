# SPDX-License-Identifier: MIT
# Catches: a reduction of states that depends on the number of ranks or on how the classes are split, or that
# loses digits against the whole row; a rank without classes that counts.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

set(ENV{ASAN_OPTIONS} "detect_leaks=0") # Open MPI's own

# launch(N): the next runs have N ranks.
function(launch ranks)
  execute_process(COMMAND "${MPIEXEC}" --version OUTPUT_VARIABLE version ERROR_QUIET)
  set(flags "")
  if(version MATCHES "Open MPI|OpenRTE") # which otherwise refuses root, and more ranks than cores
    set(flags --allow-run-as-root --oversubscribe)
  endif()
  set(LAUNCHER "${MPIEXEC}" ${flags} "${RANKS}" ${ranks} PARENT_SCOPE)
endfunction()

# run_split(N CLASSES SHARE...): as it should be, with so many classes on each of N ranks.
set(losses "")
function(run_split ranks split)
  launch(${ranks})
  run_well(text/alice-en.txt ${ARGN})
  check(out MATCHES "^256 classes on ${ranks} ranks: ${split}\n")
  find(merged "\nmerged states +([0-9.]+) nats +([0-9.]+)\n")
  find(whole "\nall in one place +([0-9.]+) nats +([0-9.]+)\n")
  check(merged STREQUAL whole)
  find(difference "\nlargest difference of a loss: ([0-9.e+-]+) of it\n")
  check_range(${difference} 0 4e-7)
  list(GET merged 0 loss)
  set(losses ${losses} ${loss} PARENT_SCOPE)
  foreach(variable code out err arguments)
    set(${variable} "${${variable}}" PARENT_SCOPE)
  endforeach()
endfunction()

run_split(1 "256")
run_split(2 "128 128")
run_split(3 "85 85 86")
run_split(4 "64 64 64 64")
run_split(2 "0 256" 0 1)
run_split(3 "1 0 255" 1 0 255)
run_split(4 "128 0 32 96" 4 0 1 3)
set(SHOWN_LAUNCHER "mpirun -n 4 ")
check_shown("largest difference[^\n]*")
list(REMOVE_DUPLICATES losses)
list(LENGTH losses count)
check(count EQUAL 1)
check_range(${losses} 2.5 2.6)

launch(2)
run_badly("usage: ")
run_badly("usage: " no/such/file)
run_badly("usage: " text/alice-en.txt 1)
run_badly("usage: " text/alice-en.txt 0 0)
