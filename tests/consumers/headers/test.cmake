# SPDX-License-Identifier: MIT
# Catches: a header that needs another one to be included before it, and warnings in any of them.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
run(
  ${configure} -S "${ROOT}" -B "${BUILD}/gibbs" -DGIBBS_TESTS=OFF -DGIBBS_BENCH=OFF -DGIBBS_EXAMPLES=OFF
  -DCMAKE_VERIFY_INTERFACE_HEADER_SETS=ON
  "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Werror"
)
run("${CMAKE_COMMAND}" --build "${BUILD}/gibbs" --target all_verify_interface_header_sets)
