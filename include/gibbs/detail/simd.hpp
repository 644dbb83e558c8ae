// SPDX-License-Identifier: MIT
//
// The only file that includes xsimd. Everything that differs between versions of xsimd and
// everything for which an architecture has an instruction that xsimd does not offer ends here.
#ifndef GIBBS_DETAIL_SIMD_HPP
#define GIBBS_DETAIL_SIMD_HPP

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(_M_FP_FAST) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error \
    "gibbs needs IEEE arithmetic: compile this file without -ffast-math, -Ofast, /fp:fast, -fassociative-math \
and -ffinite-math-only (for one file in CMake: set_source_files_properties(x.cpp PROPERTIES COMPILE_OPTIONS -fno-fast-math))"
#endif

#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error \
    "gibbs needs float and double arithmetic that rounds to float and double: on 32-bit x86 compile \
this file with -msse2 -mfpmath=sse"
#endif

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <xsimd/xsimd.hpp>

#include "inline.hpp"

#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
#error \
    "gibbs: xsimd knows no vectors for this target. On 32-bit x86 compile this file with -msse2 \
-mfpmath=sse; elsewhere xsimd 11 or newer can do without: -DXSIMD_WITH_EMULATED=1 \
-DXSIMD_DEFAULT_ARCH=xsimd::emulated<128>"
#endif

// GCC 12 warns of a variable in its own AVX-512 header that is undefined on purpose, wherever an
// intrinsic that uses it is inlined, and without optimisation of conversions inside its macros.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

namespace gibbs::detail {

using xsimd::default_arch;

/// Variables that hold batches are not const: g++ 12 does not take constants of class type apart
/// into registers (its dumps say "store to a read-only decl"), and stores them where nothing reads
/// them.
template <class T, class Arch>
using batch = xsimd::batch<T, Arch>;
template <class T, class Arch>
using mask = xsimd::batch_bool<T, Arch>;
template <class T>
using uint_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T, class Arch>
inline constexpr std::size_t lanes = batch<T, Arch>::size;

template <class T>
inline constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1;
template <class T>
inline constexpr int exponent_bias = std::numeric_limits<T>::max_exponent - 1;
template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();

// --- What the architecture can do ---------------------------------------------------------------

template <class Arch>
inline constexpr bool is_emulated = false;
#if defined(XSIMD_WITH_EMULATED) && XSIMD_WITH_EMULATED
template <std::size_t Bits>
inline constexpr bool is_emulated<xsimd::emulated<Bits>> = true;
#endif
template <class Arch>
struct is_fma3 : std::false_type {};
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
#define GIBBS_X86 1
template <class Base>
struct is_fma3<xsimd::fma3<Base>> : std::true_type {};
template <class Arch>
inline constexpr bool is_avx512 = std::is_base_of_v<xsimd::avx512f, Arch>;
template <class Arch>
inline constexpr bool is_avx2 = std::is_base_of_v<xsimd::avx2, Arch> && !is_avx512<Arch>;
template <class Arch>
inline constexpr bool is_avx = std::is_base_of_v<xsimd::avx, Arch> && !is_avx512<Arch>;
template <class Arch>
inline constexpr bool is_x86 = !is_emulated<Arch>;
template <class Arch>
inline constexpr bool is_neon64 = false;
#else
#define GIBBS_X86 0
template <class Arch>
inline constexpr bool is_avx512 = false;
template <class Arch>
inline constexpr bool is_avx2 = false;
template <class Arch>
inline constexpr bool is_avx = false;
template <class Arch>
inline constexpr bool is_x86 = false;
template <class Arch>
inline constexpr bool is_neon64 = std::is_base_of_v<xsimd::neon64, Arch>;
#endif

/// How many batches of registers are side by side in one: beside.hpp has those of several.
template <class Arch>
inline constexpr std::size_t abreast = 1;
template <class Arch>
inline constexpr bool is_several = abreast<Arch> != 1;

/// Whether there is look_up() below, in about the time of an addition.
template <class Arch>
inline constexpr bool has_look_up = is_avx512<Arch>;

/// Whether multiply_add() below rounds once. Where it does not, exact products are made from short
/// factors.
template <class Arch>
inline constexpr bool has_fma = is_fma3<Arch>::value || is_avx512<Arch> || is_neon64<Arch>;

/// f(0), ..., f(N - 1): arrays of batches stay in registers if their indices are constants from the
/// beginning, which those of loops are not.
template <class F, std::size_t... i>
GIBBS_PART void unroll_over(F f, std::index_sequence<i...>) {
  (f(i), ...);
}
template <std::size_t N, class F>
GIBBS_PART void unroll(F f) {
  unroll_over(f, std::make_index_sequence<N>());
}

// --- Arithmetic ---------------------------------------------------------------------------------

/// a * b + c, rounded once if has_fma<Arch>.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> multiply_add(const batch<T, Arch>& a, const batch<T, Arch>& b,
                                       const batch<T, Arch>& c) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  // xsimd 8.1 multiplies and adds here.
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    return batch<T, Arch>(_mm512_fmadd_ps(a, b, c));
  } else if constexpr (is_avx512<Arch>) {
    return batch<T, Arch>(_mm512_fmadd_pd(a, b, c));
  } else
