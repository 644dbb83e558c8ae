// SPDX-License-Identifier: MIT
//
// kl_divergence: the Kullback-Leibler divergence of two distributions, of two rows of logits.
#ifndef GIBBS_KL_DIVERGENCE_HPP
#define GIBBS_KL_DIVERGENCE_HPP

#include <math.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "accuracy.hpp"
#include "detail/arguments.hpp"
#include "detail/log.hpp"
#include "detail/logits.hpp"
#include "detail/probabilities.hpp"

namespace gibbs {

/// sum over i of p[i] log(p[i] / q[i]) - p[i] + q[i], in nats (SciPy's kl_div): for distributions
/// this is the Kullback-Leibler divergence of p from q; it cannot be negative (Gibbs' inequality,
/// term by term), it is 0 where p == q and elsewhere only if it is below the smallest number, and
/// that p and q were rounded does not drown it.
///
/// Accuracy: accuracy::kl_divergence ulp, also where p and q differ in their last bits.
///
/// Special values: where p[i] is 0 the term is q[i]; where only q[i] is 0 the result is +infinity.
/// Empty rows give 0. NaN, infinity or a negative number in p or q gives NaN.
///
/// Errors: std::invalid_argument if the sizes differ.
template <detail::float_range P, detail::range_of<detail::element<P>> Q,
          class Arch = detail::default_arch>
detail::element<P> kl_divergence(const P& p, const Q& q);

/// The same for each row of two matrices: results[i] belongs to row i. Errors: also if results does
/// not have as many elements as there are rows; nothing is written then.
template <class P, class Q, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(const matrix_view<P>& p, const matrix_view<Q>& q, Results&& results);

/// The Kullback-Leibler divergence, in nats, of softmax(p_logits, options) from softmax(q_logits,
/// options). With d = log(p / q) it is the sum of p (d - 1 + exp(-d)): terms that are never
/// negative.
///
/// Accuracy: accuracy::kl_divergence_from_logits ulp, or the condition of the input if that is
/// larger. Equal rows give exactly 0, rows that differ by a constant at most of the order of
/// epsilon squared.
///
/// Special values: where p_logits[i] is -infinity only q's mass counts; where only q_logits[i] is,
/// the result is +infinity. NaN, +infinity or nothing but -infinity in one of them give NaN. Empty
/// rows give 0. Temperatures 0 and +infinity: the divergence of the limits.
///
/// Errors: std::invalid_argument if the sizes differ, or for a temperature less than 0 or NaN.
template <detail::float_range P, detail::range_of<detail::element<P>> Q,
          class Arch = detail::default_arch>
detail::element<P> kl_divergence_from_logits(const P& p_logits, const Q& q_logits,
                                             const logit_options& options = {});

/// The same for each row of two matrices: results[i] belongs to row i. Errors: also if results does
/// not have as many elements as there are rows; nothing is written then.
template <class P, class Q, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence_from_logits(const matrix_view<P>& p_logits, const matrix_view<Q>& q_logits,
                               Results&& results, const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Arch, bool Lifted>
struct kl_term_or_limit {
  using B = batch<T, Arch>;
  static constexpr pace of_a_row = pace::steady;
  static constexpr std::size_t longest_of_four =
      is_avx512<Arch> ? 32 : 12;  ///< Longer rows gain nothing.
  using several = four<Arch>;
  GIBBS_PART B operator()(B& mark, const B& p, const B& q) const {
    if constexpr (!Lifted) {
      return of(mark, p, q);
    } else {
      // Large p and q, whose term is small or 0 here, must not overflow.
      auto large = p >= B(T(1));
      B term = of(mark, choose(large, p, lifted<true>(p)), choose(large, q, lifted<true>(q)));
      return choose(large, lifted<true>(term), term);
    }
  }
  /// Where p and q are normal numbers, or p does not count and q is any number.
  template <class Several>
  GIBBS_PART static bool of_several(Several& terms, const Several& p, const Several& q) {
    if (all_hold(are_normal(p, q))) {
      terms = kl_term<true>(p, q);
      return true;
    }
    Several zero(T(0));
    Several one(T(1));
    auto limit = does_not_count(p);
    Several p_regular = choose(limit, one, p);
    Several q_regular = choose(limit, one, q);
    auto valid = (q >= choose(limit, p, zero)) & (q <= Several((std::numeric_limits<T>::max)()));
    if (!all_hold(are_normal(p_regular, q_regular) & valid)) return false;
    terms = choose(limit, q, kl_term<true>(p_regular, q_regular));
    return true;
  }

 private:
  /// Not too large to be added up, either. A NaN may get by, and stays one.
  template <class Batch>
  GIBBS_PART static auto are_normal(const Batch& p, const Batch& q) {
    const Batch tiny((std::numeric_limits<T>::min)());
    const Batch large((std::numeric_limits<T>::max)() / 4);
    return (min_or_second(p, q) >= tiny) & (max_or_second(p, q) <= large);
  }

  /// Where p is 0 or a positive subnormal number.
  template <class Batch>
  GIBBS_PART static auto does_not_count(const Batch& p) {
    return (p >= Batch(T(0))) & (p < Batch((std::numeric_limits<T>::min)()));
  }

  GIBBS_PART static B of(B& mark, const B& p, const B& q) {
    if (all_hold(are_normal(p, q))) return kl_term<true>(p, q);
    B zero(T(0));
    B one(T(1));
    B most((std::numeric_limits<T>::max)());
    auto is_limit = p == zero;
    if constexpr (!Lifted) is_limit = does_not_count(p);
    auto regular = (p > zero) & (q > zero) & ~is_limit;
    B term = kl_term<false, T, Arch>(choose(regular, p, one), choose(regular, q, one));
    mark = choose((q == zero) & (p > zero), one, mark);
    B limit = choose(is_limit, q, zero);
    auto valid = (p >= zero) & (q >= zero) & (p <= most) & (q <= most);
    return choose(valid, choose(regular, term, limit), B(std::numeric_limits<T>::quiet_NaN()));
  }
};

/// p (d - 1 + exp(-d)) for d = log(p / q), and p - q, which is p d less of that: its error may be
/// one of the term then, which is larger. q and d stand beside each other where they are far from
/// what the other one says: d where the terms cancel, q where the error of d would be multiplied.
template <class T, class Arch>
struct kl_parts {
  using B = batch<T, Arch>;
  B term;
  B surplus;

  GIBBS_PART kl_parts(const B& p, const B& q, const B& d) {
    B one(T(1));
    auto is_close = (d >= B(T(-2))) & (d <= one);
    B d_close = zero_unless(is_close, d);
    // In this order the square of a tiny d does not underflow.
    B close = (p * d_close) * (d_close * exp_remainder(d_close));
    term = choose(is_close, close, multiply_add(p, d - one, q));
    surplus = multiply_subtract(p, d, term);
  }
};

/// 2^-exponent weight = exp(-distance) / mass, which may be far below the range of T. (The log of
/// the mass has an absolute error that would be a relative one here.)
template <class T>
struct scaled_weight {
  T weight = 0;
  int exponent = 0;

  GIBBS_PART scaled_weight(wide<T> distance, wide<T> mass) {
    const double rounded = static_cast<double>(distance);
    if (!(rounded < 4000)) return;  // 0, even times the quotient of the largest number by the least
    exponent = static_cast<int>(rounded * 0x1.71547652b82fep+0);
    const wide<T> rest = distance - wide<T>(static_cast<double>(exponent)) * ln2_wide<T>();
    const double high = static_cast<double>(rest);
    const double low = static_cast<double>(rest - wide<T>(high));
    weight = static_cast<T>(wide<T>(::exp(-high)) * (wide<T>(1.0) - wide<T>(low)) / mass);
  }
};

/// What the careful terms leave out: p (d - 1 + exp(-d)), where p may be far below the range of T
/// and d far beyond, element by element in more digits.
template <class T, class Arch>
struct far_logits {
  /// Distances from the maximum, over T. An x that is farther has p = 0 to any number of digits.
  static constexpr double farthest_x = 2300;
  /// A y that is farther gives a d with which elements count whose weight is 0 to the careful
  /// terms.
  static constexpr double farthest_y = 0x1p31;
  /// Where the divergence is small, they count with any d.
  static constexpr double deepest_x = std::is_same_v<T, float> ? 100 : 690;
  static constexpr T least_divergence = std::is_same_v<T, float> ? T(0x1p-80) : T(0x1p-900);

  T least_x;
  T least_y;
  T deep_x;

  /// Of two batches or two numbers, which have to agree.
  template <class V>
  GIBBS_PART auto operator()(const V& x, const V& y) const {
    return (x >= V(least_x)) & ((y < V(least_y)) | (x < V(deep_x)));
  }

  /// The sum: what overflows when it is lifted, and the rest, lifted.
  void add_up(wide<T>& sum, wide<T>& lifted, const T* x, const T* y, std::size_t n,
              const logits_sum<T>& p, const logits_sum<T>& q, wide<T> shift,
              const temperature<T>& t) const {
    const wide<T> p_mass = p.mass();
    const wide<T> q_mass = q.mass();
    for (std::size_t i = 0; i < n; ++i) {
      if (!(*this)(x[i], y[i])) continue;
      const wide<T> distance = t.difference(p.largest, x[i]);
      const wide<T> q_distance = t.difference(q.largest, y[i]);
      const scaled_weight<T> of_p(distance, p_mass);
      const scaled_weight<T> of_q(q_distance, q_mass);
      const wide<T> d = q_distance - distance - shift;
      const bool is_close = static_cast<double>(d) >= -2 && static_cast<double>(d) <= 1;
      const auto term = [&](int up) {
        const int e = up - of_p.exponent;
        if (is_close) {
          const T remainder = first_lane(exp_remainder(batch<T, Arch>(static_cast<T>(d))));
          return scaled_by(wide<T>(of_p.weight) * d * d * wide<T>(remainder), e);
        }
        return t.difference(q.largest, y[i], of_p.weight, e) -
               t.difference(p.largest, x[i], of_p.weight, e) -
               scaled_by(wide<T>(of_p.weight) * (shift + wide<T>(1.0)), e) +
               scaled_by(wide<T>(of_q.weight), up - of_q.exponent);
      };
      const wide<T> up = term(rescue_exponent<T>);
      if (may_be_lifted(up)) {
        lifted = lifted + up;
      } else {
        sum = sum + term(0);
      }
    }
  }
};

/// The parts for one batch of two rows that are not plain, which are known as weights times a
/// factor. Where all elements are equal, so are their errors: p and q are rounded once.
template <class T, class Arch>
struct kl_from_logits_careful_term {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  using row_type = careful_row<T, Arch>;

  const row_type& p_row;
  const row_type& q_row;
  wide_type p_factor;
  wide_type q_factor;
  B shift;  ///< the log of the quotient of the sums of the rows
  const far_logits<T, Arch>& far_away;
  bool greedy;  ///< whether the temperature is 0
  B& mark;      ///< 2 for terms that are infinite, 1 for those that are left out

  GIBBS_PART terms<T, Arch, 2> operator()(const B& x, const B& y) const {
    B zero(T(0));
    B negative_infinity(-infinity<T>);
    B p = wide_type::rounded_product(p_row.weight_in_parts(x), p_factor);
    B q = wide_type::rounded_product(q_row.weight_in_parts(y), q_factor);
    auto p_zero = x == negative_infinity;
    auto q_zero = y == negative_infinity;
    if (greedy) {
      p_zero = x < p_row.largest();
      q_zero = y < q_row.largest();
    }
    // What is not used below gets some d here that causes no overflow.
    auto counts = (x >= B(far_away.least_x)) & ~p_zero & ~q_zero;
    auto left_out = counts & far_away(x, y);
    auto regular = counts & ~left_out;
    B x_counted = choose(regular, x, p_row.largest());
    B y_counted = choose(regular, y, q_row.largest());
    B d = p_row.difference_to(q_row, x_counted, y_counted, shift);
    auto p_only = q_zero & ~p_zero;
    mark = max_or_second(choose(left_out, B(T(1)), zero), mark);
    mark = choose(p_only, B(T(2)), mark);
    kl_parts<T, Arch> parts(p, q, d);
    return {{choose(left_out, zero, choose(p == zero, q, parts.term)),
             choose(left_out, zero, choose(p == zero, -q, parts.surplus))}};
  }
};

/// Likewise for plain rows, each lane perhaps of rows of its own, with the weights as a third part.
/// They are not divided by their sum here.
template <class T, class Arch>
class kl_from_logits_term {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;

 public:
  /// d beyond this is left to the careful terms.
  static constexpr T most = T(0x1p30);

  /// q_factor times a weight of q is as a weight of p; shift is the log of the same for weights of
  /// exp((x - max) / T).
  template <class Row>
  GIBBS_PART kl_from_logits_term(const temperature<T>& t, const Row& p_row, const Row& q_row,
                                 const B& q_factor, const wide_type& shift)
      : q_factor_(q_factor),
        inverse_(in_all_lanes<T, Arch>(t.inverse)),
        shift_(wide_type::sum(p_row.largest(), -q_row.largest()) * inverse_ + shift),
        most_apart_(static_cast<T>(most * t.value)),
        least_(most_apart_ * B(T(-2))) {}

  /// p and w are the weights of x and y. Of batches side by side, too.
  template <class A>
  GIBBS_PART terms<T, A, 3> operator()(B& mark, const batch<T, A>& x, const batch<T, A>& y,
                                       const batch<T, A>& p, const batch<T, A>& w) const {
    using V = batch<T, A>;
    using wide_v = wide_batch<T, A>;
    // Where x is -infinity p is 0, whatever d is. The maxima of plain rows are not large: nothing
    // is lost until their distance is subtracted, as a part of the shift.
    V least(least_);
    wide_v apart = wide_v::sum(max_or_second(least, x), -max_or_second(least, y));
    V d = wide_v::product_minus(apart, {V(inverse_.hi), V(inverse_.lo)},
                                {V(shift_.hi), V(shift_.lo)});
    V masked(-infinity<T>);
    auto marked = (apart.hi > V(most_apart_)) | ((x > masked) & (y == masked));
    if constexpr (std::is_same_v<A, Arch>) {
      mark = choose(marked, B(T(1)), mark);
    } else {
      mark = choose(in_one_mask(marked), B(T(1)), mark);
    }
    kl_parts<T, A> parts(p, w * V(q_factor_), d);
    return {{parts.term, parts.surplus, p}};
  }

 private:
  B q_factor_;
  wide_type inverse_;
  wide_type shift_;
  B most_apart_;
  B least_;
};

/// The terms of two rows, to be swept over.
template <class T, class Arch>
struct kl_from_logits_of_rows {
  using B = batch<T, Arch>;
  using several = four_or_six<Arch>;
  static constexpr bool fetches_ahead = false;
  const kl_from_logits_term<T, Arch>& term;
  B& mark;
  const one_plain_row<T, Arch>& p;
  const one_plain_row<T, Arch>& q;

  GIBBS_PART terms<T, Arch, 3> operator()(const B& x, const B& y) const {
    return term(mark, x, y, p.weight(x).value(), q.weight(y).value());
  }
  template <class Sums, class Four>
  GIBBS_PART bool add_up_several(Sums& into, const Four& x, const Four& y) const {
    into.add_groups(term(mark, x, y, row_beside<T, several>(p).weight(x).value(),
                         row_beside<T, several>(q).weight(y).value()));
    return true;
  }
};

/// The logit whose distance from the largest is so many T; the lowest one if there is none.
template <class T>
GIBBS_INLINE T logit_at(const temperature<T>& t, T largest, double distance) {
  // Written so that nothing overflows, even where a compiler computes what is not needed: it may do
  // so where one of two values to choose from is a constant.
  constexpr T lowest = std::numeric_limits<T>::lowest();
  const double from = static_cast<double>(largest);
  const double quarter = (from < 0 ? from * 0.25 : 0.0) - static_cast<double>(lowest) * 0.25;
  const double room = quarter * (3.96 / distance);
  const bool fits = t.limit == temperature<T>::kind::finite && t.value < room;
  const T logit = static_cast<T>(from - distance * (t.value < room ? t.value : room));
  return fits ? logit : lowest;
}

/// log(a / b), with an error that is small beside the rounding of 1.
template <class T, class Arch>
GIBBS_PART wide<T> log_quotient(wide<T> a, wide<T> b) {
  auto quotient = in_all_lanes<T, Arch>(split<T>(a / b));
  return first_lane(log_of_sum(quotient.hi, {quotient.lo, batch<T, Arch>(T(0))}));
}

template <class T, class Arch>
GIBBS_KERNEL bool are_equal(const T* x, const T* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (x[i] != y[i]) return false;
  }
  return true;
}

/// Of any two rows. d = log(p / q) is the difference of the distances of the logits from the
/// largest, which does not overflow, less the difference of what belongs to the rows.
template <class T, class Arch>
GIBBS_KERNEL T kl_from_logits_row(const T* x, const T* y, std::size_t n, const temperature<T>& t) {
  using B = batch<T, Arch>;
  using row = careful_row<T, Arch>;
  if (n == 0) return 0;
  if (are_equal<T, Arch>(x, y, n)) {
    const T largest = sweep_max<T, Arch>(n, x);
    return is_finite(static_cast<double>(largest)) ? T(0) : std::numeric_limits<T>::quiet_NaN();
  }
  const auto p = sum_of_row<T, Arch>(x, n, t);
  const auto q = sum_of_row<T, Arch>(y, n, t);
  if (!is_finite(static_cast<double>(p.rest + q.rest)) ||
      !is_finite(static_cast<double>(p.largest)) || !is_finite(static_cast<double>(q.largest))) {
    return std::numeric_limits<T>::quiet_NaN();
  }
  row p_row(t, p.largest, q.largest);
  row q_row(t, q.largest, p.largest);
  // Lifted, so that nothing of terms that count is lost in subnormal numbers.
  const wide<T> lift(static_cast<double>(rescue_up<T>));
  const split<T> p_factor(lift / (p_row.largest_weight() * p.mass()));
  const wide<T> q_factor = lift / (q_row.largest_weight() * q.mass());
  using far_type = far_logits<T, Arch>;
  far_type far_away{logit_at(t, p.largest, far_type::farthest_x),
                    logit_at(t, q.largest, far_type::farthest_y), std::numeric_limits<T>::lowest()};
  // A T that is only taken for 0 makes no p 0, however small, and no distance infinite.
  if (t.limit == temperature<T>::kind::zero && t.value > 0) {
    far_away.least_x = p.largest;
    far_away.least_y = q.largest;
  }
  wide<T> shift = log_quotient<T, Arch>(p.mass(), q.mass());
  for (bool deep = false, refined = false;;) {
    B mark(T(0));
    // What rounding takes away from d belongs to q too: the sum of p (d - 1 + exp(-d)) does not
    // change then, to first order.
    const T rounded_shift = static_cast<T>(shift);
    const wide<T> lost = shift - wide<T>(rounded_shift);
    kl_from_logits_careful_term<T, Arch> term{
        p_row,
        q_row,
        in_all_lanes<T, Arch>(p_factor),
        in_all_lanes<T, Arch>(split<T>(q_factor - q_factor * lost)),
        B(rounded_shift),
        far_away,
        t.value == 0,
        mark};
    sums<T, Arch, 2> all;
    sweep_sums<pace::compact>(all, n, term, input<T>{x, -infinity<T>}, input<T>{y, -infinity<T>});
    if (xsimd::any(mark == B(T(2)))) return infinity<T>;
    wide<T> lifted = all.total(0);
    wide<T> beyond(0.0);
    if (xsimd::any(mark != B(T(0)))) far_away.add_up(beyond, lifted, x, y, n, p, q, shift, t);
    const wide<T> result = lifted / lift + beyond;
    const double rounded = static_cast<double>(result);
    if (!deep && rounded < static_cast<double>(far_type::least_divergence)) {
      far_away.deep_x = logit_at(t, p.largest, far_type::deepest_x);
      deep = true;
      continue;
    }
    // An error of the shift enters squared. Where that could be seen, the second sum tells the
    // error.
    const double size = 4 + static_cast<double>(shift) * static_cast<double>(shift);
    const double visible = 4 * size * static_cast<double>(std::numeric_limits<T>::epsilon());
    if (refined || !(rounded < visible)) return static_cast<T>(result);
    shift = wide<T>(rounded_shift) + all.total(1) / lift;
    refined = true;
  }
}

/// What is known of rows before their divergence, a lane a row.
template <class T, class Arch>
struct row_weights {
  plain_row<T, Arch> row;
  row_set plain;            ///< The other rows have some numbers here.
  batch<T, Arch> largest;   ///< of the weights, as they are rounded
  wide_batch<T, Arch> sum;  ///< of all weights or of some

