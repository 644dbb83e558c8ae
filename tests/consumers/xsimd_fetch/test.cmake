# SPDX-License-Identifier: MIT
# Catches: a fallback that does not work where no fitting xsimd is installed, a package of an unknown major
# version that is taken, options of xsimd that leak, and warnings from its headers.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
# A copy of the installed headers stands in for the download.
file(COPY "${HERE}/xsimd" DESTINATION "${BUILD}")
file(COPY "${XSIMD_INCLUDE}/xsimd" DESTINATION "${BUILD}/xsimd/include")
file(
  APPEND "${BUILD}/xsimd/include/xsimd/xsimd.hpp"
  "\ninline int gibbs_test_warning(int unused) { return int(1.5f) == 1.5 ? 0 : -1u; }\n"
)
# Packages that are too new and too old.
foreach(version 15.0.0 8.0.5)
  set(dir "${BUILD}/prefix/share/cmake/xsimd-${version}")
  file(WRITE "${dir}/xsimdConfig.cmake" "message(FATAL_ERROR \"took xsimd ${version}\")")
  file(WRITE "${dir}/xsimdConfigVersion.cmake" "
    set(PACKAGE_VERSION ${version})
    string(REGEX MATCH \"^[0-9]+\" major ${version})
    if(PACKAGE_FIND_VERSION_MAJOR EQUAL major AND NOT PACKAGE_FIND_VERSION VERSION_GREATER ${version})
      set(PACKAGE_VERSION_COMPATIBLE TRUE)
    endif()"
  )
endforeach()
build_and_run(
  "${HERE}" "-DCMAKE_PREFIX_PATH=${BUILD}/prefix" -Dxsimd_DIR=NOTFOUND
  -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF
  "-DFETCHCONTENT_SOURCE_DIR_XSIMD=${BUILD}/xsimd"
)
