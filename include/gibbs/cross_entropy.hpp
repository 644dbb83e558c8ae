// SPDX-License-Identifier: MIT
//
// cross_entropy: of two distributions, of logits and a label, of logits and a target distribution.
#ifndef GIBBS_CROSS_ENTROPY_HPP
#define GIBBS_CROSS_ENTROPY_HPP

#include "accuracy.hpp"
#include "detail/arguments.hpp"
#include "detail/log.hpp"
#include "detail/logits.hpp"

namespace gibbs {

/// -(sum over i of p[i] log q[i]), in nats.
///
/// Accuracy: accuracy::cross_entropy ulp for probabilities up to 1; where terms of both signs meet
/// (q[i] > 1), of the sum of their absolute values.
///
/// Special values: where p[i] is 0 the term is 0, also for q[i] = 0; where only q[i] is 0 the
/// result is +infinity. Empty rows give 0. NaN or a negative number in p or q gives NaN.
///
/// Errors: std::invalid_argument if the sizes differ.
template <detail::float_range P, detail::range_of<detail::element<P>> Q,
          class Arch = detail::default_arch>
detail::element<P> cross_entropy(const P& p, const Q& q);

/// The same for each row of two matrices: results[i] belongs to row i. Errors: also if results does
/// not have as many elements as there are rows; nothing is written then.
template <class P, class Q, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void cross_entropy(matrix_view<P> p, matrix_view<Q> q, Results&& results);

/// -log softmax(logits, options)[label], in nats: the loss of a classifier. It is computed as
/// (max - logits[label]) / T + log1p(rest), so that a loss of 1e-20 is not 0.
///
/// Accuracy: accuracy::cross_entropy_from_logits ulp.
///
/// Special values: a label on a logit of -infinity gives +infinity. NaN, +infinity or nothing but
/// -infinity in logits give NaN. One element gives exactly 0. Temperature 0: the logarithm of the
/// number of maxima if the label is one of them, else +infinity. Temperature +infinity: the
/// logarithm of the number of elements that are not -infinity.
///
/// Errors: std::invalid_argument if label is less than 0 or not less than the number of logits, or
/// for a temperature less than 0 or NaN.
template <detail::float_range Logits, detail::label_type Label, class Arch = detail::default_arch>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, Label label,
                                                  const logit_options& options = {});

/// The same for each row of a matrix: labels[i] and results[i] belong to row i.
template <class In, detail::label_range Labels, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(matrix_view<In> logits, const Labels& labels, Results&& results,
                               const logit_options& options = {});

/// -(sum over i of target[i] log softmax(logits, options)[i]), in nats; target is not normalised.
///
/// Accuracy: accuracy::cross_entropy_from_logits ulp.
///
/// Special values: where target[i] is 0 the term is 0, also for a logit of -infinity; where it is
/// not 0 and the logit is -infinity the result is +infinity. NaN, +infinity or nothing but
/// -infinity in logits, NaN or a negative number in target give NaN. Empty rows give 0.
///
/// Errors: std::invalid_argument if the sizes differ, or for a temperature less than 0 or NaN.
template <detail::float_range Logits, detail::range_of<detail::element<Logits>> Target,
          class Arch = detail::default_arch>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, const Target& target,
                                                  const logit_options& options = {});