  GIBBS_PART row_weights(const temperature<T>& t, const plain_maxima<T, Arch>& rows)
      : row(t, rows.largest), plain(rows.rows), largest(row.weight(row.largest()).value()) {}
};

/// Of plain rows, by add_up(rows, mark, q_factor, shift, totals), which adds up the three parts of
/// at least these rows.
///
/// Let P and Q be the sums of the weights p and q, and f any factor in the place of P / Q. The
/// terms of p and f q, over P, add up to the divergence and r - 1 - log r more, and the differences
/// p - f q over P to 1 - r, where r = f Q / P. So P and Q need not be known before: a factor that
/// is not far off will do, and the differences say how far off it is. What is added is never
/// negative; where it is large, the divergence would have its errors.
template <class T, class Arch, class AddUp>
GIBBS_PART row_results<T, Arch> kl_from_logits_plain(const row_weights<T, Arch>& p,
                                                     const row_weights<T, Arch>& q, AddUp add_up) {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  B zero(T(0));
  B one(T(1));
  wide_type q_factor = (p.sum / q.sum).ordered();
  wide_type at_maxima = q_factor * (wide_type{q.largest, zero} / wide_type{p.largest, zero});
  wide_type shift = log_of_sum(at_maxima.hi, {at_maxima.lo, zero}).ordered();
  B mark = zero;
  B divergence = zero;
  auto found = zero != zero;
  row_set rows = p.plain & q.plain;
  // Once is nearly always enough, twice where it is not, but for rows that are equal to all digits.
  for (int tries = 0; rows != 0 && tries < 3; ++tries) {
    wide_type totals[3];
    add_up(rows, mark, q_factor.hi, shift, totals);
    wide_type surplus = totals[1] / totals[2];
    B value = (totals[0] / totals[2]).value();
    // With s = 1 - r, r - 1 - log r is less than s^2 where s <= 1 / 2, and mostly not to be seen.
    auto is_enough = surplus.hi * surplus.hi <=
                     min_or_second(B(T(0.25)), value * B(std::numeric_limits<T>::epsilon() / 16));
    if (all_hold(is_enough | (mark != zero))) {
      divergence = choose(found, divergence, value);
      found = found | is_enough;
      break;
    }
    wide_type most{B(T(0.875)), zero};
    wide_type missing = choose(surplus.hi < most.hi, surplus, most);
    wide_type off = -log_of_sum(one, -missing).ordered();
    B excess = off.hi * (off.hi * exp_remainder(off.hi));
    value = choose(is_enough, value, value - excess);  // as where no other row needs it
    divergence = choose(found, divergence, value);
    auto is_near = (off.hi >= B(T(-2))) & (off.hi <= one);
    found = found | is_enough | (is_near & (excess <= value * B(T(0.125))));
    rows &= ~lane_bits<T, Arch>(found | (mark != zero) | (value != value), lanes<T, Arch>);
    shift = shift + off;
    q_factor = (q_factor / (wide_type{one, zero} + -missing)).ordered();
  }
  auto valid = found & (mark == zero) & (divergence >= B(far_logits<T, Arch>::least_divergence)) &
               (divergence <= B((std::numeric_limits<T>::max)()));
  return {divergence, valid};
}

template <class T, class Arch>
GIBBS_KERNEL void kl_divergence_rows(const matrix_view<const T>& p, const matrix_view<const T>& q,
                                     T* results) {
  reduce_probabilities<kl_term_or_limit, T, Arch>(results, false, p, q);
}

/// Of two rows of logits longer ones are transposed than of one.
template <class T, class Arch>
using kl_tile = tile<T, Arch, is_several<Arch> ? longest_tile_of_four : longest_tile>;

/// The weights of short rows, and their sums.
template <class T, class Arch, class Tile>
GIBBS_PART row_weights<T, Arch> weigh_tile(const temperature<T>& t, Tile& logits, Tile& weights) {
  using B = batch<T, Arch>;
  const auto limit = plain_row<T, Arch>::limit(t);
  row_weights<T, Arch> result(t, logits.template keep_plain<false>(limit));
  sums<T, Arch, 1> all;
  add_up_columns<is_several<Arch> ? 2 : 3, false>(
      all, logits,
      [&](std::size_t c) GIBBS_PART_LAMBDA {
        B w = result.row.weight(logits[c]).value();
        weights.set(c, w);
        return terms<T, Arch, 1>{{w}};
      },
      [&](auto& sum, four_columns c) GIBBS_PART_LAMBDA {
        if constexpr (Tile::has_four) {
          auto w = row_beside<T, four<Arch>>(result.row).weight(logits.four(c)).value();
          weights.set_four(c, w);
          sum.add({{in_one_batch(w)}});
        }
        return true;
      });
  result.sum = all.total_of_lanes(0);
  return result;
}

/// Up to `lanes` short rows in a kl_tile, or one in a lone_row.
template <class T, class Arch, class Tile>
GIBBS_KERNEL row_results<T, Arch> kl_from_logits_short(const temperature<T>& t,
                                                       const matrix_view<const T>& x,
                                                       const matrix_view<const T>& y,
                                                       row_set& plain) {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  Tile p_logits(x);
  Tile q_logits(y);
  Tile p_weights;
  Tile q_weights;
  auto p = weigh_tile<T, Arch>(t, p_logits, p_weights);
  auto q = weigh_tile<T, Arch>(t, q_logits, q_weights);
  plain = p.plain & q.plain;
  return kl_from_logits_plain(
      p, q,
      [&](row_set, B& mark, const B& q_factor, const wide_type& shift, wide_type(&totals)[3]) {
        kl_from_logits_term<T, Arch> term(t, p.row, q.row, q_factor, shift);
        sums<T, Arch, 3> all;
        add_up_columns<is_several<Arch> ? 2 : 3, true>(
            all, p_logits,
            [&](std::size_t c) GIBBS_PART_LAMBDA {
              return term(mark, p_logits[c], q_logits[c], p_weights[c], q_weights[c]);
            },
            [&](auto& sum, four_columns c) GIBBS_PART_LAMBDA {
              if constexpr (Tile::has_four) {
                sum.add_groups(term(mark, p_logits.four(c), q_logits.four(c), p_weights.four(c),
                                    q_weights.four(c)));
              }
              return true;
            });
        if constexpr (Tile::is_lone) mark = mark_of_all(mark);
        unroll<3>([&](std::size_t i) GIBBS_PART_LAMBDA { totals[i] = all.total_of_lanes(i); });
      });
}

/// Of longer rows no more is looked at than of such.
inline constexpr std::size_t most_sampled = 4096;
/// With fewer elements rows of some hundred often have to be added up twice.
inline constexpr std::size_t least_sampled = 160;

/// The sums of the weights of both rows over an eighth of them, or over least_sampled elements if
/// that is more: of batches in which an element of x or of y is not more than depth below the
/// largest, as far as there are any.
template <class T, class Arch, class Row>
GIBBS_PART sums<T, Arch, 2> sample_weights(const Row& p_row, const Row& q_row, std::size_t n,
                                           const T* x, const T* y, T depth) {
  using B = batch<T, Arch>;
  constexpr std::size_t step = lanes<T, Arch>;
  B least_x = p_row.largest() - B(depth);
  B least_y = q_row.largest() - B(depth);
  terms<T, Arch, 2> sum{{B(T(0)), B(T(0))}};
  std::size_t left = (std::max)((std::min)(n, most_sampled) / 8, least_sampled) / step;
  for (std::size_t i = 0; i + step <= n && left > 0; i += step) {
    B v = read<T, Arch>(x + i);
    B w = read<T, Arch>(y + i);
    if (!xsimd::any((v >= least_x) | (w >= least_y))) continue;
    sum = sum + terms<T, Arch, 2>{{p_row.weight(v).value(), q_row.weight(w).value()}};
    --left;
  }
  sums<T, Arch, 2> result;
  result.add(sum);
  return result;
}

/// Up to `lanes` rows that are not too long for the cache, or one of any length.
template <class T, class Arch>
GIBBS_KERNEL row_results<T, Arch> kl_from_logits_long(const temperature<T>& t,
                                                      const matrix_view<const T>& x,
                                                      const matrix_view<const T>& y,
                                                      row_set& plain) {
  using B = batch<T, Arch>;
  using row_type = plain_row<T, Arch>;
  using one_row = one_plain_row<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  const T limit = row_type::limit(t);
  row_weights<T, Arch> p(t, plain_rows_of<false, T, Arch>(limit, x));
  row_weights<T, Arch> q(t, plain_rows_of<false, T, Arch>(limit, y));
  plain = p.plain & q.plain;
  if (plain == 0) return {B(T(0)), B(T(0)) == B(T(0))};
  typename row_type::lanes_in_memory p_memory;
  typename row_type::lanes_in_memory q_memory;
  p.row.store(p_memory);
  q.row.store(q_memory);
  rows_of_sums<T, Arch, 2> samples;
  for (std::size_t r = 0; r < x.rows(); ++r) {
    sums<T, Arch, 2> of_row;
    if (has_row(plain, r)) {
      of_row = sample_weights<T, Arch>(one_row(p.row, p_memory, r), one_row(q.row, q_memory, r),
                                       x.columns(), row_of(x, r), row_of(y, r), t.octave * 4);
    }
    samples.set(r, of_row);
  }
  wide_type sampled[2];
  samples.bring_together(x.rows(), sampled);
  // With a little of the maxima, so that none is 0 beside the other.
  B little(T(1) / 16);
  p.sum = sampled[0] + wide_type{p.largest * little, B(T(0))};
  q.sum = sampled[1] + wide_type{q.largest * little, B(T(0))};

  return kl_from_logits_plain(
      p, q,
      [&](row_set rows, B& mark, const B& q_factor, const wide_type& shift, wide_type(&totals)[3]) {
        alignas(64) T of_lanes[4][lanes<T, Arch>];
        q_factor.store_aligned(of_lanes[0]);
        shift.hi.store_aligned(of_lanes[1]);
        shift.lo.store_aligned(of_lanes[2]);
        mark.store_aligned(of_lanes[3]);
        rows_of_sums<T, Arch, 3> all_rows;
        for (std::size_t r = 0; r < x.rows(); ++r) {
          sums<T, Arch, 3> all;
          if (has_row(rows, r)) {
            one_row p_row(p.row, p_memory, r);
            one_row q_row(q.row, q_memory, r);
            kl_from_logits_term<T, Arch> term(t, p_row, q_row, B(of_lanes[0][r]),
                                              {B(of_lanes[1][r]), B(of_lanes[2][r])});
            B row_mark(T(0));
            sweep_sums<pace::steady>(
                all, x.columns(), kl_from_logits_of_rows<T, Arch>{term, row_mark, p_row, q_row},
                input<T>{row_of(x, r), -infinity<T>}, input<T>{row_of(y, r), -infinity<T>});
            if (xsimd::any(row_mark != B(T(0)))) of_lanes[3][r] = 1;
          } else {
            all.add({{B(T(0)), B(T(0)), B(T(1))}});  // to be divided by
          }
          all_rows.set(r, all);
        }
        mark = B::load_aligned(of_lanes[3]);
        all_rows.bring_together(x.rows(), totals);
      });
}

template <class T, class Arch>
GIBBS_KERNEL void kl_divergence_from_logits_rows(const matrix_view<const T>& p_logits,
                                                 const matrix_view<const T>& q_logits, T* results,
                                                 double at_temperature) {
  const temperature<T> t(at_temperature);
  const std::size_t columns = p_logits.columns();
  if (columns == 1) {  // probabilities of 1, if they are any
    for (std::size_t i = 0; i < p_logits.rows(); ++i) {
      const bool exist = is_finite(static_cast<double>(*row_of(p_logits, i))) &&
                         is_finite(static_cast<double>(*row_of(q_logits, i)));
      results[i] = exist ? T(0) : std::numeric_limits<T>::quiet_NaN();
    }
    return;
  }
  const bool may_be_plain = columns > 0 && plain_row<T, Arch>::limit(t) >= 0;
  const auto put = [&](std::size_t first, std::size_t rows, const T* values, row_set done) {
    for (std::size_t r = 0; r < rows; ++r) {
      results[first + r] =
          has_row(done, r) ? values[r]
                           : kl_from_logits_row<T, Arch>(row_of(p_logits, first + r),
                                                         row_of(q_logits, first + r), columns, t);
    }
  };
  const auto put_short = [&]<class A, class Tile>(A, std::type_identity<Tile>, std::size_t first,
                                                  std::size_t rows) {
    row_set plain = 0;
    auto result = kl_from_logits_short<T, A, Tile>(t, rows_of(p_logits, first, rows),
                                                   rows_of(q_logits, first, rows), plain);
    alignas(64) T values[lanes<T, A>];
    write(values, result.value);
    put(first, rows, values, plain & lane_bits<T, A>(result.valid, rows));
  };
  const std::size_t among_others =
      rows_among_others<T, Arch>(p_logits.rows(), columns, may_be_plain && columns <= longest_tile);
  if constexpr (takes_four<Arch>) {
    for (std::size_t i = among_others; i < p_logits.rows(); ++i) {
      put_short(Arch(), std::type_identity<lone_row<T, Arch>>(), i, 1);
    }
  }
  std::size_t first = for_each_four<T, Arch>(
      may_be_plain ? among_others : 0, columns, [&]<class Four>(Four, std::size_t i) {
        put_short(Four(), std::type_identity<kl_tile<T, Four>>(), i, lanes<T, Four>);
      });
  const std::size_t block = rows_at_a_time<T, Arch>(columns);
  for (; first < among_others; first += block) {
    const std::size_t rows = (std::min)(block, among_others - first);
    if (may_be_plain && columns <= longest_tile) {
      put_short(Arch(), std::type_identity<kl_tile<T, Arch>>(), first, rows);
      continue;
    }
    row_set done = 0;
    alignas(64) T values[lanes<T, Arch>];
    if (may_be_plain) {
      auto result = kl_from_logits_long<T, Arch>(t, rows_of(p_logits, first, rows),
                                                 rows_of(q_logits, first, rows), done);
      result.value.store_aligned(values);
      done &= lane_bits<T, Arch>(result.valid, rows);
    }
    put(first, rows, values, done);
  }
}

}  // namespace detail

