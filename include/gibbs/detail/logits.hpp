// SPDX-License-Identifier: MIT
//
// A row of logits at a temperature: the weights exp((x - max) / T) of its elements, their distances
// (max - x) / T from the largest, and the sum of the weights.
#ifndef GIBBS_DETAIL_LOGITS_HPP
#define GIBBS_DETAIL_LOGITS_HPP

#include <cmath>
#include <cstddef>

#include "exp2.hpp"
#include "simd.hpp"
#include "sweep.hpp"
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
  bool moderate;
  split<T> log2e;    ///< log2(e) / T; of the scaled temperature if not moderate
  split<T> inverse;  ///< 1 / T; likewise
  /// Otherwise T is scaled by a power of two into [1/2, 1), and differences of logits with it, by
  /// `before` them and `after` them.
  T before = 1;
  T after[2] = {1, 1};
  /// Differences less than this do not count, and would overflow when scaled.
  T least_difference = -infinity<T>;

  GIBBS_INLINE explicit temperature(double t)
      : value(t),
        limit(limit_of(t)),
        moderate(t >= 0x1p-60 && t <= 0x1p60),
        log2e(log2e_wide() / wide<T>(moderate ? t : scaled(t))),
        inverse(wide<T>(1.0) / wide<T>(moderate ? t : scaled(t))) {
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
    }
  }

  /// x / T for one number, to more digits than T has.
  GIBBS_INLINE wide<T> divide(T x) const {
    if (limit == kind::finite) return wide<T>(x) / wide<T>(value);
    if (limit == kind::infinite || x == 0) return wide<T>(0.0);
    return wide<T>(static_cast<double>(x > 0 ? infinity<T> : -infinity<T>));
  }

  /// w (a - b) / T for one pair a >= b and a weight w > 0, likewise; nothing overflows on the way.
  GIBBS_INLINE wide<T> difference(T a, T b, T w = 1) const {
    if (a == b) return wide<T>(0.0);
    if (b == -infinity<T> || limit == kind::zero) {
      return wide<T>(static_cast<double>(b != b ? b : infinity<T>));
    }
    if (limit == kind::infinite) return wide<T>(0.0);
    const bool large = a / 4 - b / 4 > T(0.25);  // without overflow
    const T scale = large ? T(0.25) : T(1);
    const wide<T> unscale(large ? 4.0 : 1.0);
    const wide<T> d = wide<T>(a * scale) - wide<T>(b * scale);
    const wide<T> t(value);
    // Whether the quotient by T does not overflow; otherwise the weight comes first. No branch
    // computes what overflows.
    const double t_bounded = value < 1 ? value : 1.0;
    const bool fits = static_cast<double>(d) < (std::numeric_limits<double>::max)() / 8 * t_bounded;
    const wide<T> first(fits ? T(1) : w);
    const wide<T> second(fits ? w : T(1));
    return (((d * first) / t) * second) * unscale;
  }

 private:
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
  GIBBS_INLINE static T power_of_two(int e) { return static_cast<T>(::ldexp(1.0, e)); }
};

/// One row. Plain rows have a moderate temperature and a maximum that is not large against it; the
/// others (Careful) have their maximum subtracted first, which is exact for all elements that count
/// where the maximum is large, and are scaled with the temperature.
template <class T, class Arch, bool Careful>
class logits_row {
  using B = batch<T, Arch>;
  using kind = typename temperature<T>::kind;

 public:
  static constexpr pace speed = Careful ? pace::compact : pace::fast;

