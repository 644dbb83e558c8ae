// SPDX-License-Identifier: MIT
//
// GIBBS_INLINE: functions that never become a symbol of their own, without optimisation either, so
// that units compiled with different -m flags do not share them.
#ifndef GIBBS_DETAIL_INLINE_HPP
#define GIBBS_DETAIL_INLINE_HPP

#if defined(_MSC_VER) && !defined(__clang__)
#define GIBBS_INLINE __forceinline
#define GIBBS_INLINE_LAMBDA
#else
#define GIBBS_INLINE inline __attribute__((always_inline))
#define GIBBS_INLINE_LAMBDA __attribute__((always_inline))
#endif

#endif  // GIBBS_DETAIL_INLINE_HPP
