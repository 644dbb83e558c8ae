# SPDX-License-Identifier: MIT
# Catches: a download where none is needed: without a network, an installed xsimd must do.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
build_and_run("${HERE}/../fetch_content" -DFETCHCONTENT_FULLY_DISCONNECTED=ON)
