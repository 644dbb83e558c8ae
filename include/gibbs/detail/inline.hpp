// SPDX-License-Identifier: MIT
//
// How functions become machine code:
// GIBBS_INLINE: never a symbol of their own, without optimisation either, so that units compiled
//   with different -m flags do not share them.
// GIBBS_KERNEL: a symbol of their own, with all the parts that they call in it. (Where clang
//   optimises, its own choice.)
// GIBBS_PART, GIBBS_PART_LAMBDA: parts of kernels. They have an architecture in their name (a
//   template parameter, their own or that of the function around them), so that it does no harm
//   where one becomes a symbol. Without optimisation each does, which takes a sixth of the time to
//   compile.
// GIBBS_KERNEL_OR_PART: what g++ makes faster as a kernel, and clang as a part of one.
#ifndef GIBBS_DETAIL_INLINE_HPP
#define GIBBS_DETAIL_INLINE_HPP

#if defined(_MSC_VER) && !defined(__clang__)
#define GIBBS_INLINE __forceinline
#define GIBBS_KERNEL
#define GIBBS_KERNEL_OR_PART
#define GIBBS_PART GIBBS_INLINE
#define GIBBS_PART_LAMBDA
#else
#define GIBBS_INLINE inline __attribute__((always_inline))
#if !defined(__clang__)
// g++ optimises a function again at each level that it is always inlined through; flattened into
// the kernel at once, all of it compiles in half the time.
#define GIBBS_KERNEL __attribute__((noinline, flatten))
#define GIBBS_KERNEL_OR_PART GIBBS_KERNEL
#define GIBBS_PART inline
#define GIBBS_PART_LAMBDA
#elif !defined(__OPTIMIZE__) || __has_feature(address_sanitizer) || \
    __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
// (With a sanitizer what is always inlined compiles for minutes.)
#define GIBBS_KERNEL __attribute__((noinline))
#define GIBBS_KERNEL_OR_PART GIBBS_KERNEL
#define GIBBS_PART inline
#define GIBBS_PART_LAMBDA
#else
// clang flattens one level only, so that parts are always inlined here.
#define GIBBS_KERNEL
#define GIBBS_KERNEL_OR_PART __attribute__((always_inline))
#define GIBBS_PART GIBBS_INLINE
#define GIBBS_PART_LAMBDA __attribute__((always_inline))
#endif
#endif

#endif  // GIBBS_DETAIL_INLINE_HPP
