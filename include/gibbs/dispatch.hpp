// SPDX-License-Identifier: MIT
//
// gibbs::dispatch: the functions of the other headers for programs that are built without -m flags.
// They are compiled once for each architecture, in a library of their own, and the best one that
// the machine has is chosen when the first of them is called: one indirect call a matrix.
//
// Arguments, results, contracts, error bounds and errors are those of the functions with the same
// name in the other headers, where they are described. This header needs no xsimd, and a file that
// includes it may be compiled with -ffast-math. Link gibbs::dispatch (CMake), or compile the units
// of dispatch_unit.hpp.
//
// The environment variable GIBBS_MAX_ARCHITECTURE (one of the names of architecture(), or base;
// read once) keeps the choice at or below an architecture. Other values are ignored.
#ifndef GIBBS_DISPATCH_HPP
#define GIBBS_DISPATCH_HPP

#include <cstddef>
#include <ranges>
#include <type_traits>

#include "detail/arguments.hpp"
#include "detail/dispatch_table.hpp"
#include "detail/target.hpp"

namespace gibbs::dispatch {
inline namespace GIBBS_TARGET {

/// The architecture in use: "sse2", "avx2" (with FMA) or "avx512" on x86, "neon64" on 64-bit Arm,
/// "base" elsewhere.
inline const char* architecture() noexcept;

// --- of single rows -----------------------------------------------------------------------------

template <detail::float_range Logits, class Out>
requires detail::output_of<Out, detail::element<Logits>>
void softmax(const Logits& logits, Out&& out, const logit_options& options = {});

template <detail::float_range Logits, class Out>
requires detail::output_of<Out, detail::element<Logits>> detail::element<Logits>
softmax_with_log_sum_exp(const Logits& logits, Out&& out, const logit_options& options = {});

template <detail::float_range Logits, class Out>
requires detail::output_of<Out, detail::element<Logits>>
void log_softmax(const Logits& logits, Out&& out, const logit_options& options = {});

template <detail::float_range Logits>
detail::element<Logits> log_sum_exp(const Logits& logits, const logit_options& options = {});

template <detail::float_range P>
detail::element<P> entropy(const P& p);

template <detail::float_range Logits>
detail::element<Logits> entropy_from_logits(const Logits& logits,
                                            const logit_options& options = {});

template <detail::float_range P, detail::range_of<detail::element<P>> Q>
detail::element<P> cross_entropy(const P& p, const Q& q);

template <detail::float_range Logits, detail::label_type Label>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, Label label,
                                                  const logit_options& options = {});

template <detail::float_range Logits, detail::range_of<detail::element<Logits>> Target>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, const Target& target,
                                                  const logit_options& options = {});

template <detail::float_range P, detail::range_of<detail::element<P>> Q>
detail::element<P> kl_divergence(const P& p, const Q& q);

template <detail::float_range P, detail::range_of<detail::element<P>> Q>
detail::element<P> kl_divergence_from_logits(const P& p_logits, const Q& q_logits,
                                             const logit_options& options = {});

// --- of matrices: matrix_view, or std::mdspan ----------------------------------------------------

template <class In>
void softmax(const matrix_view<In>& logits, const matrix_view<std::remove_const_t<In>>& out,
             const logit_options& options = {});

template <class In, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void softmax_with_log_sum_exp(const matrix_view<In>& logits,
                              const matrix_view<std::remove_const_t<In>>& out, Results&& results,
                              const logit_options& options = {});

template <class In>
void log_softmax(const matrix_view<In>& logits, const matrix_view<std::remove_const_t<In>>& out,
                 const logit_options& options = {});

template <class In, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void log_sum_exp(const matrix_view<In>& logits, Results&& results,
                 const logit_options& options = {});

template <class In, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy(const matrix_view<In>& p, Results&& results);

template <class In, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy_from_logits(const matrix_view<In>& logits, Results&& results,
                         const logit_options& options = {});

template <class P, class Q, class Results>
requires detail::output_of<Results, std::remove_const_t<P>>
void cross_entropy(const matrix_view<P>& p, const matrix_view<Q>& q, Results&& results);

template <class In, detail::label_range Labels, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(const matrix_view<In>& logits, const Labels& labels,
                               Results&& results, const logit_options& options = {});

