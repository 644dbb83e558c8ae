# SPDX-License-Identifier: MIT
# Instructions of the main kernels, counted by callgrind, beside those in data/counts.txt: a regression
# shows without a clock. For the compiler that the file names; after a change that is meant:
#     cmake -DPROGRAM=build/release/tests/count_instructions -DCOMPILER=... -DUPDATE=ON -P tests/counts.cmake
# Variables: PROGRAM, COMPILER (name and version), DATA (counts.txt), UPDATE.
cmake_minimum_required(VERSION 3.23)
if(NOT DATA)
  set(DATA "${CMAKE_CURRENT_LIST_DIR}/data/counts.txt")
endif()
set(tolerance 5) # per cent

execute_process(
  COMMAND valgrind --tool=callgrind --callgrind-out-file=${PROGRAM}.callgrind --collect-atstart=no
          --toggle-collect=count_* ${PROGRAM}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "callgrind: ${output}")
endif()
execute_process(
  COMMAND callgrind_annotate --inclusive=yes --threshold=100 ${PROGRAM}.callgrind
  OUTPUT_VARIABLE annotated COMMAND_ERROR_IS_FATAL ANY
)
string(REGEX MATCHALL "[0-9,]+ \\([ 0-9.]+%\\) [^\n]*:count_[a-z0-9_]+" lines "${annotated}")
set(counted)
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^([0-9,]+) .*:count_([a-z0-9_]+)$" "\\1" count "${line}")
  string(REGEX REPLACE "^.*:count_([a-z0-9_]+)$" "\\1" name "${line}")
  string(REPLACE "," "" count "${count}")
  list(APPEND counted "${name} ${count}")
endforeach()
list(SORT counted COMPARE NATURAL)
list(REMOVE_DUPLICATES counted)
list(LENGTH counted number)
if(number LESS 50)
  message(FATAL_ERROR "only ${number} functions were counted:\n${annotated}")
endif()
list(JOIN counted "\n" text)
if(UPDATE)
  file(WRITE "${DATA}" "# ${COMPILER}, -O3, AVX2 with FMA: instructions a call, as callgrind counts them\n${text}\n")
  return()
endif()

file(STRINGS "${DATA}" wanted)
list(POP_FRONT wanted head)
string(REGEX MATCH "^# ([^,]*)," head "${head}")
if(NOT CMAKE_MATCH_1 STREQUAL COMPILER)
  message("not compared: the counts are of ${CMAKE_MATCH_1}, this is ${COMPILER}")
  return()
endif()
set(failed)
foreach(line IN LISTS wanted)
  string(REGEX MATCH "^([a-z0-9_]+) ([0-9]+)$" line "${line}")
  set(name ${CMAKE_MATCH_1})
  set(old ${CMAKE_MATCH_2})
  if(NOT text MATCHES "(^|\n)${name} ([0-9]+)")
    list(APPEND failed "${name}: not counted")
    continue()
  endif()
  set(new ${CMAKE_MATCH_2})
  math(EXPR most "${old} * (100 + ${tolerance}) / 100")
  math(EXPR least "${old} * (100 - ${tolerance}) / 100")
  if(new GREATER most)
    list(APPEND failed "${name}: ${new} instructions, they were ${old}")
  elseif(new LESS least)
    message("${name}: ${new} instructions, they were ${old}: better, to be kept with UPDATE")
  endif()
endforeach()
if(failed)
  list(JOIN failed "\n" failed)
  message(FATAL_ERROR "${failed}")
endif()
message("${number} functions, none more than ${tolerance} % above ${DATA}")
