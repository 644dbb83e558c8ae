# SPDX-License-Identifier: MIT
# Catches: a README whose snippet is not the program that is built and run, or whose table misses a header.
cmake_minimum_required(VERSION 3.23)

file(READ "${ROOT}/README.md" readme)
file(READ "${ROOT}/examples/quickstart.cpp" example)
string(REGEX REPLACE "^// SPDX[^\n]*\n" "" example "${example}")
string(FIND "${readme}" "```cpp\n${example}```\n" position)
if(position EQUAL -1)
  message(FATAL_ERROR "README.md does not show examples/quickstart.cpp as it is")
endif()

file(GLOB headers RELATIVE "${ROOT}/include/gibbs" "${ROOT}/include/gibbs/*.hpp")
foreach(header IN LISTS headers)
  string(FIND "${readme}" "(include/gibbs/${header})" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "README.md does not link include/gibbs/${header}")
  endif()
endforeach()

string(REPLACE "](" "\n@(" lines "${readme}") # a bracket would end up inside a list
string(REGEX MATCHALL "@\\([^)#:]+\\)" links "${lines}")
foreach(link IN LISTS links)
  string(REGEX REPLACE "@\\((.*)\\)" "\\1" path "${link}")
  if(NOT EXISTS "${ROOT}/${path}")
    message(FATAL_ERROR "README.md links ${path}, which does not exist")
  endif()
endforeach()
