// SPDX-License-Identifier: MIT
//
// entropy: of probabilities and of logits; nats to bits.
#ifndef GIBBS_ENTROPY_HPP
#define GIBBS_ENTROPY_HPP

#include <numbers>

#include "accuracy.hpp"
#include "detail/arguments.hpp"
#include "detail/log.hpp"
#include "detail/logits.hpp"

namespace gibbs {

/// nats / ln 2: what is measured in nats, in bits.
template <std::floating_point T>
constexpr T to_bits(T nats) {
  return nats * std::numbers::log2e_v<T>;
}

/// -(sum over i of p[i] log p[i]), in nats. p is taken as it is: it is not normalised.
///
/// Accuracy: accuracy::entropy ulp for probabilities up to 1; where terms of both signs meet (p[i]
/// > 1), of the sum of their absolute values.
///
/// Special values: 0 log 0 is 0. An empty row gives 0. NaN or a negative number in p gives NaN.
template <detail::float_range P, class Arch = detail::default_arch>
detail::element<P> entropy(const P& p);

/// The same for each row of a matrix: results[i] belongs to row i.
///
/// Errors: std::invalid_argument if results does not have as many elements as there are rows;
/// nothing is written then.
template <class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy(matrix_view<In> p, Results&& results);

/// The entropy, in nats, of softmax(logits, options), computed as log1p(rest) + the weighted mean
/// of (max - x) / T: two numbers that are not negative.
///
/// Accuracy: accuracy::entropy_from_logits ulp.
///
/// Special values: -infinity is a mask and adds nothing. NaN, +infinity or nothing but -infinity
/// give NaN. One element gives exactly 0, an empty row 0. Temperature 0: the logarithm of the
/// number of maxima. Temperature +infinity: the logarithm of the number of elements that are not
/// -infinity.
///
/// Errors: std::invalid_argument for a temperature less than 0 or NaN.
template <detail::float_range Logits, class Arch = detail::default_arch>
detail::element<Logits> entropy_from_logits(const Logits& logits,
                                            const logit_options& options = {});

/// The same for each row of a matrix: results[i] belongs to row i.
template <class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy_from_logits(matrix_view<In> logits, Results&& results,
                         const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Arch>
T entropy_row(const T* p, std::size_t n) {
  using B = batch<T, Arch>;
  sums<T, Arch, 1> all;
  bool never = false;
  sweep_sums<pace::fast, T, Arch, 1>(
      all, n, [&](const B& v) { return terms<T, Arch, 1>{{v * log_or_nan(v, v, never)}}; },
      input<T>{p, T(0)});
  return static_cast<T>(wide<T>(0.0) - all.total(0));
}

template <class T, class Arch>
T entropy_from_logits_row(const T* x, std::size_t n, const temperature<T>& t) {
  using B = batch<T, Arch>;
  if (n == 0) return 0;
  const T largest = sweep_max<T, Arch>(n, x);
  if (!is_finite(static_cast<double>(largest))) return std::numeric_limits<T>::quiet_NaN();
  return visit_row<T, Arch>(t, largest, [&](const auto& row) {
    sums<T, Arch, 4> all;
    sweep_sums<pace_of<decltype(row)>, T, Arch, 4>(
        all, n,
        [&](const B& v) {
          auto added = weight_terms<4>(row, v);
          const B weight = added.of[0] + added.of[1];
          // 0 times the distance of a masked element is 0.
          const B counted = choose(added.of[0] == B(T(0)), row.largest(), v);
          added.of[3] = weight * row.distance(counted);
          return added;
        },
        input<T>{x, -infinity<T>});
    const auto total = total_of(row, largest, all);
    const wide<T> distances = all.total(3) / row.largest_weight();
    return static_cast<T>(total.log_scaled_sum() + distances / (total.rest + wide<T>(1.0)));
  });
}

template <class T, class Arch>
void entropy_rows(matrix_view<const T> p, T* results) {
  for (std::size_t i = 0; i < p.rows(); ++i) {
    results[i] = entropy_row<T, Arch>(p.data() + i * p.row_stride(), p.columns());
  }
}

template <class T, class Arch>
void entropy_from_logits_rows(matrix_view<const T> logits, T* results, double at_temperature) {
  const temperature<T> t(at_temperature);
  for (std::size_t i = 0; i < logits.rows(); ++i) {
    results[i] = entropy_from_logits_row<T, Arch>(logits.data() + i * logits.row_stride(),
                                                  logits.columns(), t);
  }
}

}  // namespace detail

template <class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy(matrix_view<In> p, Results&& results) {
  detail::check_results("entropy", std::ranges::data(results), std::ranges::size(results), p.rows(),
                        p);
  detail::entropy_rows<std::remove_const_t<In>, Arch>(p, std::ranges::data(results));
}

template <detail::float_range P, class Arch>
detail::element<P> entropy(const P& p) {
  detail::element<P> result;
  detail::entropy_rows<detail::element<P>, Arch>(detail::as_row(p), &result);
  return result;
}

template <class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy_from_logits(matrix_view<In> logits, Results&& results, const logit_options& options) {
  detail::check_temperature("entropy_from_logits", options);
  detail::check_results("entropy_from_logits", std::ranges::data(results),
                        std::ranges::size(results), logits.rows(), logits);
  detail::entropy_from_logits_rows<std::remove_const_t<In>, Arch>(
      logits, std::ranges::data(results), options.temperature);
}

template <detail::float_range Logits, class Arch>
detail::element<Logits> entropy_from_logits(const Logits& logits, const logit_options& options) {
  detail::check_temperature("entropy_from_logits", options);
  detail::element<Logits> result;
  detail::entropy_from_logits_rows<detail::element<Logits>, Arch>(detail::as_row(logits), &result,
                                                                  options.temperature);
  return result;
}

}  // namespace gibbs

#endif  // GIBBS_ENTROPY_HPP