template <class In, class Target, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(const matrix_view<In>& logits, const matrix_view<Target>& target,
                               Results&& results, const logit_options& options = {});

template <class P, class Q, class Results>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(const matrix_view<P>& p, const matrix_view<Q>& q, Results&& results);

template <class P, class Q, class Results>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence_from_logits(const matrix_view<P>& p_logits, const matrix_view<Q>& q_logits,
                               Results&& results, const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

inline const char* architecture() noexcept { return detail::dispatched().name; }

template <class In>
void softmax(const matrix_view<In>& logits, const matrix_view<std::remove_const_t<In>>& out,
             const logit_options& options) {
  detail::check_map("softmax", logits, out, options);
  detail::dispatched_for<std::remove_const_t<In>>().softmax(logits, out, options.temperature);
}

template <detail::float_range Logits, class Out>
requires detail::output_of<Out, detail::element<Logits>>
void softmax(const Logits& logits, Out&& out, const logit_options& options) {
  dispatch::softmax(detail::as_row(logits), detail::as_output_row(out), options);
}

template <class In, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void softmax_with_log_sum_exp(const matrix_view<In>& logits,
                              const matrix_view<std::remove_const_t<In>>& out, Results&& results,
                              const logit_options& options) {
  constexpr auto function = "softmax_with_log_sum_exp";
  detail::check_map(function, logits, out, options);
  detail::check_results(function, results, logits, out);
  detail::dispatched_for<std::remove_const_t<In>>().softmax_with_log_sum_exp(
      logits, out, std::ranges::data(results), options.temperature);
}

template <detail::float_range Logits, class Out>
requires detail::output_of<Out, detail::element<Logits>> detail::element<Logits>
softmax_with_log_sum_exp(const Logits& logits, Out&& out, const logit_options& options) {
  detail::element<Logits> result[1];
  dispatch::softmax_with_log_sum_exp(detail::as_row(logits), detail::as_output_row(out), result,
                                     options);
  return result[0];
}

template <class In>
void log_softmax(const matrix_view<In>& logits, const matrix_view<std::remove_const_t<In>>& out,
                 const logit_options& options) {
  detail::check_map("log_softmax", logits, out, options);
  detail::dispatched_for<std::remove_const_t<In>>().log_softmax(logits, out, options.temperature);
}

template <detail::float_range Logits, class Out>
requires detail::output_of<Out, detail::element<Logits>>
void log_softmax(const Logits& logits, Out&& out, const logit_options& options) {
  dispatch::log_softmax(detail::as_row(logits), detail::as_output_row(out), options);
}

template <class In, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void log_sum_exp(const matrix_view<In>& logits, Results&& results, const logit_options& options) {
  detail::check_temperature("log_sum_exp", options);
  detail::check_results("log_sum_exp", results, logits);
  detail::dispatched_for<std::remove_const_t<In>>().log_sum_exp(logits, std::ranges::data(results),
                                                                options.temperature);
}

template <detail::float_range Logits>
detail::element<Logits> log_sum_exp(const Logits& logits, const logit_options& options) {
  detail::element<Logits> result[1];
  dispatch::log_sum_exp(detail::as_row(logits), result, options);
  return result[0];
}

template <class In, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy(const matrix_view<In>& p, Results&& results) {
  detail::check_results("entropy", results, p);
  detail::dispatched_for<std::remove_const_t<In>>().entropy(p, std::ranges::data(results));
}

template <detail::float_range P>
detail::element<P> entropy(const P& p) {
  detail::element<P> result[1];
  dispatch::entropy(detail::as_row(p), result);
  return result[0];
}

template <class In, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy_from_logits(const matrix_view<In>& logits, Results&& results,
                         const logit_options& options) {
  detail::check_temperature("entropy_from_logits", options);
  detail::check_results("entropy_from_logits", results, logits);
  detail::dispatched_for<std::remove_const_t<In>>().entropy_from_logits(
      logits, std::ranges::data(results), options.temperature);
}

template <detail::float_range Logits>
detail::element<Logits> entropy_from_logits(const Logits& logits, const logit_options& options) {
  detail::element<Logits> result[1];
  dispatch::entropy_from_logits(detail::as_row(logits), result, options);
  return result[0];
}

template <class P, class Q, class Results>
requires detail::output_of<Results, std::remove_const_t<P>>
void cross_entropy(const matrix_view<P>& p, const matrix_view<Q>& q, Results&& results) {
  constexpr auto function = "cross_entropy";
  detail::check_same_shape(function, "p", p, "q", q);
  detail::check_results(function, results, p, q);
  detail::dispatched_for<std::remove_const_t<P>>().cross_entropy(p, q, std::ranges::data(results));
}

template <detail::float_range P, detail::range_of<detail::element<P>> Q>
detail::element<P> cross_entropy(const P& p, const Q& q) {
  detail::element<P> result[1];
  dispatch::cross_entropy(detail::as_row(p), detail::as_row(q), result);
  return result[0];
}

template <class In, detail::label_range Labels, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(const matrix_view<In>& logits, const Labels& labels,
                               Results&& results, const logit_options& options) {
  constexpr auto function = "cross_entropy_from_logits";
  detail::check_labelled(function, logits, labels, results, options);
  detail::dispatched_for<std::remove_const_t<In>>().cross_entropy_label(
      logits, detail::label_view(std::ranges::data(labels)), std::ranges::data(results),
      options.temperature);
}

template <detail::float_range Logits, detail::label_type Label>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, Label label,
                                                  const logit_options& options) {
  using T = detail::element<Logits>;
  detail::check_temperature("cross_entropy_from_logits", options);
  detail::check_label("cross_entropy_from_logits", label, std::ranges::size(logits));
  T result;
  detail::dispatched_for<T>().cross_entropy_label(
      detail::as_row(logits), detail::label_view(&label), &result, options.temperature);
  return result;
}