#endif
    return xsimd::fma(a, b, c);
}

/// a * b - c, likewise.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> multiply_subtract(const batch<T, Arch>& a, const batch<T, Arch>& b,
                                            const batch<T, Arch>& c) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    return batch<T, Arch>(_mm512_fmsub_ps(a, b, c));
  } else if constexpr (is_avx512<Arch>) {
    return batch<T, Arch>(_mm512_fmsub_pd(a, b, c));
  } else
#endif
    return xsimd::fms(a, b, c);
}

template <class T, class Arch>
GIBBS_PART batch<T, Arch> choose(const mask<T, Arch>& condition, const batch<T, Arch>& yes,
                                 const batch<T, Arch>& no) {
  return xsimd::select(condition, yes, no);
}

/// x, or 0 where the condition does not hold. (g++ makes two instructions of choose() on x86 where
/// a condition is used twice.)
template <class T, class Arch>
GIBBS_PART batch<T, Arch> zero_unless(const mask<T, Arch>& condition, const batch<T, Arch>& x) {
#if GIBBS_X86 && XSIMD_WITH_AVX
  if constexpr (is_avx<Arch> && std::is_same_v<T, float>) {
    return batch<T, Arch>(_mm256_and_ps(condition, x));
  } else if constexpr (is_avx<Arch>) {
    return batch<T, Arch>(_mm256_and_pd(condition, x));
  } else
#endif
    return choose(condition, x, batch<T, Arch>(T(0)));
}

/// x, or 0 where the condition holds.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> zero_if(const mask<T, Arch>& condition, const batch<T, Arch>& x) {
#if GIBBS_X86 && XSIMD_WITH_AVX
  if constexpr (is_avx<Arch> && std::is_same_v<T, float>) {
    return batch<T, Arch>(_mm256_andnot_ps(condition, x));
  } else if constexpr (is_avx<Arch>) {
    return batch<T, Arch>(_mm256_andnot_pd(condition, x));
  } else
#endif
    return choose(condition, batch<T, Arch>(T(0)), x);
}

/// The larger of a and b; b where a or b is NaN.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> max_or_second(const batch<T, Arch>& a, const batch<T, Arch>& b) {
  if constexpr (is_x86<Arch>) {
    // maxps returns its second operand; xsimd 14 swapped the two.
#if XSIMD_VERSION_MAJOR >= 14
    return (xsimd::max)(b, a);
#else
    return (xsimd::max)(a, b);
#endif
  } else {
    return xsimd::select(a > b, a, b);
  }
}

/// The smaller of a and b; b where a or b is NaN.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> min_or_second(const batch<T, Arch>& a, const batch<T, Arch>& b) {
  if constexpr (is_x86<Arch>) {
#if XSIMD_VERSION_MAJOR >= 14
    return (xsimd::min)(b, a);
#else
    return (xsimd::min)(a, b);
#endif
  } else {
    return xsimd::select(a < b, a, b);
  }
}

/// min_or_second(x, so_far), or so_far where x is less than floor.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> min_from(const batch<T, Arch>& floor, const batch<T, Arch>& x,
                                   const batch<T, Arch>& so_far) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    const __mmask16 counted = _mm512_cmp_ps_mask(floor, x, _CMP_LE_OQ);
    return batch<T, Arch>(_mm512_mask_min_ps(so_far, counted, x, so_far));
  } else if constexpr (is_avx512<Arch>) {
    const __mmask8 counted = _mm512_cmp_pd_mask(floor, x, _CMP_LE_OQ);
    return batch<T, Arch>(_mm512_mask_min_pd(so_far, counted, x, so_far));
  } else