  GIBBS_INLINE logits_row(const temperature<T>& t, T largest)
      : limit_(t.limit),
        largest_(largest),
        inverse_hi_(t.inverse.hi),
        inverse_lo_(t.inverse.lo),
        before_(t.before),
        difference_scale_(t.before),
        difference_unscale_(T(1)),
        after_{B(t.after[0]), B(t.after[1])},
        shift_(T(0)),
        floor_(-infinity<T>),
        least_difference_(T(0)),
        exp2_(t.log2e, pivot(t, largest)) {
    if constexpr (Careful) {
      if (is_large(t, largest)) {
        shift_ = B(largest * t.before);
        // Without overflow; what is less than 0 does not count then.
        if (largest > 0) floor_ = B(T(0));
      }
      least_difference_ = B(t.least_difference);
      // Where differences of logits may overflow and their quotients by T need not.
      if (t.moderate && !(largest < huge && largest > -huge)) {
        difference_scale_ = B(T(0.25));
        difference_unscale_ = B(T(4));
      }
    }
  }

  /// Whether a row with this maximum is a plain one.
  GIBBS_INLINE static bool is_plain(const temperature<T>& t, T largest) {
    return t.moderate && t.limit == kind::finite && !is_large(t, largest);
  }

  /// exp((x - max) / T) times a power of two that is the same for the whole row.
  GIBBS_INLINE exponential<T, Arch> weight(const B& x) const {
    if constexpr (Careful) {
      const B negative_infinity(-infinity<T>);
      if (limit_ == kind::zero) {
        return exp2_(choose(x == largest_, B(T(0)), choose(x < largest_, negative_infinity, x)));
      }
      if (limit_ == kind::infinite) {
        const B finite = max_or_second(B(lowest()), x);
        return exp2_(choose(x == negative_infinity, negative_infinity, finite - finite));
      }
      const B d = max_or_second(least_difference_, max_or_second(floor_, x) * before_ - shift_);
      return exp2_((d * after_[0]) * after_[1]);
    } else {
      return exp2_(x);
    }
  }

  /// (max - x) / T; +infinity for x = -infinity.
  GIBBS_INLINE B distance(const B& x) const { return difference(largest_, x); }

  /// max - x, not divided by T, for a plain row and x not -infinity.
  GIBBS_INLINE B distance_times_t(const B& x) const { return largest_ - x; }

  /// (a - b) / T for a not -infinity; +infinity for b = -infinity.
  GIBBS_INLINE B difference(const B& a, const B& b) const {
    const B b_finite = max_or_second(B(lowest()), b);
    B result;
    if constexpr (Careful) {
      if (limit_ == kind::zero) {
        result = choose(a == b_finite, B(T(0)), choose(a > b_finite, B(infinity<T>), a - b_finite));
      } else if (limit_ == kind::infinite) {
        result = (a - a) + (b_finite - b_finite);
      } else {
        const B unscaled = a * difference_scale_ - b_finite * difference_scale_;
        const B d = (unscaled * after_[0]) * after_[1];
        const auto overflow = abs(d) > B((std::numeric_limits<T>::max)());
        result = choose(overflow, d, over_t(choose(overflow, B(T(0)), d)) * difference_unscale_);
      }
    } else {
      result = over_t(a - b_finite);
    }
    return choose(b == B(-infinity<T>), B(infinity<T>), result);
  }

  GIBBS_INLINE const B& largest() const { return largest_; }

  /// The weight of the maximum itself.
  GIBBS_INLINE wide<T> largest_weight() const {
    const auto w = weight(largest_);
    const wide<T> s(first_lane(w.s));
    return s + s * wide<T>(first_lane(w.q));
  }

 private:
  /// In this order an overflow keeps its sign.
  GIBBS_INLINE B over_t(const B& d) const {
    const B quotient = d * inverse_hi_;
    if constexpr (has_fma<Arch>) {
      return multiply_add(d, inverse_lo_, quotient);
    } else {
      const auto overflow = abs(quotient) > B((std::numeric_limits<T>::max)());
      return multiply_add(choose(overflow, B(T(0)), d), inverse_lo_, quotient);
    }
  }

  static constexpr T huge = (std::numeric_limits<T>::max)() / T(1 << 30);

  GIBBS_INLINE static constexpr T lowest() { return std::numeric_limits<T>::lowest(); }

