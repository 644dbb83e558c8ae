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

/// sum over i of p[i] log(p[i] / q[i]) - p[i] + q[i], in nats (SciPy's kl_div): for distributions this is
/// the Kullback-Leibler divergence of p from q; it cannot be negative (Gibbs' inequality, term by term), it
/// is 0 where p == q and only there, and that p and q were rounded does not drown it.
///
/// Accuracy: accuracy::kl_divergence ulp, also where p and q differ in their last bits.
///
/// Special values: where p[i] is 0 the term is q[i]; where only q[i] is 0 the result is +infinity. Empty rows
/// give 0. NaN, infinity or a negative number in p or q gives NaN.
///
/// Errors: std::invalid_argument if the sizes differ.
template <detail::float_range P, detail::range_of<detail::element<P>> Q,
          class Arch = detail::default_arch>
detail::element<P> kl_divergence(const P& p, const Q& q);

/// The same for each row of two matrices: results[i] belongs to row i. Errors: also if results does not have
/// as many elements as there are rows; nothing is written then.
template <class P, class Q, class Results, class Arch = detail::default_arch>
  requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(matrix_view<P> p, matrix_view<Q> q, Results&& results);

/// The Kullback-Leibler divergence, in nats, of softmax(p_logits, options) from softmax(q_logits, options). With
/// d = log(p / q) it is the sum of p (d - 1 + exp(-d)): terms that are never negative.
///
/// Accuracy: accuracy::kl_divergence_from_logits ulp, or the condition of the input if that is larger. Equal
/// rows give exactly 0, rows that differ by a constant at most of the order of epsilon squared.
///
/// Special values: where p_logits[i] is -infinity only q's mass counts; where only q_logits[i] is, the result
/// is +infinity. NaN, +infinity or nothing but -infinity in one of them give NaN. Empty rows give 0.
/// Temperatures 0 and +infinity: the divergence of the limits.
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
GIBBS_INLINE batch<T, Arch> kl_term_or_limit(const batch<T, Arch>& p, const batch<T, Arch>& q) {
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
  const B term = kl_term<false, T, Arch>(choose(regular, p, one),
                                         choose(regular, q, one));
  const B limit = choose(p == zero, q, B(infinity<T>));
  const auto valid = (p >= zero) & (q >= zero) & (p <= most) & (q <= most);
  return choose(valid, choose(regular, term, limit),
                         B(std::numeric_limits<T>::quiet_NaN()));
}

template <class T, class Arch>
T kl_divergence_row(const T* p, const T* q, std::size_t n) {
  using B = batch<T, Arch>;
  sums<T, Arch, 1> all;
  sweep_sums<pace::fast, T, Arch, 1>(
      all, n,
      [](const B& a, const B& b) { return terms<T, Arch, 1>{{kl_term_or_limit(a, b)}}; },
      input<T>{p, T(0)}, input<T>{q, T(0)});
  return static_cast<T>(all.total(0));
}

/// weight * (d - 1 + exp(-d)) for one batch, where weight exp(-d) is q_weight * ratio.
template <class T, class Arch>
class kl_from_logits_term {
  using B = batch<T, Arch>;

  /// Below this d the weight of p is so much smaller than that of q that the latter is used.
  static constexpr T least = T(-40);

 public:
  GIBBS_INLINE explicit kl_from_logits_term(wide<T> ratio)
      : ratio_(static_cast<T>(ratio)),
        exp2_(split<T>(T(1.44269504088896340736), T(0x1.777d0ffda0d24p-56)),
              T(scaled_exp2<T, Arch>::headroom * 0.69314718055994530942)) {}

  template <class Row>
  GIBBS_INLINE B operator()(const Row& p_row, const Row& q_row, const B& x, const B& y,
                            const B& d) const {
    const B zero(T(0));
    const B one(T(1));
    const B weight = p_row.weight(x).value();
    const B close = (d * d) * exp_remainder(d);
    B apart = (d - one) + exp2_(zero - d).value();
    B term = weight * choose(abs(d) <= one, close, apart);
    if (!xsimd::all((d >= B(least)) & (d <= B((std::numeric_limits<T>::max)())))) {
      const B q_weight = q_row.weight(y).value() * ratio_;
      const B far = choose(weight == zero, q_weight, multiply_add(weight, d - one, q_weight));
      const B negative_infinity(-infinity<T>);
      term = choose((d < B(least)) | (x == negative_infinity), far, term);
      term = choose((y == negative_infinity) & (x > negative_infinity), B(infinity<T>), term);
      term = choose((x == x) & (y == y), term, x + y);
    }
    return term;
  }

 private:
  B ratio_;
  scaled_exp2<T, Arch> exp2_;
};

template <bool Careful, class T, class Arch>
T kl_from_logits_sum(const T* x, const T* y, std::size_t n, const logits_total<T>& p,
                     const logits_total<T>& q, const temperature<T>& t) {
  using B = batch<T, Arch>;
  const logits_row<T, Arch, Careful> p_row(t, p.largest);
  const logits_row<T, Arch, Careful> q_row(t, q.largest);
  const wide<T> p_sum = p_row.largest_weight() * (p.rest + wide<T>(1.0));
  const wide<T> q_sum = q_row.largest_weight() * (q.rest + wide<T>(1.0));
  const kl_from_logits_term<T, Arch> term(p_sum / q_sum);
  const wide<T> log_sums = p.log_scaled_sum() - q.log_scaled_sum();
  const bool p_first = p.largest >= q.largest;
  const wide<T> between = p_first ? t.difference(p.largest, q.largest)
                                  : -t.difference(q.largest, p.largest);
  const bool at_limit = t.limit != temperature<T>::kind::finite;
  const B shift(static_cast<T>(at_limit ? log_sums : between + log_sums));

  sums<T, Arch, 1> all;
  sweep_sums<pace_of<decltype(p_row)>, T, Arch, 1>(
      all, n,
      [&](const B& v, const B& w) {
        const B d = (at_limit ? q_row.distance(w) - p_row.distance(v) : p_row.difference(v, w)) - shift;
        return terms<T, Arch, 1>{{term(p_row, q_row, v, w, d)}};
      },
      input<T>{x, -infinity<T>}, input<T>{y, -infinity<T>});
  return static_cast<T>(all.total(0) / p_sum);
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
  detail::check_size("kl_divergence", "results", std::ranges::size(results), p.rows());
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
  detail::check_size(function, "results", std::ranges::size(results), p_logits.rows());
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