#endif
    return min_or_second(choose(x < floor, batch<T, Arch>(infinity<T>), x), so_far);
}

/// 2^n with n in the lowest bits of x, offset by the bias of the exponent; all other bits are lost.
template <class T, class Arch>
GIBBS_PART batch<uint_of<T>, Arch> to_exponent_field(const batch<uint_of<T>, Arch>& x) {
  return x << mantissa_bits<T>;
}
template <class T, class Arch>
GIBBS_PART batch<uint_of<T>, Arch> from_exponent_field(const batch<uint_of<T>, Arch>& x) {
  return x >> mantissa_bits<T>;
}

template <class T, class Arch>
GIBBS_PART batch<uint_of<T>, Arch> bits(const batch<T, Arch>& x) {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::bitwise_cast<uint_of<T>>(x);
#else
  return xsimd::bitwise_cast<batch<uint_of<T>, Arch>>(x);
#endif
}

template <class T, class Arch>
requires(!is_several<Arch>) GIBBS_PART batch<T, Arch> from_bits(const batch<uint_of<T>, Arch>& x) {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::bitwise_cast<T>(x);
#else
  return xsimd::bitwise_cast<batch<T, Arch>>(x);
#endif
}

#if GIBBS_X86 && XSIMD_WITH_AVX512F
/// Entry i of a table of 16, i in the lowest bits of x.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> look_up(const T* table, const batch<uint_of<T>, Arch>& x) {
  if constexpr (std::is_same_v<T, float>) {
    return batch<T, Arch>(_mm512_permutexvar_ps(x, _mm512_load_ps(table)));
  } else {
    return batch<T, Arch>(
        _mm512_permutex2var_pd(_mm512_load_pd(table), x, _mm512_load_pd(table + 8)));
  }
}

/// The mantissa of x with n in its exponent field, n in the bits of e above the lowest four.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> with_exponent(const batch<T, Arch>& x, const batch<uint_of<T>, Arch>& e) {
  constexpr int if_a_then_b_else_c = 0xca;
  batch<uint_of<T>, Arch> exponent = e << (mantissa_bits<T> - 4);
  if constexpr (std::is_same_v<T, float>) {
    const __m512i field = _mm512_set1_epi32(0x7f800000);
    return batch<T, Arch>(_mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(field, exponent, _mm512_castps_si512(x), if_a_then_b_else_c)));
  } else {
    const __m512i field = _mm512_set1_epi64(0x7ff0000000000000);
    return batch<T, Arch>(_mm512_castsi512_pd(
        _mm512_ternarylogic_epi64(field, exponent, _mm512_castpd_si512(x), if_a_then_b_else_c)));
  }
}

/// The first four bits of the mantissa of x, in the lowest bits.
template <class T, class Arch>
GIBBS_PART batch<uint_of<T>, Arch> mantissa_start(const batch<T, Arch>& x) {
  return bits(x) >> (mantissa_bits<T> - 4);
}

/// m 2^e = x with 3/4 <= m < 3/2, for x > 0; infinity has e = infinity.
template <class T, class Arch>
GIBBS_PART void split_number(const batch<T, Arch>& x, batch<T, Arch>& m, batch<T, Arch>& e) {
  constexpr auto interval = _MM_MANT_NORM_p75_1p5;
  constexpr auto sign = _MM_MANT_SIGN_zero;
  batch<T, Arch> one(T(1));
  if constexpr (std::is_same_v<T, float>) {
    const __m512 mantissa = _mm512_getmant_ps(x, interval, sign);
    const __m512 exponent = _mm512_getexp_ps(x);
    const __mmask16 halved = _mm512_cmp_ps_mask(mantissa, one, _CMP_LT_OQ);
    m = batch<T, Arch>(mantissa);
    e = batch<T, Arch>(_mm512_mask_add_ps(exponent, halved, exponent, one));
  } else {
    const __m512d mantissa = _mm512_getmant_pd(x, interval, sign);
    const __m512d exponent = _mm512_getexp_pd(x);
    const __mmask8 halved = _mm512_cmp_pd_mask(mantissa, one, _CMP_LT_OQ);
    m = batch<T, Arch>(mantissa);
    e = batch<T, Arch>(_mm512_mask_add_pd(exponent, halved, exponent, one));
  }
}
#endif

