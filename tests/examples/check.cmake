# SPDX-License-Identifier: MIT
# What the scripts beside this one share. They are run with EXAMPLE, the program; ROOT, the project;
# SCRATCH, a folder to write to. Paths in the programs' arguments are relative to examples/.
cmake_minimum_required(VERSION 3.23)

# run(ARGUMENT...): sets code, out and err. INPUT, a file, is what the program reads. LAUNCHER, a command
# with arguments, starts the program.
set(INPUT "")
set(LAUNCHER "")
function(run)
  set(input "")
  if(INPUT)
    set(input INPUT_FILE "${INPUT}")
  endif()
  execute_process(
    COMMAND ${LAUNCHER} "${EXAMPLE}" ${ARGN}
    WORKING_DIRECTORY "${ROOT}/examples"
    RESULT_VARIABLE code
    OUTPUT_VARIABLE out
    ERROR_VARIABLE err
    TIMEOUT 200
    ${input}
  )
  foreach(variable code out err)
    set(${variable} "${${variable}}" PARENT_SCOPE)
  endforeach()
  set(arguments "${ARGN}" PARENT_SCOPE)
endfunction()

function(fail)
  message(FATAL_ERROR "${ARGN}\narguments: ${arguments}\nexit code: ${code}\n${out}${err}")
endfunction()

# check(CONDITION...): as in if(), but without lists and backslashes.
macro(check)
  if(NOT (${ARGN}))
    fail("not true: ${ARGN}")
  endif()
endmacro()

macro(run_well)
  run(${ARGN})
  if(NOT code STREQUAL "0" OR NOT err STREQUAL "")
    fail("should have run")
  endif()
endmacro()

# run_badly(PATTERN ARGUMENT...): fails with a message that matches.
macro(run_badly pattern)
  run(${ARGN})
  if(NOT code MATCHES "^[1-9][0-9]*$") # a signal would be a word
    fail("should have failed")
  endif()
  if(NOT err MATCHES "${pattern}")
    fail("the message should match ${pattern}")
  endif()
endmacro()

# find(VARIABLE PATTERN): the pattern's groups in the output, as a list.
function(find variable pattern)
  if(NOT out MATCHES "${pattern}")
    fail("no match of ${pattern}")
  endif()
  set(groups "")
  foreach(i RANGE 1 9)
    if(DEFINED CMAKE_MATCH_${i} AND i LESS_EQUAL CMAKE_MATCH_COUNT)
      list(APPEND groups "${CMAKE_MATCH_${i}}")
    endif()
  endforeach()
  set(${variable} "${groups}" PARENT_SCOPE)
endfunction()

# find_all(VARIABLE PATTERN): a list with the first group of each match.
function(find_all variable pattern)
  set(found "")
  string(REPLACE ";" "," text "${out}")
  string(REPLACE "[" "(" text "${text}") # brackets and semicolons break lists
  string(REPLACE "]" ")" text "${text}")
  string(REGEX MATCHALL "${pattern}" matches "${text}")
  foreach(match IN LISTS matches)
    string(REGEX REPLACE "${pattern}" "\\1" group "${match}")
    list(APPEND found "${group}")
  endforeach()
  if(found STREQUAL "")
    fail("no match of ${pattern}")
  endif()
  set(${variable} "${found}" PARENT_SCOPE)
endfunction()

# check_range(VALUE LOW HIGH): a number, and within.
macro(check_range value low high)
  if(NOT "${value}" MATCHES "^-?[0-9.]+(e[-+][0-9]+)?$" OR "${value}" LESS "${low}"
     OR "${value}" GREATER "${high}")
    fail("${value} is not within ${low} and ${high}")
  endif()
endmacro()

# check_sum(TOTAL A B): TOTAL = A + B to one unit of the last of their equally many decimals.
function(check_sum)
  set(digits "")
  foreach(number IN LISTS ARGN)
    string(REPLACE "." "" number "${number}")
    string(REGEX REPLACE "^(-?)0+([0-9])" "\\1\\2" number "${number}")
    list(APPEND digits "${number}")
  endforeach()
  list(GET digits 0 total)
  list(GET digits 1 a)
  list(GET digits 2 b)
  math(EXPR difference "${total} - (${a}) - (${b})")
  check_range(${difference} -1 1)
endfunction()

# check_shown(): the output is the one that examples/README.md shows for these arguments. TIMES, a
# pattern, says what differs from run to run. SHOWN_LAUNCHER is what the page has before the name.
function(check_shown)
  get_filename_component(name "${EXAMPLE}" NAME_WE)
  list(JOIN arguments " " command)
  string(STRIP "$ ${SHOWN_LAUNCHER}${name} ${command}" command)
  file(READ "${ROOT}/examples/README.md" page)
  set(text "${command}\n${out}")
  foreach(variable page text)
    string(REGEX REPLACE "-?[0-9]\\.[0-9]e(-1[0-9]|\\+00)" "tiny" ${variable} "${${variable}}")
    if(ARGC GREATER 0)
      string(REGEX REPLACE "${ARGV0}" "varies" ${variable} "${${variable}}")
    endif()
    string(REGEX REPLACE " +" " " ${variable} "${${variable}}")
  endforeach()
  string(FIND "${page}" "```\n${text}```\n" position)
  if(position EQUAL -1)
    fail("examples/README.md shows another output for: ${command}")
  endif()
endfunction()