/// The same for each row of two matrices: results[i] belongs to row i.
template <class In, class Target, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(matrix_view<In> logits, matrix_view<Target> target,
                               Results&& results, const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Arch>
T cross_entropy_row(const T* p, const T* q, std::size_t n) {
  using B = batch<T, Arch>;
  sums<T, Arch, 1> all;
  bool infinite = false;
  sweep_sums<pace::fast, T, Arch, 1>(
      all, n,
      [&](const B& a, const B& b) { return terms<T, Arch, 1>{{a * log_or_nan(a, b, infinite)}}; },
      input<T>{p, T(0)}, input<T>{q, T(0)});
  return with_infinite_terms(static_cast<T>(wide<T>(0.0) - all.total(0)), infinite);
}

template <class T, class Arch>
T cross_entropy_label_row(const T* x, std::size_t n, std::size_t label, const temperature<T>& t) {
  const auto total = total_of_row<T, Arch>(x, n, t);
  if (total.largest == -infinity<T>) return std::numeric_limits<T>::quiet_NaN();
  return static_cast<T>(t.difference(total.largest, x[label]) + total.log_scaled_sum());
}

/// For rows with a large maximum or an extreme temperature: distances from the maximum may overflow
/// where their products with small probabilities do not.
template <class T, class Arch>
T cross_entropy_target_careful(const T* x, const T* target, std::size_t n,
                               const temperature<T>& t) {
  const auto total = total_of_row<T, Arch>(x, n, t);
  wide<T> distances(0.0);
  wide<T> mass(0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const T p = target[i];
    if (!(p >= 0)) return std::numeric_limits<T>::quiet_NaN();
    if (p > 0) distances = distances + t.difference(total.largest, x[i], p);
    mass = mass + wide<T>(p);
  }
  return static_cast<T>(distances + mass * total.log_scaled_sum());
}

template <class T, class Arch>
T cross_entropy_target_row(const T* x, const T* target, std::size_t n, const temperature<T>& t) {
  using B = batch<T, Arch>;
  if (n == 0) return 0;
  const T largest = sweep_max<T, Arch>(n, x);
  if (!is_finite(static_cast<double>(largest))) return std::numeric_limits<T>::quiet_NaN();
  if (!logits_row<T, Arch, false>::is_plain(t, largest)) {
    return cross_entropy_target_careful<T, Arch>(x, target, n, t);
  }
  const logits_row<T, Arch, false> row(t, largest);
  sums<T, Arch, 5> all;
  bool infinite = false;
  sweep_sums<pace::fast, T, Arch, 5>(
      all, n,
      [&](const B& v, const B& p) {
        auto added = weight_terms<5>(row, v);
        const B zero(T(0));
        // 0 times the distance of a masked element is 0; infinite terms stay out of the sum.
        const auto masked = v == B(-infinity<T>);
        infinite = infinite || xsimd::any(masked & (p > zero));
        const B counted = choose((p == zero) | masked, row.largest(), v);
        added.of[3] = choose(p < zero, B(std::numeric_limits<T>::quiet_NaN()),
                             p * row.distance_times_t(counted));
        added.of[4] = p;
        return added;
      },
      input<T>{x, -infinity<T>}, input<T>{target, T(0)});
  const auto total = total_of(row, largest, all);
  return with_infinite_terms(
      static_cast<T>(all.total(3) / wide<T>(t.value) + all.total(4) * total.log_scaled_sum()),
      infinite);
}

template <class T, class Arch>
void cross_entropy_rows(matrix_view<const T> p, matrix_view<const T> q, T* results) {
  for (std::size_t i = 0; i < p.rows(); ++i) {
    results[i] = cross_entropy_row<T, Arch>(p.data() + i * p.row_stride(),
                                            q.data() + i * q.row_stride(), p.columns());
  }
}

template <class T, class Arch, class Label>
void cross_entropy_label_rows(matrix_view<const T> logits, const Label* labels, T* results,
                              double at_temperature) {
  const temperature<T> t(at_temperature);
  for (std::size_t i = 0; i < logits.rows(); ++i) {
    results[i] =
        cross_entropy_label_row<T, Arch>(logits.data() + i * logits.row_stride(), logits.columns(),
                                         static_cast<std::size_t>(labels[i]), t);
  }
}

template <class T, class Arch>
void cross_entropy_target_rows(matrix_view<const T> logits, matrix_view<const T> target, T* results,
                               double at_temperature) {
  const temperature<T> t(at_temperature);
  for (std::size_t i = 0; i < logits.rows(); ++i) {
    results[i] = cross_entropy_target_row<T, Arch>(logits.data() + i * logits.row_stride(),
                                                   target.data() + i * target.row_stride(),
                                                   logits.columns(), t);
  }
}

}  // namespace detail

template <class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void cross_entropy(matrix_view<P> p, matrix_view<Q> q, Results&& results) {
  detail::check_same_shape("cross_entropy", "p", p, "q", q);
  detail::check_results("cross_entropy", std::ranges::data(results), std::ranges::size(results),
                        p.rows(), p, q);
  detail::cross_entropy_rows<std::remove_const_t<P>, Arch>(p, q, std::ranges::data(results));
}

template <detail::float_range P, detail::range_of<detail::element<P>> Q, class Arch>
detail::element<P> cross_entropy(const P& p, const Q& q) {
  using T = detail::element<P>;
  T result[1];
  cross_entropy<const T, const T, T(&)[1], Arch>(detail::as_row(p), detail::as_row(q), result);
  return result[0];
}

template <class In, detail::label_range Labels, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(matrix_view<In> logits, const Labels& labels, Results&& results,
                               const logit_options& options) {
  constexpr auto function = "cross_entropy_from_logits";
  detail::check_temperature(function, options);
  detail::check_size(function, "labels", std::ranges::size(labels), logits.rows());
  detail::check_results(function, std::ranges::data(results), std::ranges::size(results),
                        logits.rows(), logits);
  detail::check_labels(function, std::ranges::data(labels), logits.rows(), logits.columns());
  detail::cross_entropy_label_rows<std::remove_const_t<In>, Arch>(
      logits, std::ranges::data(labels), std::ranges::data(results), options.temperature);
}

template <detail::float_range Logits, detail::label_type Label, class Arch>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, Label label,
                                                  const logit_options& options) {
  using T = detail::element<Logits>;
  detail::check_temperature("cross_entropy_from_logits", options);
  detail::check_label("cross_entropy_from_logits", label, std::ranges::size(logits));
  T result;
  detail::cross_entropy_label_rows<T, Arch>(detail::as_row(logits), &label, &result,
                                            options.temperature);
  return result;
}

template <class In, class Target, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(matrix_view<In> logits, matrix_view<Target> target,
                               Results&& results, const logit_options& options) {
  constexpr auto function = "cross_entropy_from_logits";
  detail::check_temperature(function, options);
  detail::check_same_shape(function, "logits", logits, "target", target);
  detail::check_results(function, std::ranges::data(results), std::ranges::size(results),
                        logits.rows(), logits, target);
  detail::cross_entropy_target_rows<std::remove_const_t<In>, Arch>(
      logits, target, std::ranges::data(results), options.temperature);
}

template <detail::float_range Logits, detail::range_of<detail::element<Logits>> Target, class Arch>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, const Target& target,
                                                  const logit_options& options) {
  using T = detail::element<Logits>;
  T result[1];
  cross_entropy_from_logits<const T, const T, T(&)[1], Arch>(
      detail::as_row(logits), detail::as_row(target), result, options);
  return result[0];
}

}  // namespace gibbs

#endif  // GIBBS_CROSS_ENTROPY_HPP