// --- Memory -------------------------------------------------------------------------------------

template <class T, class Arch>
requires(!is_several<Arch>) GIBBS_PART batch<T, Arch> read(const T* from) {
  return batch<T, Arch>::load_unaligned(from);
}

/// Four numbers, or as many as there are lanes, in the first lanes, and some in the others.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> read_four(const T* from) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    return batch<T, Arch>(_mm512_broadcast_f32x4(_mm_loadu_ps(from)));
  } else if constexpr (is_avx512<Arch>) {
    return batch<T, Arch>(_mm512_broadcast_f64x4(_mm256_loadu_pd(from)));
  } else
#endif
#if GIBBS_X86 && XSIMD_WITH_AVX
      if constexpr (is_avx<Arch> && std::is_same_v<T, float>) {
    return batch<T, Arch>(_mm256_broadcast_ps(reinterpret_cast<const __m128*>(from)));
  } else
#endif
  {
    return read<T, Arch>(from);
  }
}

/// Has N elements, so many after these, brought into the cache. None of them need exist.
template <std::size_t N, class T, class Arch>
GIBBS_PART void fetch(const T* from, std::size_t ahead) {
  constexpr std::size_t line = 64;
  const auto address = reinterpret_cast<std::uintptr_t>(from) + ahead * sizeof(T);
  for (std::size_t i = 0; i < N * sizeof(T); i += line) {
    __builtin_prefetch(reinterpret_cast<const void*>(address + i), 0, 2);
  }
}

template <class T, class Arch>
GIBBS_PART void write(T* to, const batch<T, Arch>& x) {
  x.store_unaligned(to);
}

#if GIBBS_X86 && XSIMD_WITH_AVX2
/// Loaded at 8 - count (4 - count for double), this is a mask of the first count lanes.
template <class Arch>
inline constexpr std::int32_t avx_mask_words[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                    0,  0,  0,  0,  0,  0,  0,  0};

template <class T, class Arch>
GIBBS_PART __m256i avx_mask(std::size_t count) {
  constexpr std::size_t words = sizeof(T) / 4;
  return _mm256_loadu_si256(
      reinterpret_cast<const __m256i*>(avx_mask_words<Arch> + 8 - words * count));
}
#endif

/// The first count values from memory, fill in the other lanes. Nothing else is read.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> read_first(const T* from, std::size_t count, T fill) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    const auto lanes_in = static_cast<__mmask16>((1u << count) - 1);
    return batch<T, Arch>(_mm512_mask_loadu_ps(_mm512_set1_ps(fill), lanes_in, from));
  } else if constexpr (is_avx512<Arch>) {
    const auto lanes_in = static_cast<__mmask8>((1u << count) - 1);
    return batch<T, Arch>(_mm512_mask_loadu_pd(_mm512_set1_pd(fill), lanes_in, from));
  } else
#endif
#if GIBBS_X86 && XSIMD_WITH_AVX2
      if constexpr (is_avx2<Arch> && std::is_same_v<T, float>) {
    const __m256i in = avx_mask<T, Arch>(count);
    return batch<T, Arch>(_mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(from, in),
                                           _mm256_castsi256_ps(in)));
  } else if constexpr (is_avx2<Arch>) {
    const __m256i in = avx_mask<T, Arch>(count);
    return batch<T, Arch>(_mm256_blendv_pd(_mm256_set1_pd(fill), _mm256_maskload_pd(from, in),
                                           _mm256_castsi256_pd(in)));
  } else
#endif
  {
    if (count == lanes<T, Arch>) return read<T, Arch>(from);
    alignas(64) T buffer[lanes<T, Arch>];
    for (std::size_t i = 0; i < lanes<T, Arch>; ++i) buffer[i] = i < count ? from[i] : fill;
    return batch<T, Arch>::load_aligned(buffer);
  }
}

/// Stores the first count lanes. Nothing else is written.
template <class T, class Arch>
GIBBS_PART void write_first(T* to, const batch<T, Arch>& x, std::size_t count) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), x);
  } else if constexpr (is_avx512<Arch>) {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), x);
  } else
