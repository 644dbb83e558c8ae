# SPDX-License-Identifier: MIT
# Catches: merged blocks of attention that differ from the whole, and counts that do not add up.
include("${CMAKE_CURRENT_LIST_DIR}/check.cmake")

run_well(text/alice-en.txt)
check_shown()
foreach(n 1 2 4 8 16 32 64 128)
  find(numbers "\n +${n} +([0-9]+) +([0-9]+) +[0-9.]+ +([0-9]+) +([0-9.]+e[-+][0-9]+)\n")
  list(GET numbers 0 recomputed)
  list(GET numbers 1 cached)
  list(GET numbers 2 memory)
  list(GET numbers 3 difference)
  # 3 layers; each token: 3 products with a matrix, n products with keys, n sums of values, one merge
  # for each block
  math(EXPR each "3 * (3 * 32 * 32 + 2 * 32 * ${n} + 32 * ((${n} + 15) / 16))")
  check(cached EQUAL each)
  math(EXPR whole "3 * (3 * 32 * 32 * ${n} + 32 * ${n} * (${n} + 1) + 32 * ${n})")
  check(recomputed EQUAL whole)
  math(EXPR numbers "2 * 3 * 32 * ${n}")
  check(memory EQUAL numbers)
  check_range(${difference} 0 1e-12)
endforeach()

run_badly("^usage: ")
run_badly("^usage: " no/such/file)