  /// Whether max / T is so large that the split of the exponent would lose digits.
  GIBBS_INLINE static bool is_large(const temperature<T>& t, T largest) {
    const double bound = 0.69 * static_cast<double>(scaled_exp2<T, Arch>::largest_exponent);
    const double m = static_cast<double>(largest < 0 ? -largest : largest);
    // -infinity, the maximum of nothing, is not large.
    return largest != -infinity<T> && !(m / bound <= t.value);
  }

  /// The largest of the numbers that the exponential gets to see.
  GIBBS_INLINE static T pivot(const temperature<T>& t, T largest) {
    if (largest == -infinity<T> || t.limit != kind::finite) return 0;
    if constexpr (Careful) {
      return is_large(t, largest) ? T(0) : (largest * t.before * t.after[0]) * t.after[1];
    } else {
      return largest;
    }
  }

  kind limit_;
  B largest_;
  B inverse_hi_;
  B inverse_lo_;
  B before_;
  B difference_scale_;
  B difference_unscale_;
  B after_[2];
  B shift_;
  B floor_;
  B least_difference_;
  scaled_exp2<T, Arch> exp2_;
};

template <class Row>
inline constexpr pace pace_of = std::remove_cvref_t<Row>::speed;

/// What a row of logits comes down to: its maximum, and the sum of exp((x - max) / T) over all
/// elements but one maximum, which is what log1p wants. rest is NaN where an element is NaN or
/// +infinity.
template <class T>
struct logits_total {
  T largest;
  wide<T> rest;

  GIBBS_INLINE wide<T> log_scaled_sum() const { return log1p(rest); }
};

/// Calls visit with the row, plain or careful.
template <class T, class Arch, class Visit>
GIBBS_INLINE auto visit_row(const temperature<T>& t, T largest, Visit visit) {
  if (logits_row<T, Arch, false>::is_plain(t, largest)) {
    return visit(logits_row<T, Arch, false>(t, largest));
  }
  return visit(logits_row<T, Arch, true>(t, largest));
}

/// The sums that every reduction of logits starts with: 0 and 1 are the two parts of the weights of
/// all elements below the maximum, 2 counts the maxima.
template <std::size_t N, class T, class Arch, bool Careful>
GIBBS_INLINE terms<T, Arch, N> weight_terms(const logits_row<T, Arch, Careful>& row,
                                            const batch<T, Arch>& x) {
  using B = batch<T, Arch>;
  const auto w = row.weight(x);
  const auto is_largest = x == row.largest();
  const B s = choose(is_largest, B(T(0)), w.s);
  terms<T, Arch, N> result{};
  result.of[0] = s;
  result.of[1] = s * w.q;
  result.of[2] = choose(is_largest, B(T(1)), B(T(0)));
  return result;
}

template <class T, class Arch, std::size_t N, bool Careful>
GIBBS_INLINE logits_total<T> total_of(const logits_row<T, Arch, Careful>& row, T largest,
                                      const sums<T, Arch, N>& all) {
  if (largest == infinity<T>) return {largest, wide<T>(std::numeric_limits<double>::quiet_NaN())};
  const wide<T> below = all.total(0) + all.total(1);
  // Nothing but -infinity, and perhaps NaN, which the sum has kept: there is no weight to divide
  // by.
  if (largest == -infinity<T>) return {largest, below};
  return {largest, below / row.largest_weight() + (all.total(2) - wide<T>(1.0))};
}

template <class T, class Arch>
GIBBS_INLINE logits_total<T> total_of_row(const T* x, std::size_t n, const temperature<T>& t) {
  const T largest = sweep_max<T, Arch>(n, x);
  return visit_row<T, Arch>(t, largest, [&](const auto& row) {
    sums<T, Arch, 3> all;
    sweep_sums<pace_of<decltype(row)>, T, Arch, 3>(
        all, n, [&](const auto& v) { return weight_terms<3>(row, v); }, input<T>{x, -infinity<T>});
    return total_of(row, largest, all);
  });
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_LOGITS_HPP