#endif
      if (count == lanes<T, Arch>) {
    write(to, x);  // with AVX2 several times as fast
  } else
#if GIBBS_X86 && XSIMD_WITH_AVX2
      if constexpr (is_avx2<Arch> && std::is_same_v<T, float>) {
    _mm256_maskstore_ps(to, avx_mask<T, Arch>(count), x);
  } else if constexpr (is_avx2<Arch>) {
    _mm256_maskstore_pd(to, avx_mask<T, Arch>(count), x);
  } else
#endif
  {
    alignas(64) T buffer[lanes<T, Arch>];
    x.store_aligned(buffer);
    for (std::size_t i = 0; i < count; ++i) to[i] = buffer[i];
  }
}

// --- Across lanes -------------------------------------------------------------------------------

template <class T, class Arch>
struct two_batches {
  batch<T, Arch> first;
  batch<T, Arch> second;
};

/// a0 b0 a1 b1 ..., the first half and the second half.
template <class T, class Arch>
GIBBS_PART two_batches<T, Arch> interleave(const batch<T, Arch>& a, const batch<T, Arch>& b) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    return {batch<T, Arch>(_mm512_permutex2var_ps(a, low, b)),
            batch<T, Arch>(_mm512_permutex2var_ps(a, high, b))};
  } else if constexpr (is_avx512<Arch>) {
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i high = _mm512_add_epi64(low, _mm512_set1_epi64(4));
    return {batch<T, Arch>(_mm512_permutex2var_pd(a, low, b)),
            batch<T, Arch>(_mm512_permutex2var_pd(a, high, b))};
  } else
#endif
#if GIBBS_X86 && XSIMD_WITH_AVX
    // xsimd 8.1 interleaves the halves of the register each by themselves here.
    if constexpr (is_avx<Arch> && std::is_same_v<T, float>) {
      const __m256 low = _mm256_unpacklo_ps(a, b);
      const __m256 high = _mm256_unpackhi_ps(a, b);
      return {batch<T, Arch>(_mm256_permute2f128_ps(low, high, 0x20)),
              batch<T, Arch>(_mm256_permute2f128_ps(low, high, 0x31))};
    } else if constexpr (is_avx<Arch>) {
      const __m256d low = _mm256_unpacklo_pd(a, b);
      const __m256d high = _mm256_unpackhi_pd(a, b);
      return {batch<T, Arch>(_mm256_permute2f128_pd(low, high, 0x20)),
              batch<T, Arch>(_mm256_permute2f128_pd(low, high, 0x31))};
    } else
#endif
    {
      return {xsimd::zip_lo(a, b), xsimd::zip_hi(a, b)};
    }
}

/// Wide registers of x86 are made of parts of 16 bytes, between which it costs time to move
/// anything. How many numbers there are in a part; one part is all there is elsewhere.
template <class T, class Arch>
inline constexpr std::size_t part_lanes = is_avx<Arch> || is_avx512<Arch> ? 16 / sizeof(T)
                                                                          : lanes<T, Arch>;

/// Whether rows are read and written two parts at a time: for memory that takes half as many
/// instructions, and between registers a few more, which with AVX cost floats what they save.
template <class T, class Arch>
inline constexpr bool takes_pairs_of_parts = is_avx512<Arch> || (is_avx<Arch> && sizeof(T) == 8);

/// interleave() within each part.
template <class T, class Arch>
GIBBS_PART two_batches<T, Arch> interleave_parts(const batch<T, Arch>& a, const batch<T, Arch>& b) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    return {batch<T, Arch>(_mm512_unpacklo_ps(a, b)), batch<T, Arch>(_mm512_unpackhi_ps(a, b))};
  } else if constexpr (is_avx512<Arch>) {
    return {batch<T, Arch>(_mm512_unpacklo_pd(a, b)), batch<T, Arch>(_mm512_unpackhi_pd(a, b))};
  } else
#endif
#if GIBBS_X86 && XSIMD_WITH_AVX
      if constexpr (is_avx<Arch> && std::is_same_v<T, float>) {
    return {batch<T, Arch>(_mm256_unpacklo_ps(a, b)), batch<T, Arch>(_mm256_unpackhi_ps(a, b))};
  } else if constexpr (is_avx<Arch>) {
    return {batch<T, Arch>(_mm256_unpacklo_pd(a, b)), batch<T, Arch>(_mm256_unpackhi_pd(a, b))};
  } else
