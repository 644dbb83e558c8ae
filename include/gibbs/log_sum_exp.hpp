// SPDX-License-Identifier: MIT
//
// log_sum_exp: the logarithm of a sum of exponentials, the log partition function of a Gibbs
// distribution. And what it has in common with the cross-entropy of a label.
#ifndef GIBBS_LOG_SUM_EXP_HPP
#define GIBBS_LOG_SUM_EXP_HPP

#include <cstddef>
#include <limits>

#include "accuracy.hpp"
#include "detail/arguments.hpp"
#include "detail/labels.hpp"
#include "detail/log.hpp"
#include "detail/logits.hpp"

namespace gibbs {

/// log(sum over i of exp(logits[i] / temperature)), natural logarithm.
///
/// Accuracy: accuracy::log_sum_exp ulp of the larger of |max / temperature| and |log of the sum of
/// exp((x - max) / temperature)|: log_sum_exp({0, -40}) is 4.248354255291589e-18, not 0. It is
/// computed as max / T + log1p(sum of exp((x - max) / T) over all elements but one maximum).
///
/// Special values: an empty row and a row of -infinity give -infinity; +infinity gives +infinity;
/// NaN gives NaN. Temperature 0: +infinity for a maximum above 0, -infinity for one below 0, the
/// logarithm of the number of maxima for 0. Temperature +infinity: the logarithm of the number of
/// elements that are not -infinity.
///
/// Errors: std::invalid_argument for a temperature less than 0 or NaN.
template <detail::float_range Logits, class Arch = detail::default_arch>
detail::element<Logits> log_sum_exp(const Logits& logits, const logit_options& options = {});

/// The same for each row of a matrix: results[i] belongs to row i. Errors: also if results does not
/// have as many elements as there are rows; nothing is written then.
template <class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void log_sum_exp(const matrix_view<In>& logits, Results&& results,
                 const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// Of plain rows, a lane a row, with `above` in the place of their maxima.
template <class T, class Arch, std::size_t N>
GIBBS_PART batch<T, Arch> log_sum_exp_of(const plain_totals<T, Arch, N>& totals,
                                         const temperature<T>& t,
                                         const wide_batch<T, Arch>& above) {
  return (above * in_all_lanes<T, Arch>(t.inverse) + totals.log_sum()).value();
}
template <class T, class Arch, std::size_t N>
GIBBS_PART batch<T, Arch> log_sum_exp_of(const plain_totals<T, Arch, N>& totals,
                                         const temperature<T>& t) {
  return log_sum_exp_of(totals, t, {totals.largest, batch<T, Arch>(T(0))});
}

/// Any row.
template <class T, class Arch, class ForParts>
GIBBS_KERNEL T log_sum_exp_row(const T* x, std::size_t n, const temperature<T>& t,
                               ForParts for_parts) {
  return log_sum_exp_of<T, Arch>(sum_of_row<T, Arch>(x, n, t, for_parts), t);
}

/// Likewise less x[label] / T: the cross-entropy of the label.
template <class T, class Arch, class ForParts>
GIBBS_KERNEL T cross_entropy_label_row(const T* x, std::size_t n, std::size_t label,
                                       const temperature<T>& t, ForParts for_parts) {
  const auto sum = sum_of_row<T, Arch>(x, n, t, for_parts);
  if (!is_finite(static_cast<double>(sum.largest))) return std::numeric_limits<T>::quiet_NaN();
  return static_cast<T>(t.difference(sum.largest, x[label]) + sum.log_mass());
}

/// Differences of logits up to this much can be divided by a moderate temperature without overflow.
template <class T>
GIBBS_INLINE T largest_difference(const temperature<T>& t) {
  return (std::numeric_limits<T>::max)() / 2 / (1 + t.inverse.hi);
}

/// The log-sum-exp of each row; where there are labels, less the logit of the row's label over T.
template <class T, class Arch>
GIBBS_KERNEL void log_sum_exp_or_label_rows(const matrix_view<const T>& logits,
                                            const label_view* labels, T* results,
                                            double at_temperature) {
  const temperature<T> t(at_temperature);
  const T lowest = -largest_difference(t);
  reduce_logits<T, Arch>(
      results, t, weight_sums(),
      [&]<class A>(std::size_t first, std::size_t rows, const plain_totals<T, A, 3>& totals) {
        using B = batch<T, A>;
        using wide_type = wide_batch<T, A>;
        B largest = totals.largest;
        wide_type above{largest, B(T(0))};
        auto valid = largest == largest;
        if (labels != nullptr) {
          alignas(64) T at_label[lanes<T, A>] = {};
          for (std::size_t r = 0; r < rows; ++r) {
            at_label[r] = row_of(logits, first + r)[(*labels)[first + r]];
          }
          B x = read<T, A>(at_label);
          valid = (x > B(lowest)) & (x <= largest);
          above = wide_type::sum(largest, -choose(valid, x, largest));
        }
        B value = log_sum_exp_of(totals, t, above);
        return row_results<T, A>{value, valid & (value == value)};
      },
      [&](std::size_t i) {
        const T* x = row_of(logits, i);
        const std::size_t n = logits.columns();
        if (labels == nullptr) return log_sum_exp_row<T, Arch>(x, n, t, one_by_one());
        return cross_entropy_label_row<T, Arch>(x, n, (*labels)[i], t, one_by_one());
      },
      logits);
}

template <class T, class Arch>
GIBBS_KERNEL void log_sum_exp_rows(const matrix_view<const T>& logits, T* results,
                                   double at_temperature) {
  log_sum_exp_or_label_rows<T, Arch>(logits, nullptr, results, at_temperature);
}

}  // namespace detail

template <detail::float_range Logits, class Arch>
detail::element<Logits> log_sum_exp(const Logits& logits, const logit_options& options) {
  detail::check_temperature("log_sum_exp", options);
  detail::element<Logits> result;
  detail::log_sum_exp_rows<detail::element<Logits>, Arch>(detail::as_row(logits), &result,
                                                          options.temperature);
  return result;
}

template <class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void log_sum_exp(const matrix_view<In>& logits, Results&& results, const logit_options& options) {
  detail::check_temperature("log_sum_exp", options);
  detail::check_results("log_sum_exp", results, logits);
  detail::log_sum_exp_rows<std::remove_const_t<In>, Arch>(logits, std::ranges::data(results),
                                                          options.temperature);
}

}  // namespace gibbs

#endif  // GIBBS_LOG_SUM_EXP_HPP
