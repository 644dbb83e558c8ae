# SPDX-License-Identifier: MIT
# Catches: a try, throw or typeid that does not compile without them, and an error that then goes unsaid.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
build_and_run("${HERE}")
run_refused("gibbs::softmax: " "${BUILD}/app/app" bad)
run_refused("gibbs::find_duplicate: " "${BUILD}/app/app" worse)