#endif
  {
    return interleave<T, Arch>(a, b);
  }
}

#if GIBBS_X86 && XSIMD_WITH_AVX
/// a and b are made of pieces of Width parts: the first halves of all their pieces, and the second
/// halves.
template <std::size_t Width, class T, class Arch>
GIBBS_PART two_batches<T, Arch> halve_pieces(const batch<T, Arch>& a, const batch<T, Arch>& b) {
  static_assert(Width == 2 || (Width == 4 && is_avx512<Arch>));
#if XSIMD_WITH_AVX512F
  constexpr int first = Width == 4 ? 0x44 : 0x88;
  constexpr int second = Width == 4 ? 0xee : 0xdd;
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    return {batch<T, Arch>(_mm512_shuffle_f32x4(a, b, first)),
            batch<T, Arch>(_mm512_shuffle_f32x4(a, b, second))};
  } else if constexpr (is_avx512<Arch>) {
    return {batch<T, Arch>(_mm512_shuffle_f64x2(a, b, first)),
            batch<T, Arch>(_mm512_shuffle_f64x2(a, b, second))};
  } else
#endif
      if constexpr (std::is_same_v<T, float>) {
    return {batch<T, Arch>(_mm256_permute2f128_ps(a, b, 0x20)),
            batch<T, Arch>(_mm256_permute2f128_ps(a, b, 0x31))};
  } else {
    return {batch<T, Arch>(_mm256_permute2f128_pd(a, b, 0x20)),
            batch<T, Arch>(_mm256_permute2f128_pd(a, b, 0x31))};
  }
}
#endif

/// A register whose part k is at from(k).
template <class T, class Arch, class From>
requires(!is_several<Arch>) GIBBS_PART batch<T, Arch> read_parts(From from) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(from(0)));
    x = _mm512_insertf32x4(x, _mm_loadu_ps(from(1)), 1);
    x = _mm512_insertf32x4(x, _mm_loadu_ps(from(2)), 2);
    return batch<T, Arch>(_mm512_insertf32x4(x, _mm_loadu_ps(from(3)), 3));
  } else if constexpr (is_avx512<Arch>) {
    const auto read_two = [&](std::size_t k) {
      return _mm512_castpd_ps(_mm512_castpd128_pd512(_mm_loadu_pd(from(k))));
    };
    __m512 x = read_two(0);
    x = _mm512_insertf32x4(x, _mm512_castps512_ps128(read_two(1)), 1);
    x = _mm512_insertf32x4(x, _mm512_castps512_ps128(read_two(2)), 2);
    x = _mm512_insertf32x4(x, _mm512_castps512_ps128(read_two(3)), 3);
    return batch<T, Arch>(_mm512_castps_pd(x));
  } else
#endif
#if GIBBS_X86 && XSIMD_WITH_AVX
      if constexpr (is_avx<Arch> && std::is_same_v<T, float>) {
    return batch<T, Arch>(_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from(0))),
                                               _mm_loadu_ps(from(1)), 1));
  } else if constexpr (is_avx<Arch>) {
    return batch<T, Arch>(_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from(0))),
                                               _mm_loadu_pd(from(1)), 1));
  } else
#endif
  {
    return read<T, Arch>(from(0));
  }
}

/// Writes part k of x to to(k).
template <class T, class Arch, class To>
GIBBS_PART void write_parts(To to, const batch<T, Arch>& x) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    _mm_storeu_ps(to(0), _mm512_castps512_ps128(x));
    _mm_storeu_ps(to(1), _mm512_extractf32x4_ps(x, 1));
    _mm_storeu_ps(to(2), _mm512_extractf32x4_ps(x, 2));
    _mm_storeu_ps(to(3), _mm512_extractf32x4_ps(x, 3));
  } else if constexpr (is_avx512<Arch>) {
    const __m512 y = _mm512_castpd_ps(x);
    _mm_storeu_pd(to(0), _mm512_castpd512_pd128(x));
    _mm_storeu_pd(to(1), _mm_castps_pd(_mm512_extractf32x4_ps(y, 1)));
    _mm_storeu_pd(to(2), _mm_castps_pd(_mm512_extractf32x4_ps(y, 2)));
    _mm_storeu_pd(to(3), _mm_castps_pd(_mm512_extractf32x4_ps(y, 3)));
  } else