template <class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(const matrix_view<P>& p, const matrix_view<Q>& q, Results&& results) {
  detail::check_same_shape("kl_divergence", "p", p, "q", q);
  detail::check_results("kl_divergence", results, p, q);
  detail::kl_divergence_rows<std::remove_const_t<P>, Arch>(p, q, std::ranges::data(results));
}

template <detail::float_range P, detail::range_of<detail::element<P>> Q, class Arch>
detail::element<P> kl_divergence(const P& p, const Q& q) {
  using T = detail::element<P>;
  T result[1];
  kl_divergence<const T, const T, T(&)[1], Arch>(detail::as_row(p), detail::as_row(q), result);
  return result[0];
}

template <class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence_from_logits(const matrix_view<P>& p_logits, const matrix_view<Q>& q_logits,
                               Results&& results, const logit_options& options) {
  constexpr auto function = "kl_divergence_from_logits";
  detail::check_temperature(function, options);
  detail::check_same_shape(function, "p_logits", p_logits, "q_logits", q_logits);
  detail::check_results(function, results, p_logits, q_logits);
  detail::kl_divergence_from_logits_rows<std::remove_const_t<P>, Arch>(
      p_logits, q_logits, std::ranges::data(results), options.temperature);
}

template <detail::float_range P, detail::range_of<detail::element<P>> Q, class Arch>
detail::element<P> kl_divergence_from_logits(const P& p_logits, const Q& q_logits,
                                             const logit_options& options) {
  using T = detail::element<P>;
  T result[1];
  kl_divergence_from_logits<const T, const T, T(&)[1], Arch>(
      detail::as_row(p_logits), detail::as_row(q_logits), result, options);
  return result[0];
}

}  // namespace gibbs

#endif  // GIBBS_KL_DIVERGENCE_HPP
