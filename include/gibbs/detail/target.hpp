// SPDX-License-Identifier: MIT
//
// GIBBS_TARGET names the instruction set that a unit is compiled for. Code that does not depend on
// it, and has no architecture among its template parameters, is in an inline namespace of this
// name: units compiled with different -m flags can then be linked, and none of them calls a
// function compiled for another.
#ifndef GIBBS_DETAIL_TARGET_HPP
#define GIBBS_DETAIL_TARGET_HPP

#if defined(__AVX512F__)
#define GIBBS_TARGET target_avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define GIBBS_TARGET target_avx2_fma
#elif defined(__AVX2__)
#define GIBBS_TARGET target_avx2
#elif defined(__AVX__)
#define GIBBS_TARGET target_avx
#elif defined(__SSE4_2__)
#define GIBBS_TARGET target_sse4
#else
#define GIBBS_TARGET target_base
#endif

#endif  // GIBBS_DETAIL_TARGET_HPP
