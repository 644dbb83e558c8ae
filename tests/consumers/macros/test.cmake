# SPDX-License-Identifier: MIT
# Catches: std::min and the like without parentheses, and names that <windows.h> or <complex.h> define.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
build_and_run("${HERE}")