#endif
#if GIBBS_X86 && XSIMD_WITH_AVX
      if constexpr (is_avx<Arch> && std::is_same_v<T, float>) {
    _mm_storeu_ps(to(0), _mm256_castps256_ps128(x));
    _mm_storeu_ps(to(1), _mm256_extractf128_ps(x, 1));
  } else if constexpr (is_avx<Arch>) {
    _mm_storeu_pd(to(0), _mm256_castpd256_pd128(x));
    _mm_storeu_pd(to(1), _mm256_extractf128_pd(x, 1));
  } else
#endif
  {
    write(to(0), x);
  }
}

#if GIBBS_X86 && XSIMD_WITH_AVX
/// Two registers: part k of the first is at from(k), and that of the second right behind it.
template <class T, class Arch, class From>
GIBBS_PART two_batches<T, Arch> read_pairs_of_parts(From from) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch>) {
    const auto halves = [&](std::size_t k) GIBBS_PART_LAMBDA {
      if constexpr (std::is_same_v<T, float>) {
        return batch<T, Arch>(_mm512_castpd_ps(
            _mm512_insertf64x4(_mm512_castps_pd(_mm512_castps256_ps512(_mm256_loadu_ps(from(k)))),
                               _mm256_castps_pd(_mm256_loadu_ps(from(k + 1))), 1)));
      } else {
        return batch<T, Arch>(_mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(from(k))),
                                                 _mm256_loadu_pd(from(k + 1)), 1));
      }
    };
    return halve_pieces<2>(halves(0), halves(2));
  } else
#endif
    return halve_pieces<2>(read<T, Arch>(from(0)), read<T, Arch>(from(1)));
}

/// Writes part k of a to to(k), and that of b right behind it.
template <class T, class Arch, class To>
GIBBS_PART void write_pairs_of_parts(To to, const batch<T, Arch>& a, const batch<T, Arch>& b) {
#if XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch>) {
    const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const auto put = [&](std::size_t k, const __m512d& x) GIBBS_PART_LAMBDA {
      const __m256d first = _mm512_castpd512_pd256(x);
      const __m256d second = _mm512_extractf64x4_pd(x, 1);
      if constexpr (std::is_same_v<T, float>) {
        _mm256_storeu_ps(to(k), _mm256_castpd_ps(first));
        _mm256_storeu_ps(to(k + 1), _mm256_castpd_ps(second));
      } else {
        _mm256_storeu_pd(to(k), first);
        _mm256_storeu_pd(to(k + 1), second);
      }
    };
    __m512d x;
    __m512d y;
    if constexpr (std::is_same_v<T, float>) {
      x = _mm512_castps_pd(a);
      y = _mm512_castps_pd(b);
    } else {
      x = a;
      y = b;
    }
    put(0, _mm512_permutex2var_pd(x, low, y));
    put(2, _mm512_permutex2var_pd(x, high, y));
  } else
#endif
  {
    auto rows = halve_pieces<2>(a, b);
    write(to(0), rows.first);
    write(to(1), rows.second);
  }
}
#endif

/// The largest lane; lanes that are NaN do not count. All NaN: -infinity.
template <class T, class Arch>
GIBBS_PART T largest_lane(const batch<T, Arch>& x) {
#if GIBBS_X86 && XSIMD_WITH_AVX512F
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    return _mm512_reduce_max_ps(max_or_second(x, batch<T, Arch>(-infinity<T>)));
  } else if constexpr (is_avx512<Arch>) {
    return _mm512_reduce_max_pd(max_or_second(x, batch<T, Arch>(-infinity<T>)));
  } else
#endif
  {
    alignas(64) T buffer[lanes<T, Arch>];
    x.store_aligned(buffer);
    T largest = -infinity<T>;
    for (std::size_t i = 0; i < lanes<T, Arch>; ++i) {
      largest = buffer[i] > largest ? buffer[i] : largest;
    }
    return largest;
  }
}

/// Lane 0.
template <class T, class Arch>
GIBBS_PART T first_lane(const batch<T, Arch>& x) {
  alignas(64) T buffer[lanes<T, Arch>];
  x.store_aligned(buffer);
  return buffer[0];
}

}  // namespace gibbs::detail

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // GIBBS_DETAIL_SIMD_HPP
