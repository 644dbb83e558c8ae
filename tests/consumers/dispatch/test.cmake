# SPDX-License-Identifier: MIT
# Catches: a gibbs::dispatch that is built where nothing asked for it, is missing from the installed package,
# or takes over the project's own -march or -ffast-math; a limit in the environment that is not kept; units
# that cannot be compiled by hand as dispatch_unit.hpp says, or with flags that do not fit. And in the units:
# code of one architecture under a name that another one shares (the linker keeps either, so they are linked
# in both orders), static initialisers, and an instruction that a CPU without AVX does not have.
include("${CMAKE_CURRENT_LIST_DIR}/../consumer.cmake")
if(NOT ARCHITECTURES)
  message("skipped: this build tests no architectures but its own")
  return()
endif()
list(GET ARCHITECTURES -1 best)
find_program(NM nm REQUIRED)
find_program(OBJCOPY objcopy REQUIRED)
find_program(QEMU qemu-x86_64)

# --- By hand -------------------------------------------------------------------------------------

set(compile "${CXX}" -std=c++20 -Wall -Wextra -Werror "-I${ROOT}/include")
foreach(include IN LISTS XSIMD_INCLUDE)
  if(NOT include STREQUAL "/usr/include")
    list(APPEND compile -isystem "${include}")
  endif()
endforeach()
set(flags_base -march=x86-64)
set(flags_avx2 -march=x86-64 -mavx2 -mfma)
set(flags_avx512 -march=x86-64 -mavx2 -mfma -mavx512f -mavx512cd -mavx512bw -mavx512dq -mavx512vl)
file(WRITE "${BUILD}/select.cpp" "#include <gibbs/dispatch_unit.hpp>\nGIBBS_DISPATCH_SELECT();\n")
foreach(unit base avx2 avx512)
  file(WRITE "${BUILD}/${unit}.cpp" "#include <gibbs/dispatch_unit.hpp>\nGIBBS_DISPATCH_UNIT(${unit});\n")
  run(${compile} -O2 ${flags_${unit}} -fsyntax-only "${BUILD}/${unit}.cpp")
endforeach()
run_refused("flags of another architecture" ${compile} -O2 ${flags_avx2} -fsyntax-only "${BUILD}/base.cpp")
run_refused("flags of another architecture" ${compile} -O2 ${flags_base} -fsyntax-only "${BUILD}/avx2.cpp")
run_refused("flags of another architecture" ${compile} -O2 ${flags_avx512} -fsyntax-only "${BUILD}/avx2.cpp")
run_refused("flags of another architecture" ${compile} -O2 ${flags_avx2} -fsyntax-only "${BUILD}/avx512.cpp")
run_refused("compile this file with -O3" ${compile} ${flags_avx2} -fsyntax-only "${BUILD}/avx2.cpp")

# --- By CMake ------------------------------------------------------------------------------------

# run_and_expect(NAME COMMAND...): fails unless NAME is all that is printed.
macro(run_and_expect name)
  run(${ARGN})
  if(NOT output STREQUAL "${name}\n")
    message(FATAL_ERROR "is ${output}, should be ${name}: ${ARGN}")
  endif()
endmacro()

set(lto ON)
run_unchecked(${compile} -flto -ffat-lto-objects -fsyntax-only "${HERE}/other.cpp")
if(NOT status EQUAL 0)
  message("no link time optimisation beside code here: not linked with it")
  set(lto OFF)
endif()
# Installed: the tests themselves have the one of a vendored library.
install_gibbs()
run(
  ${configure} -S "${HERE}" -B "${BUILD}/app" "-DCMAKE_PREFIX_PATH=${prefix}" -DCMAKE_BUILD_TYPE=Debug
  "-DLTO=${lto}" "-DCMAKE_CXX_FLAGS=-march=native -ffast-math -Wall -Wextra -Werror"
)
run("${CMAKE_COMMAND}" --build "${BUILD}/app" --target other)
file(GLOB_RECURSE built "${BUILD}/app/*gibbs_dispatch*.[ao]")
if(built)
  message(FATAL_ERROR "built, though nothing links it: ${built}")
endif()
run("${CMAKE_COMMAND}" --build "${BUILD}/app" --target app)
set(app "${BUILD}/app/app")
foreach(name IN LISTS ARCHITECTURES)
  run_and_expect(${name} "${CMAKE_COMMAND}" -E env GIBBS_MAX_ARCHITECTURE=${name} "${app}")
