# SPDX-License-Identifier: MIT
# Catches: a README whose snippet is not the program that is built and run, whose table misses a header,
# or whose error bounds are not those of accuracy.hpp.
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

# | `NAME` | BOUND |, for each constant and for nothing else.
set(bounds "")
file(STRINGS "${ROOT}/include/gibbs/accuracy.hpp" lines REGEX "^inline constexpr double [a-z_]+ = ")
foreach(line IN LISTS lines)
  string(REGEX MATCH "double ([a-z_]+) = (.*);" line "${line}")
  set(name "${CMAKE_MATCH_1}")
  string(REGEX REPLACE "^detail::has_fma<Arch> \\? (.*) : (.*)$" "\\1; \\2 without FMA" bound "${CMAKE_MATCH_2}")
  string(FIND "${readme}" "\n| `${name}` | ${bound} |" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "README.md should have: | `${name}` | ${bound} |")
  endif()
  list(APPEND bounds ${name})
endforeach()
string(REGEX MATCHALL "\n\\| `[a-z_]+` \\| [0-9]" rows "${readme}")
list(LENGTH rows in_readme)
list(LENGTH bounds in_header)
if(in_header EQUAL 0 OR NOT in_readme EQUAL in_header)
  message(FATAL_ERROR "README.md has ${in_readme} bounds, accuracy.hpp has ${in_header}")
endif()