template <class In, class Target, class Results>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(const matrix_view<In>& logits, const matrix_view<Target>& target,
                               Results&& results, const logit_options& options) {
  constexpr auto function = "cross_entropy_from_logits";
  detail::check_temperature(function, options);
  detail::check_same_shape(function, "logits", logits, "target", target);
  detail::check_results(function, results, logits, target);
  detail::dispatched_for<std::remove_const_t<In>>().cross_entropy_target(
      logits, target, std::ranges::data(results), options.temperature);
}

template <detail::float_range Logits, detail::range_of<detail::element<Logits>> Target>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, const Target& target,
                                                  const logit_options& options) {
  detail::element<Logits> result[1];
  dispatch::cross_entropy_from_logits(detail::as_row(logits), detail::as_row(target), result,
                                      options);
  return result[0];
}

template <class P, class Q, class Results>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(const matrix_view<P>& p, const matrix_view<Q>& q, Results&& results) {
  constexpr auto function = "kl_divergence";
  detail::check_same_shape(function, "p", p, "q", q);
  detail::check_results(function, results, p, q);
  detail::dispatched_for<std::remove_const_t<P>>().kl_divergence(p, q, std::ranges::data(results));
}

template <detail::float_range P, detail::range_of<detail::element<P>> Q>
detail::element<P> kl_divergence(const P& p, const Q& q) {
  detail::element<P> result[1];
  dispatch::kl_divergence(detail::as_row(p), detail::as_row(q), result);
  return result[0];
}

template <class P, class Q, class Results>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence_from_logits(const matrix_view<P>& p_logits, const matrix_view<Q>& q_logits,
                               Results&& results, const logit_options& options) {
  constexpr auto function = "kl_divergence_from_logits";
  detail::check_temperature(function, options);
  detail::check_same_shape(function, "p_logits", p_logits, "q_logits", q_logits);
  detail::check_results(function, results, p_logits, q_logits);
  detail::dispatched_for<std::remove_const_t<P>>().kl_divergence_from_logits(
      p_logits, q_logits, std::ranges::data(results), options.temperature);
}

template <detail::float_range P, detail::range_of<detail::element<P>> Q>
detail::element<P> kl_divergence_from_logits(const P& p_logits, const Q& q_logits,
                                             const logit_options& options) {
  detail::element<P> result[1];
  dispatch::kl_divergence_from_logits(detail::as_row(p_logits), detail::as_row(q_logits), result,
                                      options);
  return result[0];
}

}  // namespace GIBBS_TARGET
}  // namespace gibbs::dispatch

#define GIBBS_MDSPAN_NAMESPACE gibbs::dispatch
#include "detail/mdspan_functions.hpp"

#endif  // GIBBS_DISPATCH_HPP
