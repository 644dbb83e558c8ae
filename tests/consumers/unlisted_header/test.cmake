# SPDX-License-Identifier: MIT
# Catches: a header that CMakeLists.txt does not list, which would be neither installed nor checked.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
file(COPY "${ROOT}/include" "${ROOT}/CMakeLists.txt" DESTINATION "${BUILD}/gibbs")
set(configure_copy
    ${configure} -S "${BUILD}/gibbs" -B "${BUILD}/build" -DGIBBS_TESTS=OFF -DGIBBS_BENCH=OFF -DGIBBS_EXAMPLES=OFF
)
run(${configure_copy})
file(TOUCH "${BUILD}/gibbs/include/gibbs/detail/forgotten.hpp")
run_refused("include/gibbs/detail/forgotten.hpp" ${configure_copy})
