# SPDX-License-Identifier: MIT
# Catches: a target that another library cannot pass on: no include folder, no C++20, or no xsimd at the
# user of that library.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
install_gibbs()
run(
  ${configure} -S "${HERE}/middle" -B "${BUILD}/middle" "-DCMAKE_PREFIX_PATH=${prefix}"
  "-DCMAKE_INSTALL_PREFIX=${prefix}"
)
run("${CMAKE_COMMAND}" --build "${BUILD}/middle" --target install)
build_and_run("${HERE}/app" "-DCMAKE_PREFIX_PATH=${prefix}")
