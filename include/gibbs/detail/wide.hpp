// SPDX-License-Identifier: MIT
//
// Numbers with more digits than T, for the few operations a row that come after its sums. Batches
// of them for all rows at once; scalars, double for float and an unevaluated sum of two doubles for
// double, for a row by itself.
#ifndef GIBBS_DETAIL_WIDE_HPP
#define GIBBS_DETAIL_WIDE_HPP

#include <math.h>  // ::exp and the like, which <cmath> need not have

#include <cstdint>
#include <limits>
#include <type_traits>

#include "simd.hpp"

namespace gibbs::detail {

/// Looks at the bits: subtracting or comparing would raise flags for infinity or NaN.
/// (std::bit_cast is a function that no architecture has in its name.)
GIBBS_INLINE bool is_finite(double x) {
  return (__builtin_bit_cast(std::uint64_t, x) << 1) < (std::uint64_t(0x7ff) << 53);
}

/// hi + lo with |lo| <= ulp(hi) / 2 (T. J. Dekker, "A floating-point technique for extending the
/// available precision", 1971). Where hi is infinite or NaN, lo is 0. Relative errors are a few
/// 2^-104.
struct double_double {
  double hi = 0;
  double lo = 0;

  double_double() = default;
  GIBBS_INLINE double_double(double x) : hi(x) {}
  /// The exact sum of two doubles of any order of magnitude, rounded to the format.
  GIBBS_INLINE double_double(double a, double b) : hi(a + b) {
    if (!is_finite(hi)) return;  // errors would be NaN, and raise flags
    const double t = hi - a;
    lo = (a - (hi - t)) + (b - t);
  }
  GIBBS_INLINE explicit operator double() const { return hi; }
  GIBBS_INLINE explicit operator float() const { return static_cast<float>(hi); }

  friend GIBBS_INLINE double_double operator+(double_double a, double_double b) {
    const double_double sum(a.hi, b.hi);
    return {sum.hi, sum.lo + (a.lo + b.lo)};
  }
  friend GIBBS_INLINE double_double operator-(double_double a) {
    a.hi = -a.hi;
    a.lo = -a.lo;
    return a;
  }
  friend GIBBS_INLINE double_double operator-(double_double a, double_double b) { return a + -b; }
  friend GIBBS_INLINE double_double operator*(double_double a, double_double b) {
    const double product = a.hi * b.hi;
    if (!is_finite(product)) return product;
    return {product, ::fma(a.hi, b.hi, -product) + (a.hi * b.lo + a.lo * b.hi)};
  }
  friend GIBBS_INLINE double_double operator/(double_double a, double_double b) {
    const double quotient = a.hi / b.hi;
    if (!is_finite(quotient) || !is_finite(b.hi)) return quotient;
    return {quotient, (::fma(-quotient, b.hi, a.hi) + (a.lo - quotient * b.lo)) / b.hi};
  }
};

template <class T>
using wide = std::conditional_t<std::is_same_v<T, float>, double, double_double>;

template <class T>
GIBBS_INLINE wide<T> ln2_wide() {
  if constexpr (std::is_same_v<T, float>) {
    return 0x1.62e42fefa39efp-1;
  } else {
    return {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
  }
}

/// 2^e x, which raises no flag where it overflows.
GIBBS_INLINE double scaled_by(double x, int e) {
  int e_of_x = 0;
  ::frexp(x, &e_of_x);
  if (x != 0 && e_of_x + e > std::numeric_limits<double>::max_exponent) {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    return x > 0 ? infinite : -infinite;
  }
  return ::ldexp(x, e);
}
GIBBS_INLINE double_double scaled_by(double_double x, int e) {
  const double hi = scaled_by(x.hi, e);
  if (!is_finite(hi)) return hi;
  return {hi, ::ldexp(x.lo, e)};
}

/// Whether sums of lifted terms like this one do not overflow.
template <class Wide>
GIBBS_INLINE bool may_be_lifted(const Wide& term) {
  const double x = static_cast<double>(term);
  return x < 0x1p900 && x > -0x1p900;
}

GIBBS_INLINE double log1p(double x) { return ::log1p(x); }
/// The error of the C library's log1p stays.
GIBBS_INLINE double_double log1p(double_double x) { return {::log1p(x.hi), x.lo / (1 + x.hi)}; }

/// x as an unevaluated sum of two numbers of type T.
template <class T>
struct split {
  T hi;
  T lo;
  split() = default;
  GIBBS_INLINE split(T high, T low) : hi(high), lo(low) {}
  GIBBS_INLINE explicit split(double x) : hi(static_cast<T>(x)), lo(static_cast<T>(x - hi)) {}
  GIBBS_INLINE explicit split(double_double x)
      : hi(static_cast<T>(x.hi)), lo(static_cast<T>((x.hi - hi) + x.lo)) {}
};

/// The leading half of the digits, rounded down; a product of two halves is exact.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> short_part(const batch<T, Arch>& x) {
  constexpr int dropped = (mantissa_bits<T> + 2) / 2;
  return from_bits<T, Arch>(bits(x) & batch<uint_of<T>, Arch>(~uint_of<T>(0) << dropped));
}

/// hi + lo in each lane, not evaluated. lo may be some units of hi, since nothing but ordered()
/// puts the two in order: a chain of operations does not wait for lo then. Nothing looks after
/// infinity and NaN: they end as NaN.
template <class T, class Arch>
struct wide_batch {
  using B = batch<T, Arch>;
  B hi;
  B lo;

