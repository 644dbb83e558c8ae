# SPDX-License-Identifier: MIT
# Catches: a build that looks for xsimd although the project around it has one, under either name.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
foreach(name xsimd xsimd::xsimd)
  file(REMOVE_RECURSE "${BUILD}/app")
  build_and_run("${HERE}" -DNAME=${name} "-DXSIMD_INCLUDE=${XSIMD_INCLUDE}" -DCMAKE_DISABLE_FIND_PACKAGE_xsimd=ON)
endforeach()
