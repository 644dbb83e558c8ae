// SPDX-License-Identifier: MIT
//
// softmax and log_softmax: from logits to probabilities and log-probabilities.
#ifndef GIBBS_SOFTMAX_HPP
#define GIBBS_SOFTMAX_HPP

#include "accuracy.hpp"
#include "detail/arguments.hpp"
#include "detail/logits.hpp"
#include "log_sum_exp.hpp"

namespace gibbs {

/// out[i] = exp(logits[i] / temperature) / sum over j of exp(logits[j] / temperature). out may be
/// logits itself.
///
/// Accuracy: accuracy::softmax ulp each, whatever the range of the logits and the temperature;
/// subnormal results within accuracy::softmax_subnormal of their last place.
///
/// Special values: -infinity is a mask and gets exactly 0; a finite logit is never one. NaN,
/// +infinity or nothing but -infinity make the whole row NaN. One element gets exactly 1. An empty
/// row writes nothing. Temperature 0: the mass is shared equally by the maxima. Temperature
/// +infinity: uniform over the elements that are not -infinity.
///
/// Errors: std::invalid_argument, with nothing written, if the sizes differ, if out overlaps logits
/// without being logits itself, or for a temperature less than 0 or NaN.
template <detail::float_range Logits, class Out, class Arch = detail::default_arch>
requires detail::output_of<Out, detail::element<Logits>>
void softmax(const Logits& logits, Out&& out, const logit_options& options = {});

/// The same for each row of a matrix.
template <class In, class Arch = detail::default_arch>
void softmax(matrix_view<In> logits, matrix_view<std::remove_const_t<In>> out,
             const logit_options& options = {});

/// softmax(logits, out, options), and returns log_sum_exp(logits, options).
template <detail::float_range Logits, class Out, class Arch = detail::default_arch>
requires detail::output_of<Out, detail::element<Logits>> detail::element<Logits>
softmax_with_log_sum_exp(const Logits& logits, Out&& out, const logit_options& options = {});

/// The same for each row of a matrix: results[i] belongs to row i.
template <class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void softmax_with_log_sum_exp(matrix_view<In> logits, matrix_view<std::remove_const_t<In>> out,
                              Results&& results, const logit_options& options = {});

/// out[i] = logits[i] / temperature - log_sum_exp(logits, options), natural logarithm. out may be
/// logits.
///
/// Accuracy: accuracy::log_softmax ulp each, near 0 too: it is computed as
/// -((max - x) / T + log1p(rest)), a sum of two numbers of the same sign.
///
/// Special values and errors as for softmax, with -infinity in the place of 0 and 0 in the place
/// of 1.
template <detail::float_range Logits, class Out, class Arch = detail::default_arch>
requires detail::output_of<Out, detail::element<Logits>>
void log_softmax(const Logits& logits, Out&& out, const logit_options& options = {});

/// The same for each row of a matrix.
template <class In, class Arch = detail::default_arch>
void log_softmax(matrix_view<In> logits, matrix_view<std::remove_const_t<In>> out,
                 const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Arch>
GIBBS_INLINE void fill_row(T* out, std::size_t n, T value) {
  for (std::size_t i = 0; i < n; ++i) out[i] = value;
}

template <class T, class Arch>
void softmax_row(const T* x, T* out, std::size_t n, const temperature<T>& t) {
  using B = batch<T, Arch>;
  const T largest = sweep_max<T, Arch>(n, x);
  if (!is_finite(static_cast<double>(largest))) {
    fill_row<T, Arch>(out, n, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  if (n == 1) {
    // Without a fused multiply-add, w * (1 / w) is not always 1.
    out[0] = 1;
    return;
  }
  visit_row<T, Arch>(t, largest, [&](const auto& row) {
    // The sum is one of the rounded weights, so that what dominates it is divided by itself.
    sums<T, Arch, 1> all;
    sweep_sums_and_store<pace_of<decltype(row)>, T, Arch, 1>(
        all, n, out,
        [&](B& weight, const B& v) {
          weight = row.weight(v).value();
          return terms<T, Arch, 1>{{weight}};
        },
        input<T>{x, -infinity<T>});
    const split<T> scale(wide<T>(1.0) / all.total(0));
    const B hi(scale.hi);
    const B lo(scale.lo);
    sweep_map<pace_of<decltype(row)>, T, Arch>(n, input<T>{out, T(0)}, out, [&](const B& weight) {
      return multiply_add(weight, hi, weight * lo);
    });
  });
}

template <class T, class Arch>
void log_softmax_row(const T* x, T* out, std::size_t n, const temperature<T>& t) {
  using B = batch<T, Arch>;
  const auto total = total_of_row<T, Arch>(x, n, t);
  const T log_scaled_sum = static_cast<T>(total.log_scaled_sum());
  if (log_scaled_sum != log_scaled_sum || total.largest == -infinity<T>) {
    fill_row<T, Arch>(out, n, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  visit_row<T, Arch>(t, total.largest, [&](const auto& row) {
    const B log_sum(log_scaled_sum);
    sweep_map<pace_of<decltype(row)>, T, Arch>(n, input<T>{x, total.largest}, out, [&](const B& v) {
      return B(T(0)) - (row.distance(v) + log_sum);
    });
  });
}

template <class T, class Arch>
void softmax_rows(matrix_view<const T> logits, matrix_view<T> out, double at_temperature) {
  const temperature<T> t(at_temperature);
  for (std::size_t i = 0; i < logits.rows(); ++i) {
    softmax_row<T, Arch>(logits.data() + i * logits.row_stride(), out.data() + i * out.row_stride(),
                         logits.columns(), t);
  }
}

template <class T, class Arch>
void softmax_with_log_sum_exp_rows(matrix_view<const T> logits, matrix_view<T> out, T* results,
                                   double at_temperature) {
  const temperature<T> t(at_temperature);
  for (std::size_t i = 0; i < logits.rows(); ++i) {
    const T* x = logits.data() + i * logits.row_stride();
    // The sum that softmax divides by is one of rounded weights, which is not good enough here.
    results[i] = log_sum_exp_row<T, Arch>(x, logits.columns(), t);
    softmax_row<T, Arch>(x, out.data() + i * out.row_stride(), logits.columns(), t);
  }
}

template <class T, class Arch>
void log_softmax_rows(matrix_view<const T> logits, matrix_view<T> out, double at_temperature) {
  const temperature<T> t(at_temperature);
  for (std::size_t i = 0; i < logits.rows(); ++i) {
    log_softmax_row<T, Arch>(logits.data() + i * logits.row_stride(),
                             out.data() + i * out.row_stride(), logits.columns(), t);
  }
}

template <class In, class T>
GIBBS_INLINE void check_map(const char* function, const matrix_view<In>& logits,
                            const matrix_view<T>& out, const logit_options& options) {
  check_temperature(function, options);
  check_same_shape(function, "logits", logits, "out", out);
  check_overlap(function, "logits", logits, out);
}

}  // namespace detail

template <class In, class Arch>
void softmax(matrix_view<In> logits, matrix_view<std::remove_const_t<In>> out,
             const logit_options& options) {
  detail::check_map("softmax", logits, out, options);
  detail::softmax_rows<std::remove_const_t<In>, Arch>(logits, out, options.temperature);
}

template <detail::float_range Logits, class Out, class Arch>
requires detail::output_of<Out, detail::element<Logits>>
void softmax(const Logits& logits, Out&& out, const logit_options& options) {
  softmax<const detail::element<Logits>, Arch>(detail::as_row(logits), detail::as_output_row(out),
                                               options);
}

template <class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void softmax_with_log_sum_exp(matrix_view<In> logits, matrix_view<std::remove_const_t<In>> out,
                              Results&& results, const logit_options& options) {
  detail::check_map("softmax_with_log_sum_exp", logits, out, options);
  detail::check_results("softmax_with_log_sum_exp", std::ranges::data(results),
                        std::ranges::size(results), logits.rows(), logits, out);
  detail::softmax_with_log_sum_exp_rows<std::remove_const_t<In>, Arch>(
      logits, out, std::ranges::data(results), options.temperature);
}

template <detail::float_range Logits, class Out, class Arch>
requires detail::output_of<Out, detail::element<Logits>> detail::element<Logits>
softmax_with_log_sum_exp(const Logits& logits, Out&& out, const logit_options& options) {
  using T = detail::element<Logits>;
  T result[1];
  softmax_with_log_sum_exp<const T, T(&)[1], Arch>(detail::as_row(logits),
                                                   detail::as_output_row(out), result, options);
  return result[0];
}

template <class In, class Arch>
void log_softmax(matrix_view<In> logits, matrix_view<std::remove_const_t<In>> out,
                 const logit_options& options) {
  detail::check_map("log_softmax", logits, out, options);
  detail::log_softmax_rows<std::remove_const_t<In>, Arch>(logits, out, options.temperature);
}

template <detail::float_range Logits, class Out, class Arch>
requires detail::output_of<Out, detail::element<Logits>>
void log_softmax(const Logits& logits, Out&& out, const logit_options& options) {
  log_softmax<const detail::element<Logits>, Arch>(detail::as_row(logits),
                                                   detail::as_output_row(out), options);
}

}  // namespace gibbs

#endif  // GIBBS_SOFTMAX_HPP
