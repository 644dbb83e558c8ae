# SPDX-License-Identifier: MIT
# Catches: a gibbs.pc with a wrong path, version or requirement.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
find_program(PKG_CONFIG pkg-config REQUIRED)
install_gibbs()
set(ENV{PKG_CONFIG_PATH} "${prefix}/share/pkgconfig")
run("${PKG_CONFIG}" --exists --print-errors "gibbs = 0.1.0")
run("${PKG_CONFIG}" --cflags --libs gibbs)
separate_arguments(flags UNIX_COMMAND "${output}")
run("${CXX}" -std=c++20 "${CONSUMERS}/app.cpp" ${flags} -o "${BUILD}/app")
run("${BUILD}/app")
