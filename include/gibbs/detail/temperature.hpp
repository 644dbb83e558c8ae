// SPDX-License-Identifier: MIT
//
// A temperature and what it does to differences of logits.
#ifndef GIBBS_DETAIL_TEMPERATURE_HPP
#define GIBBS_DETAIL_TEMPERATURE_HPP

#include <math.h>  // ::exp and the like, which <cmath> need not have

#include <cstddef>
#include <limits>

#include "simd.hpp"
#include "wide.hpp"

namespace gibbs::detail {

/// A temperature, prepared once a call for all rows. It never meets an element as a divisor: it is
/// folded into the factors that the exponential needs anyway.
template <class T>
struct temperature {
  enum class kind { finite, zero, infinite };

  double value;
  kind limit = kind::finite;
  /// Whether the factors of the temperature itself are well inside the range of T.
  bool moderate = true;
  split<T> log2e;    ///< log2(e) / T; of the scaled temperature if not moderate
  split<T> inverse;  ///< 1 / T; likewise. Both parts are positive, if only just.
  T octave;          ///< 1 / log2e, roughly: weights of logits this far apart differ by 2
  /// Otherwise T is scaled by a power of two into [1/2, 1), and differences of logits with it, by
  /// `before` them and `after` them. A scale that these do not reach is left to `inverse`.
  T before = 1;
  T after[2] = {1, 1};
  /// Differences less than this do not count, and would overflow when scaled.
  T least_difference = -infinity<T>;

  GIBBS_INLINE explicit temperature(double t) : value(t) {
    if (t == 1) {  // as usual: nothing but constants
      set(log2e_wide(), wide<T>(1.0));
      return;
    }
    limit = limit_of(t);
    moderate = t >= 0x1p-60 && t <= 0x1p60;
    const wide<T> divisor(moderate ? t : scaled(t));
    set(log2e_wide() / divisor, wide<T>(1.0) / divisor);
    if (moderate || limit != kind::finite) return;
    constexpr int most = std::numeric_limits<T>::max_exponent - 2;
    int e = exponent(t);
    const int counts = (e > most ? e - most : e > 0 ? 0 : e) + 18;
    if (counts < most) {
      least_difference = -static_cast<T>(::ldexp(scaled(t), counts));
      if (least_difference == 0) least_difference = -std::numeric_limits<T>::denorm_min();
    }
    if (e > 0) {
      before = power_of_two(e > most ? -most : -e);
      if (e > most) after[0] = power_of_two(e - most > most ? -most : most - e);
      if (e > 2 * most) after[1] = power_of_two(e > 3 * most ? -most : 2 * most - e);
    } else {
      e = -e;
      after[0] = power_of_two(e > most ? most : e);
      if (e > most) after[1] = power_of_two(e > 2 * most ? most : e - most);
      if (e > 2 * most) {  // what is left, for differences of subnormal numbers
        inverse.hi *= power_of_two(e - 2 * most);
        inverse.lo *= power_of_two(e - 2 * most);
      }
    }
  }

  /// x / T for one number, to more digits than T has.
  GIBBS_INLINE wide<T> divide(T x) const {
    if (limit == kind::finite) return wide<T>(x) / wide<T>(value);
    if (limit == kind::infinite || x == 0) return wide<T>(0.0);
    return wide<T>(static_cast<double>(x > 0 ? infinity<T> : -infinity<T>));
  }

  /// 2^e w (a - b) / T for one pair a >= b and a weight 2^e w > 0, likewise; nothing overflows on
  /// the way. With a tiny weight it is finite at some T that are taken for 0.
  GIBBS_INLINE wide<T> difference(T a, T b, T w = 1, int e = 0) const {
    if (a == b) return wide<T>(0.0);
    if (b == -infinity<T> || value == 0) {
      return wide<T>(static_cast<double>(b != b ? b : infinity<T>));
    }
    if (limit == kind::infinite) return wide<T>(0.0);
    const bool large = a / 4 - b / 4 > T(0.25);  // without overflow
    const T scale = large ? T(0.25) : T(1);
    const wide<T> unscale(large ? 4.0 : 1.0);
    const wide<T> d = wide<T>(a * scale) - wide<T>(b * scale);
    const wide<T> t(value);
    // Whether the quotient by T does not overflow. (No number is multiplied up: compilers may
    // compute what a branch leaves out.)
    const bool fits = static_cast<double>(d) * 0x1p-1021 < value;
    if (w == 1 && e == 0 && fits) return (d / t) * unscale;
    int e_of_d = 0;
    int e_of_t = 0;
    int e_of_w = 0;
    ::frexp(static_cast<double>(d), &e_of_d);
    const wide<T> t_fraction(::frexp(value, &e_of_t));
    const wide<T> w_fraction(::frexp(static_cast<double>(w), &e_of_w));
    const wide<T> fraction = scaled_by(d, -e_of_d) / t_fraction * w_fraction;
    return scaled_by(fraction * unscale, e_of_d - e_of_t + e_of_w + e);
  }

 private:
  GIBBS_INLINE void set(wide<T> log2e_over_t, wide<T> one_over_t) {
    log2e = split<T>(log2e_over_t);
    inverse = positive_split(one_over_t);
    octave = T(1) / log2e.hi;
  }
  /// What is so close to a limit that T cannot tell it apart from it is taken for the limit.
  GIBBS_INLINE static kind limit_of(double t) {
    constexpr bool is_float = std::is_same_v<T, float>;
    if (t == 0 || (is_float && t < 0x1p-280)) return kind::zero;
    if (t > (std::numeric_limits<double>::max)() || (is_float && t > 0x1p280))
      return kind::infinite;
    return kind::finite;
  }
  GIBBS_INLINE static wide<T> log2e_wide() {
    if constexpr (std::is_same_v<T, float>) {
      return 0x1.71547652b82fep+0;
    } else {
      return {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
    }
  }
  GIBBS_INLINE static int exponent(double t) {
    int e = 0;
    ::frexp(t, &e);
    return e;
  }
  GIBBS_INLINE static double scaled(double t) {
    if (limit_of(t) != kind::finite) return 1;
    return ::ldexp(t, -exponent(t));
  }
  /// So that infinity times each part has the same sign.
  GIBBS_INLINE static split<T> positive_split(wide<T> x) {
    split<T> result(x);
    if (result.lo < 0) {
      const T ulp = result.hi * std::numeric_limits<T>::epsilon();
      result.hi -= ulp;
      result.lo += ulp;
    }
    const T least = result.hi * T(0x1p-60);
    if (result.lo < least) result.lo = least;
    return result;
  }
  GIBBS_INLINE static T power_of_two(int e) { return static_cast<T>(::ldexp(1.0, e)); }
};

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_TEMPERATURE_HPP
