// SPDX-License-Identifier: MIT
//
// Scalars with more digits than T, for the few operations a row that come after its sums: double
// for float, an unevaluated sum of two doubles for double.
#ifndef GIBBS_DETAIL_WIDE_HPP
#define GIBBS_DETAIL_WIDE_HPP

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "simd.hpp"

namespace gibbs::detail {

/// Looks at the bits: subtracting or comparing would raise flags for infinity or NaN.
GIBBS_INLINE bool is_finite(double x) {
  return (std::bit_cast<std::uint64_t>(x) << 1) < (std::uint64_t(0x7ff) << 53);
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

GIBBS_INLINE double log1p(double x) { return ::log1p(x); }
/// The error of the C library's log1p stays.
GIBBS_INLINE double_double log1p(double_double x) { return {::log1p(x.hi), x.lo / (1 + x.hi)}; }

/// x as an unevaluated sum of two numbers of type T.
template <class T>
struct split {
  T hi;
  T lo;
  GIBBS_INLINE split(T high, T low) : hi(high), lo(low) {}
  GIBBS_INLINE explicit split(double x) : hi(static_cast<T>(x)), lo(static_cast<T>(x - hi)) {}
  GIBBS_INLINE explicit split(double_double x)
      : hi(static_cast<T>(x.hi)), lo(static_cast<T>((x.hi - hi) + x.lo)) {}
};

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_WIDE_HPP
