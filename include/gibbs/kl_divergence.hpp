// SPDX-License-Identifier: MIT
//
// kl_divergence: the Kullback-Leibler divergence of two distributions, of two rows of logits.
#ifndef GIBBS_KL_DIVERGENCE_HPP
#define GIBBS_KL_DIVERGENCE_HPP

#include "accuracy.hpp"
#include "detail/arguments.hpp"
#include "detail/log.hpp"
#include "detail/logits.hpp"

namespace gibbs {

/// sum over i of p[i] log(p[i] / q[i]) - p[i] + q[i], in nats (SciPy's kl_div): for distributions
/// this is the Kullback-Leibler divergence of p from q; it cannot be negative (Gibbs' inequality,
/// term by term), it is 0 where p == q and only there, and that p and q were rounded does not drown
/// it.
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
void kl_divergence(matrix_view<P> p, matrix_view<Q> q, Results&& results);

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

/// The same for each row of two matrices: results[i] belongs to row i.
template <class P, class Q, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence_from_logits(matrix_view<P> p_logits, matrix_view<Q> q_logits, Results&& results,
                               const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Arch>
GIBBS_INLINE batch<T, Arch> kl_term_or_limit(const batch<T, Arch>& p, const batch<T, Arch>& q,
                                             bool& infinite) {
  using B = batch<T, Arch>;
  const B tiny((std::numeric_limits<T>::min)());
  const B large((std::numeric_limits<T>::max)() / 4);
  if (xsimd::all((p >= tiny) & (q >= tiny) & (p <= large) & (q <= large))) {
    return kl_term<true, T, Arch>(p, q);
  }
  const B zero(T(0));
  const B most((std::numeric_limits<T>::max)());
  const auto regular = (p > zero) & (q > zero);
  const B one(T(1));
  const B term = kl_term<false, T, Arch>(choose(regular, p, one), choose(regular, q, one));
  infinite = infinite || xsimd::any((q == zero) & (p > zero));
  const B limit = choose(p == zero, q, zero);
  const auto valid = (p >= zero) & (q >= zero) & (p <= most) & (q <= most);
  return choose(valid, choose(regular, term, limit), B(std::numeric_limits<T>::quiet_NaN()));
}

template <class T, class Arch>
T kl_divergence_row(const T* p, const T* q, std::size_t n) {
  using B = batch<T, Arch>;
  sums<T, Arch, 1> all;
  bool infinite = false;
  sweep_sums<pace::fast, T, Arch, 1>(
      all, n,
      [&](const B& a, const B& b) { return terms<T, Arch, 1>{{kl_term_or_limit(a, b, infinite)}}; },
      input<T>{p, T(0)}, input<T>{q, T(0)});
  return with_infinite_terms(static_cast<T>(all.total(0)), infinite);
}

/// p (d - 1 + exp(-d)) for one batch, where p exp(-d) is q; p and q are known as weights times a
/// factor.
template <bool Careful, class T, class Arch>
class kl_from_logits_term {
  using B = batch<T, Arch>;
  using row = logits_row<T, Arch, Careful>;

  /// Below this d the weight of p may be too small to carry all digits, and q is used instead.
  static constexpr T least = Careful ? T(-1) : T(-40);

 public:
  GIBBS_INLINE kl_from_logits_term(const row& p_row, const row& q_row, T p_factor, T q_factor,
                                   const temperature<T>& t, T q_largest)
      : p_row_(p_row),
        q_row_(q_row),
        p_factor_(p_factor),
        q_factor_(q_factor),
        greedy_(t.limit == temperature<T>::kind::zero),
        least_y_(least_logit(t, q_largest)),
        exp2_(split<T>(wide<T>(log2e_hi)), T(scaled_exp2<T, Arch>::headroom / log2e_hi)) {}

  /// Beyond this d its product with a weight may overflow.
  static constexpr T most = Careful ? (std::numeric_limits<T>::max)() / 4 : T(0x1p60);

  /// For logits x of p and y of q, shift = log of the quotient of their sums. What does not belong
  /// into a sum with error terms stays out of it and is told: terms that are infinite, and d beyond
  /// most.
  GIBBS_INLINE terms<T, Arch, 2> operator()(const B& x, const B& y, const B& shift, bool& infinite,
                                            bool& too_large) const {
    const B zero(T(0));
    const B one(T(1));
    const B negative_infinity(-infinity<T>);
    B p = p_row_.weight(x).value();
    auto p_zero = x == negative_infinity;
    auto q_zero = y == negative_infinity;
    if (greedy_) {
      p_zero = x < p_row_.largest();
      q_zero = y < q_row_.largest();
    }
    // What is replaced below gets some d here that causes no overflow.
    auto counts = (p > zero) & ~q_zero;
    const auto beyond = counts & (y < least_y_);
    too_large = too_large || xsimd::any(beyond);
    counts = counts & ~beyond;
    const B x_counted = choose(counts, x, p_row_.largest());
    const B y_counted = choose(counts, y, q_row_.largest());
    B d;
    if constexpr (Careful) {
      p *= p_factor_;
      d = (q_row_.distance(y_counted) - p_row_.distance(x_counted)) - shift;
    } else {
      d = p_row_.difference(x_counted, y_counted) - shift;
    }
    const auto fits = d <= B(most);
    too_large = too_large || !xsimd::all(fits);
    d = choose(fits, d, zero);
    const auto is_close = abs(d) <= one;
    const B d_close = choose(is_close, d, zero);
    // In this order the square of a tiny d does not underflow.
    const B close = (p * d_close) * (d_close * exp_remainder(d_close));
    const auto q_outweighs = d < B(least);
    const B apart = p * ((d - one) + exp2_(choose(q_outweighs, zero, zero - d)).value());
    B term = choose(is_close, close, apart);
    if (!xsimd::all((d >= B(least)) & counts)) {
      const B q = q_row_.weight(y).value() * q_factor_;
      term = choose(q_outweighs, multiply_add(p, choose(q_outweighs, d, zero) - one, q), term);
      term = choose(p == zero, q, term);
      const auto p_only = q_zero & ~p_zero;
      infinite = infinite || xsimd::any(p_only);
      term = choose(p_only, zero, term);
    }
    // The second sum is p (1 - exp(-d)), which only has a meaning where all d are small.
    return {{term, choose(p > zero, p * d_close - close, zero)}};
  }

 private:
  /// A logit of q that gives a d of about twice most, if there is one; one below it might overflow.
  GIBBS_INLINE static T least_logit(const temperature<T>& t, T q_largest) {
    constexpr T lowest = std::numeric_limits<T>::lowest();
    // Written so that nothing overflows, even where a compiler computes what is not needed.
    const bool none = t.limit != temperature<T>::kind::finite || (Careful && t.value >= 2);
    const double q = static_cast<double>(q_largest);
    const double factor = 2 * static_cast<double>(most);
    const double room = ((q < 0 ? q : 0.0) - static_cast<double>(lowest)) * 0.99 / factor;
    const double reach = factor * (t.value < room ? t.value : room);
    return static_cast<T>(none ? static_cast<double>(lowest) : q - reach);
  }

  static constexpr double log2e_hi = 1.44269504088896340736;

  const row& p_row_;
  const row& q_row_;
  B p_factor_;
  B q_factor_;
  bool greedy_;
  B least_y_;
  scaled_exp2<T, Arch> exp2_;
};

/// The divergence where it is so large, or nearly so, that one d overflows: the sum of p d, as the
/// sum of p - q is 0, element by element in more digits.
template <class T, class Arch>
T kl_from_logits_large(const T* x, const T* y, std::size_t n, const logits_total<T>& p,
                       const logits_total<T>& q, const temperature<T>& t) {
  const wide<T> log_p_sum = p.log_scaled_sum();
  const wide<T> shift = log_p_sum - q.log_scaled_sum();
  wide<T> sum(0.0);
  for (std::size_t i = 0; i < n; ++i) {
    if (static_cast<double>(p.largest / 4 - x[i] / 4) > 200 * t.value) {
      // p is 0 to any number of digits, and its product with d, too.
      if (y[i] == -infinity<T> && x[i] != -infinity<T>) return infinity<T>;
      continue;
    }
    const double log_p = -static_cast<double>(t.difference(p.largest, x[i]) + log_p_sum);
    const T weight = static_cast<T>(::exp(log_p));
    if (x[i] == -infinity<T> || (weight == 0 && y[i] != -infinity<T>)) continue;
    if (y[i] == -infinity<T>) return infinity<T>;
    sum = sum + (t.difference(q.largest, y[i], weight) - t.difference(p.largest, x[i], weight) -
                 wide<T>(weight) * shift);
  }
  return static_cast<T>(sum);
}

template <bool Careful, class T, class Arch>
T kl_from_logits_sum(const T* x, const T* y, std::size_t n, const logits_total<T>& p,
                     const logits_total<T>& q, const temperature<T>& t) {
  using B = batch<T, Arch>;
  using row = logits_row<T, Arch, Careful>;
  const row p_row(t, p.largest);
  const row q_row(t, q.largest);
  const wide<T> p_sum = p_row.largest_weight() * (p.rest + wide<T>(1.0));
  const wide<T> q_sum = q_row.largest_weight() * (q.rest + wide<T>(1.0));
  const wide<T> one(1.0);
  const kl_from_logits_term<Careful, T, Arch> term(
      p_row, q_row, static_cast<T>(one / p_sum),
      static_cast<T>(Careful ? one / q_sum : p_sum / q_sum), t, q.largest);

  // d = log(p / q) is the difference of the logits over T where that is accurate, of their
  // distances from the largest where it might overflow; less the difference of what belongs to the
  // rows.
  const wide<T> log_p_sum = p.log_scaled_sum();
  const wide<T> log_q_sum = q.log_scaled_sum();
  wide<T> shift = log_p_sum - log_q_sum;
  if constexpr (!Careful) {
    shift = shift + (p.largest >= q.largest ? t.difference(p.largest, q.largest)
                                            : -t.difference(q.largest, p.largest));
  }
  const wide<T> scale = Careful ? one : p_sum;
  for (bool refined = false;; refined = true) {
    const B shift_batch(static_cast<T>(shift));
    bool infinite = false;
    bool too_large = false;
    sums<T, Arch, 2> all;
    sweep_sums<pace_of<row>, T, Arch, 2>(
        all, n,
        [&](const B& v, const B& w) { return term(v, w, shift_batch, infinite, too_large); },
        input<T>{x, -infinity<T>}, input<T>{y, -infinity<T>});
    if (infinite) return infinity<T>;
    const wide<T> result = all.total(0) / scale;
    if (too_large || !is_finite(static_cast<double>(result))) {
      if constexpr (!Careful) {
        // Weights have room above them for all but the largest d.
        return kl_from_logits_sum<true, T, Arch>(x, y, n, p, q, t);
      } else {
        return kl_from_logits_large<T, Arch>(x, y, n, p, q, t);
      }
    }
    // An error of the shift enters squared. Where that could be seen, the second sum tells the
    // error.
    const double error = 0x1p-51 * static_cast<double>(log_p_sum + log_q_sum);
    const double visible = error * error / static_cast<double>(std::numeric_limits<T>::epsilon());
    if (refined || !(static_cast<double>(result) < visible)) return static_cast<T>(result);
    shift = wide<T>(static_cast<T>(shift)) + all.total(1) / scale;
  }
}

template <class T, class Arch>
T kl_from_logits_row(const T* x, const T* y, std::size_t n, const temperature<T>& t) {
  if (n == 0) return 0;
  const auto p = total_of_row<T, Arch>(x, n, t);
  const auto q = total_of_row<T, Arch>(y, n, t);
  const double all = static_cast<double>(p.rest + q.rest);
  if (!is_finite(all) || p.largest == -infinity<T> || q.largest == -infinity<T>) {
    return std::numeric_limits<T>::quiet_NaN();
  }
  using plain = logits_row<T, Arch, false>;
  if (plain::is_plain(t, p.largest) && plain::is_plain(t, q.largest)) {
    return kl_from_logits_sum<false, T, Arch>(x, y, n, p, q, t);
  }
  return kl_from_logits_sum<true, T, Arch>(x, y, n, p, q, t);
}

template <class T, class Arch>
void kl_divergence_rows(matrix_view<const T> p, matrix_view<const T> q, T* results) {
  for (std::size_t i = 0; i < p.rows(); ++i) {
    results[i] = kl_divergence_row<T, Arch>(p.data() + i * p.row_stride(),
                                            q.data() + i * q.row_stride(), p.columns());
  }
}

template <class T, class Arch>
void kl_divergence_from_logits_rows(matrix_view<const T> p_logits, matrix_view<const T> q_logits,
                                    T* results, double at_temperature) {
  const temperature<T> t(at_temperature);
  for (std::size_t i = 0; i < p_logits.rows(); ++i) {
    results[i] = kl_from_logits_row<T, Arch>(p_logits.data() + i * p_logits.row_stride(),
                                             q_logits.data() + i * q_logits.row_stride(),
                                             p_logits.columns(), t);
  }
}

}  // namespace detail

template <class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(matrix_view<P> p, matrix_view<Q> q, Results&& results) {
  detail::check_same_shape("kl_divergence", "p", p, "q", q);
  detail::check_results("kl_divergence", std::ranges::data(results), std::ranges::size(results),
                        p.rows(), p, q);
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
void kl_divergence_from_logits(matrix_view<P> p_logits, matrix_view<Q> q_logits, Results&& results,
                               const logit_options& options) {
  constexpr auto function = "kl_divergence_from_logits";
  detail::check_temperature(function, options);
  detail::check_same_shape(function, "p_logits", p_logits, "q_logits", q_logits);
  detail::check_results(function, std::ranges::data(results), std::ranges::size(results),
                        p_logits.rows(), p_logits, q_logits);
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
