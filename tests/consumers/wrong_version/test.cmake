# SPDX-License-Identifier: MIT
# Catches: a version file that accepts a version it does not provide, or refuses the one it does.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
install_gibbs()
run(${configure} -S "${HERE}" -B "${BUILD}/same" "-DCMAKE_PREFIX_PATH=${prefix}" -DVERSION=0.1.0)
foreach(version 0.1.1 0.2 1.0 2)
  run_refused(
    "compatible with requested version \"${version}\"" # and not, say, for a missing xsimd
    ${configure} -S "${HERE}" -B "${BUILD}/${version}" "-DCMAKE_PREFIX_PATH=${prefix}" -DVERSION=${version}
  )
endforeach()