endforeach()
set(no_limit "${CMAKE_COMMAND}" -E env --unset=GIBBS_MAX_ARCHITECTURE)
run_and_expect(${best} "${CMAKE_COMMAND}" -E env GIBBS_MAX_ARCHITECTURE=ia64 "${app}")
run_and_expect(${best} ${no_limit} "${app}")

# --- The units -----------------------------------------------------------------------------------

set(own_base "xsimd::sse2")
set(own_avx2 "xsimd::fma3<xsimd::avx2>")
set(own_avx512 "xsimd::avx512")

# Only the table is strong; every weak symbol has the architecture in its name; nothing runs before main.
function(check_symbols object unit)
  run("${NM}" -C --defined-only "${object}")
  string(REGEX MATCHALL "[^\n]* [A-Zu] [^\n]*" symbols "${output}")
  set(weak 0)
  foreach(symbol IN LISTS symbols)
    string(REGEX REPLACE "^[0-9a-f]* " "" symbol "${symbol}")
    if(symbol MATCHES "^[WVu] ")
      math(EXPR weak "${weak} + 1")
      string(FIND "${symbol}" "${own_${unit}}" position)
      # What the unwinder needs is a pointer to data in libstdc++.
      if(position EQUAL -1 AND NOT symbol STREQUAL "V DW.ref.__gxx_personality_v0")
        message(SEND_ERROR "in ${unit}, without its architecture: ${symbol}")
      endif()
    elseif(NOT symbol MATCHES "^[DR] gibbs::detail::dispatch_${unit}$")
      message(SEND_ERROR "in ${unit}, a second strong symbol: ${symbol}")
    endif()
  endforeach()
  if(weak LESS 20)
    message(SEND_ERROR "${unit} has ${weak} weak symbols only: is this list right?")
  endif()
  if(output MATCHES "_GLOBAL__sub_I|_GLOBAL__I_|__cxx_global_var_init")
    message(SEND_ERROR "a static initialiser in ${unit}")
  endif()
endfunction()

set(units "")
set(units_for_lto "")
foreach(unit base avx2 avx512)
  file(GLOB_RECURSE object "${BUILD}/app/${unit}.cpp.o")
  list(LENGTH object count)
  if(NOT count EQUAL 1)
    message(FATAL_ERROR "the object of ${unit}: ${object}")
  endif()
  list(APPEND units_for_lto "${object}")
  # (nm shows what is for link time optimisation where there is any.)
  set(machine_code "${BUILD}/${unit}.o")
  run("${OBJCOPY}" --remove-section=.gnu.lto_* "${object}" "${machine_code}")
  check_symbols("${machine_code}" ${unit})
  list(APPEND units "${machine_code}")
endforeach()

# link(NAME "UNITS" "FLAGS" ORDER...): programs of the units and of a choice among them compiled with the flags.
function(link name objects flags)
  foreach(source "${BUILD}/select.cpp" "${HERE}/app.cpp")
    get_filename_component(object "${source}" NAME_WE)
    set(object "${BUILD}/${name}_${object}.o")
    run(${compile} ${flags} ${flags_base} -c "${source}" -o "${object}")
    list(APPEND objects "${object}")
  endforeach()
  foreach(order IN LISTS ARGN)
    set(program "${BUILD}/${name}_${order}")
    run("${CXX}" ${flags} ${objects} -o "${program}")
    run_and_expect(${best} ${no_limit} "${program}")
    if(QEMU)
      # A plain x86-64, then one with AVX2; a limit does not add what a CPU does not have.
      run_and_expect(
        sse2 "${CMAKE_COMMAND}" -E env GIBBS_MAX_ARCHITECTURE=avx512 "${QEMU}" -cpu qemu64 "${program}"
      )
      run_and_expect(avx2 ${no_limit} "${QEMU}" -cpu max "${program}")
    endif()
    list(REVERSE objects)
  endforeach()
  message("${name}: ok")
endfunction()

link(debug "${units}" "-O0;-g1" forward backward)
link(release "${units}" "-O1;-DNDEBUG" forward backward)
if(lto) # which compiles everything again
  link(lto "${units_for_lto}" "-O1;-flto" forward)
endif()
if(NOT QEMU)
  message("no qemu-x86_64 here: not run without AVX")
endif()