  wide_batch() = default;
  GIBBS_PART wide_batch(const B& high, const B& low) : hi(high), lo(low) {}
  // Not defaulted: g++ 12 copies structs 16 bytes at a time, and a larger register that is read
  // from them soon after waits until they have reached the cache.
  GIBBS_PART wide_batch(const wide_batch& x) : hi(x.hi), lo(x.lo) {}
  GIBBS_PART wide_batch& operator=(const wide_batch& x) {
    hi = x.hi;
    lo = x.lo;
    return *this;
  }

  GIBBS_PART B value() const { return hi + lo; }
  /// The same with |lo| <= ulp(hi) / 2.
  GIBBS_PART wide_batch ordered() const { return ordered_sum(hi, lo); }

  /// The exact sum (D. E. Knuth).
  GIBBS_PART static wide_batch sum(const B& a, const B& b) {
    B hi = a + b;
    B t = hi - a;
    return {hi, (a - (hi - t)) + (b - t)};
  }
  /// The exact sum where |a| >= |b| or a is 0 (T. J. Dekker).
  GIBBS_PART static wide_batch ordered_sum(const B& a, const B& b) {
    B hi = a + b;
    return {hi, b - (hi - a)};
  }
  /// The exact product.
  GIBBS_PART static wide_batch product(const B& a, const B& b) {
    B hi = a * b;
    if constexpr (has_fma<Arch>) {
      return {hi, multiply_subtract(a, b, hi)};
    } else {
      B a_high = short_part(a);
      B b_high = short_part(b);
      B a_low = a - a_high;
      B b_low = b - b_high;
      return {hi, ((a_high * b_high - hi) + a_high * b_low + a_low * b_high) + a_low * b_low};
    }
  }

  /// c - a * b, which is exact where the product is nearly c.
  GIBBS_PART static B missing(const B& a, const B& b, const B& c) {
    if constexpr (has_fma<Arch>) {
      return -multiply_subtract(a, b, c);
    } else {
      wide_batch p = product(a, b);
      return (c - p.hi) - p.lo;
    }
  }

  /// (a * b).value(), where lo is small beside hi.
  GIBBS_PART static B rounded_product(const wide_batch& a, const wide_batch& b) {
    if constexpr (has_fma<Arch>) {
      return multiply_add(a.hi, b.hi, multiply_add(a.hi, b.lo, a.lo * b.hi));
    } else {
      return (a * b).value();
    }
  }

  /// (a * b - c).value(), where lo is small beside hi; a difference that is small beside c loses
  /// nothing.
  GIBBS_PART static B product_minus(const wide_batch& a, const wide_batch& b, const wide_batch& c) {
    B low = multiply_subtract(a.hi, b.lo, c.lo) + a.lo * b.hi;
    if constexpr (has_fma<Arch>) {
      return multiply_subtract(a.hi, b.hi, c.hi) + low;
    } else {
      wide_batch p = product(a.hi, b.hi);
      return (p.hi - c.hi) + (p.lo + low);
    }
  }

  friend GIBBS_PART wide_batch choose(const mask<T, Arch>& condition, const wide_batch& yes,
                                      const wide_batch& no) {
    return {detail::choose(condition, yes.hi, no.hi), detail::choose(condition, yes.lo, no.lo)};
  }
  friend GIBBS_PART wide_batch operator+(const wide_batch& a, const wide_batch& b) {
    wide_batch s = sum(a.hi, b.hi);
    return {s.hi, s.lo + (a.lo + b.lo)};
  }
  friend GIBBS_PART wide_batch operator-(const wide_batch& a) { return {-a.hi, -a.lo}; }
  friend GIBBS_PART wide_batch operator*(const wide_batch& a, const wide_batch& b) {
    wide_batch p = product(a.hi, b.hi);
    // Which product is rounded is not left to compilers, here and below: they would choose another
    // one in another loop.
    return {p.hi, p.lo + multiply_add(a.hi, b.lo, a.lo * b.hi)};
  }
  friend GIBBS_PART wide_batch operator/(const wide_batch& a, const wide_batch& b) {
    // The quotient is only nearly the closest one; what it lacks is made up for.
    B inverse = B(T(1)) / b.hi;
    B quotient = a.hi * inverse;
    B rest = missing(quotient, b.hi, a.hi) - multiply_subtract(quotient, b.lo, a.lo);
    return {quotient, rest * inverse};
  }
};

template <class T, class Arch>
GIBBS_PART wide_batch<T, Arch> in_all_lanes(const split<T>& x) {
  return {batch<T, Arch>(x.hi), batch<T, Arch>(x.lo)};
}

/// Lane 0.
template <class T, class Arch>
GIBBS_PART wide<T> first_lane(const wide_batch<T, Arch>& x) {
  return wide<T>(first_lane(x.hi)) + wide<T>(first_lane(x.lo));
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_WIDE_HPP
