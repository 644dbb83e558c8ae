// SPDX-License-Identifier: MIT
//
// The sum of the weights exp((x - max) / T) of some logits, in a form that other logits can be
// added to: what the pieces of a long row and the mergeable states have in common.
#ifndef GIBBS_DETAIL_LOGITS_SUM_HPP
#define GIBBS_DETAIL_LOGITS_SUM_HPP

#include <math.h>  // ::exp and the like, which <cmath> need not have

#include <cstddef>
#include <limits>

#include "temperature.hpp"
#include "wide.hpp"

namespace gibbs::detail {

/// Sums of weights are kept times this, so that what is subnormal in the end is not so on the way.
inline constexpr double sum_unit = 0x1p64;

/// sum_unit * exp(-d) for 0 <= d <= 1000.
template <class Arch>
double scaled_exp(double d) {
  return sum_unit * ::exp(-d);
}

/// The same to about 2^-95, so that no digit of a double is lost in a long chain of merges: exp(-d)
/// = 2^-k (1 + e)^256, where 1 + e is the exponential of a number so small that nine terms of its
/// series do. Without its 1, e loses no digits.
template <class Arch>
GIBBS_KERNEL double_double scaled_exp(double_double d) {
  const int k = static_cast<int>(d.hi * 0x1.71547652b82fep+0 + 0.5);
  const double_double y = (ln2_wide<double>() * double_double(k) - d) * double_double(0x1p-8);
  double_double series(1.0);  // the sum of factor / n! y^(n - 1)
  double factor = 1;
  for (int n = 9; n > 1; --n) {
    factor *= n;
    series = series * y + double_double(factor);
  }
  double_double e = series * y / double_double(factor);
  for (int i = 0; i < 8; ++i) e = e + e + e * e;
  const double_double scaled = (e + double_double(1.0)) * double_double(sum_unit);
  return {::ldexp(scaled.hi, -k), ::ldexp(scaled.lo, -k)};
}

/// The same to the digits of a double, and faster: good enough for a logit's own weight, which is
/// computed once. What has been added up is rescaled again and again.
template <class Arch>
double once_scaled_exp(double d) {
  return scaled_exp<Arch>(d);
}
template <class Arch>
double_double once_scaled_exp(double_double d) {
  if (d.hi > 700) return scaled_exp<Arch>(d);  // where exp(-d) is subnormal
  const double weight = sum_unit * ::exp(-d.hi);
  return {weight, -weight * d.lo};
}

/// (a - b) / T for maxima a >= b, but at most 1000, where exp of its negative is far below all that
/// counts. Nothing overflows on the way to that.
template <class T>
GIBBS_INLINE wide<T> gap(T a, T b, const temperature<T>& t) {
  const wide<T> most(1000.0);
  if (static_cast<double>(a) / 2048 - static_cast<double>(b) / 2048 > t.value / 2) return most;
  const wide<T> d = t.difference(a, b);
  return static_cast<double>(d) < 1000 ? d : most;
}

/// Some logits, from none on.
template <class T>
struct logits_sum {
  /// -infinity as long as nothing has mass.
  T largest = -infinity<T>;
  /// The sum of the weights of all but one maximum, times sum_unit; NaN if there was a NaN.
  wide<T> rest = wide<T>(0.0);

  GIBBS_INLINE bool has_mass() const { return largest != -infinity<T>; }
  /// The sum of all weights.
  GIBBS_INLINE wide<T> mass() const { return rest * wide<T>(1 / sum_unit) + wide<T>(1.0); }
  GIBBS_INLINE wide<T> log_mass() const { return log1p(rest * wide<T>(1 / sum_unit)); }
};

template <class T, class Arch>
GIBBS_PART logits_sum<T> sum_of_one(T x) {
  if (x != x) return {-infinity<T>, wide<T>(std::numeric_limits<double>::quiet_NaN())};
  return {x, wide<T>(0.0)};
}

/// std::swap has no architecture in its name.
template <class T>
GIBBS_INLINE void exchange_if(bool condition, T& a, T& b) {
  if (!condition) return;
  const T old = a;
  a = b;
  b = old;
}

/// sum_unit times the weight of the sum's maximum beside one that is so far above it.
template <class T, class Arch>
wide<T> largest_weight(const logits_sum<T>& sum, wide<T> gap) {
  const bool single = static_cast<double>(sum.rest) == 0;
  return single ? once_scaled_exp<Arch>(gap) : scaled_exp<Arch>(gap);
}

template <class T, class Arch>
GIBBS_KERNEL void merge(logits_sum<T>& a, logits_sum<T> b, const temperature<T>& t) {
  exchange_if(b.largest > a.largest, a, b);
  if (b.has_mass()) {
    a.rest = a.rest + b.mass() * largest_weight<T, Arch>(b, gap(a.largest, b.largest, t));
  } else {
    a.rest = a.rest + b.rest;  // NaN or 0
  }
}

/// log_sum_exp of the logits.
template <class T, class Arch>
T log_sum_exp_of(const logits_sum<T>& s, const temperature<T>& t) {
  const wide<T> rest = s.log_mass();
  if (!is_finite(static_cast<double>(s.largest))) return static_cast<T>(rest) + s.largest;
  return static_cast<T>(t.divide(s.largest) + rest);
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_LOGITS_SUM_HPP
