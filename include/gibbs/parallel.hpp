// SPDX-License-Identifier: MIT
//
// The functions of the other headers with a standard execution policy as their first argument:
//
//     gibbs::softmax(std::execution::par, logits, out);
//
// The rows of a matrix are shared out among threads. So are the parts of a row of many elements, by
// softmax, softmax_with_log_sum_exp, log_softmax, log_sum_exp, entropy_from_logits and
// cross_entropy_from_logits with labels.
// How a row is computed does not depend on that: results are those of the sequential functions, in
// every bit (but the sign of NaN). Arguments, contracts and errors are theirs as well.
//
// This header includes <execution>, which with libstdc++ needs TBB: link TBB::tbb (Debian:
// libtbb-dev). None of the other headers does.
#ifndef GIBBS_PARALLEL_HPP
#define GIBBS_PARALLEL_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <execution>
#include <ranges>
#include <type_traits>

#include "cross_entropy.hpp"
#include "entropy.hpp"
#include "kl_divergence.hpp"
#include "log_sum_exp.hpp"
#include "softmax.hpp"

namespace gibbs {

template <class Policy>
concept execution_policy = std::is_execution_policy_v<std::remove_cvref_t<Policy>>;

// --- of matrices --------------------------------------------------------------------------------

template <execution_policy Policy, class In, class Arch = detail::default_arch>
void softmax(Policy&& policy, const matrix_view<In>& logits,
             const matrix_view<std::remove_const_t<In>>& out, const logit_options& options = {});

template <execution_policy Policy, class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void softmax_with_log_sum_exp(Policy&& policy, const matrix_view<In>& logits,
                              const matrix_view<std::remove_const_t<In>>& out, Results&& results,
                              const logit_options& options = {});

template <execution_policy Policy, class In, class Arch = detail::default_arch>
void log_softmax(Policy&& policy, const matrix_view<In>& logits,
                 const matrix_view<std::remove_const_t<In>>& out,
                 const logit_options& options = {});

template <execution_policy Policy, class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void log_sum_exp(Policy&& policy, const matrix_view<In>& logits, Results&& results,
                 const logit_options& options = {});

template <execution_policy Policy, class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy(Policy&& policy, const matrix_view<In>& p, Results&& results);

template <execution_policy Policy, class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy_from_logits(Policy&& policy, const matrix_view<In>& logits, Results&& results,
                         const logit_options& options = {});

template <execution_policy Policy, class P, class Q, class Results,
          class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void cross_entropy(Policy&& policy, const matrix_view<P>& p, const matrix_view<Q>& q,
                   Results&& results);

template <execution_policy Policy, class In, detail::label_range Labels, class Results,
          class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(Policy&& policy, const matrix_view<In>& logits, const Labels& labels,
                               Results&& results, const logit_options& options = {});

template <execution_policy Policy, class In, class Target, class Results,
          class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(Policy&& policy, const matrix_view<In>& logits,
                               const matrix_view<Target>& target, Results&& results,
                               const logit_options& options = {});

template <execution_policy Policy, class P, class Q, class Results,
          class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(Policy&& policy, const matrix_view<P>& p, const matrix_view<Q>& q,
                   Results&& results);

template <execution_policy Policy, class P, class Q, class Results,
          class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence_from_logits(Policy&& policy, const matrix_view<P>& p_logits,
                               const matrix_view<Q>& q_logits, Results&& results,
                               const logit_options& options = {});

// --- of one long row ----------------------------------------------------------------------------

template <execution_policy Policy, detail::float_range Logits, class Out,
          class Arch = detail::default_arch>
requires detail::output_of<Out, detail::element<Logits>>
void softmax(Policy&& policy, const Logits& logits, Out&& out, const logit_options& options = {});

template <execution_policy Policy, detail::float_range Logits, class Out,
          class Arch = detail::default_arch>
requires detail::output_of<Out, detail::element<Logits>> detail::element<Logits>
softmax_with_log_sum_exp(Policy&& policy, const Logits& logits, Out&& out,
                         const logit_options& options = {});

template <execution_policy Policy, detail::float_range Logits, class Out,
          class Arch = detail::default_arch>
requires detail::output_of<Out, detail::element<Logits>>
void log_softmax(Policy&& policy, const Logits& logits, Out&& out,
                 const logit_options& options = {});

template <execution_policy Policy, detail::float_range Logits, class Arch = detail::default_arch>
detail::element<Logits> log_sum_exp(Policy&& policy, const Logits& logits,
                                    const logit_options& options = {});

template <execution_policy Policy, detail::float_range Logits, class Arch = detail::default_arch>
detail::element<Logits> entropy_from_logits(Policy&& policy, const Logits& logits,
                                            const logit_options& options = {});

template <execution_policy Policy, detail::float_range Logits, detail::label_type Label,
          class Arch = detail::default_arch>
detail::element<Logits> cross_entropy_from_logits(Policy&& policy, const Logits& logits,
                                                  Label label, const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// Numbers to iterate over.
inline constexpr auto numbers = [] {
  std::array<std::uint16_t, most_parts> result{};
  for (std::size_t i = 0; i < most_parts; ++i) result[i] = static_cast<std::uint16_t>(i);
  return result;
}();

/// An execution policy of any type, so that kernels are compiled once and not for each of them.
/// (Arch is only there for the names of what is compiled with its flags.)
template <class Arch>
class any_policy {
 public:
  template <execution_policy Policy>
  explicit any_policy(const Policy& policy)
      : policy_(&policy),
        for_each_number_([](const void* p, std::size_t n, call f, const void* of) {
          std::for_each(*static_cast<const Policy*>(p), numbers.begin(),
                        numbers.begin() + static_cast<std::ptrdiff_t>(n),
                        [f, of](std::size_t number) { f(of, number); });
        }) {}

  /// Calls f(block, first, count) for blocks of `each` of n things, the last of which may be
  /// smaller; there are no more than most_parts.
  template <class F>
  void for_blocks(std::size_t n, std::size_t each, F f) const {
    if (n == 0) return;
    const auto f_of_block = [&](std::size_t block) {
      f(block, block * each, (std::min)(each, n - block * each));
    };
    for_each_number_(
        policy_, (n - 1) / each + 1,
        [](const void* of, std::size_t block)
            GIBBS_KERNEL { (*static_cast<const decltype(f_of_block)*>(of))(block); },
        &f_of_block);
  }

  /// one_by_one, but not one by one.
  template <class F>
  void operator()(std::size_t n, F f) const {
    for_blocks(n, elements_a_part(n), f);
  }

 private:
  using call = void (*)(const void* of, std::size_t number);
  const void* policy_;
  void (*for_each_number_)(const void* policy, std::size_t n, call f, const void* of);
};

/// Calls f(first row, number of rows) for blocks of rows that are worth a thread's while.
template <class T, class Arch, class F>
void for_rows(any_policy<Arch> policy, std::size_t rows, std::size_t columns, F f) {
  constexpr std::size_t least_elements = 1 << 13;
  constexpr std::size_t step = lanes<T, Arch>;
  std::size_t each = (std::max)(rows / most_parts, least_elements / (columns + 1)) + 1;
  each = (each + step - 1) / step * step;
  // Rows of many elements are not held back by the number of lanes.
  if (columns > least_elements) each = (rows + most_parts - 1) / most_parts;
  policy.for_blocks(rows, each,
                    [&](std::size_t, std::size_t first, std::size_t count) { f(first, count); });
}

/// Calls of_row(row, temperature, policy) for one row after the other if they are so long that each
/// comes in parts; otherwise of_rows(first row, number of rows) as for_rows does.
template <class T, class Arch, class In, class OfRow, class OfRows>
void for_rows_or_parts(any_policy<Arch> policy, const matrix_view<In>& logits,
                       const logit_options& options, OfRow of_row, OfRows of_rows) {
  if (logits.columns() <= 4 * long_row) {
    for_rows<T, Arch>(policy, logits.rows(), logits.columns(), of_rows);
    return;
  }
  const temperature<T> t(options.temperature);
  for (std::size_t i = 0; i < logits.rows(); ++i) of_row(i, t, policy);
}

template <class Arch, class T>
void cross_entropy_labels(any_policy<Arch> policy, const matrix_view<const T>& logits,
                          label_view label, T* results, const logit_options& options) {
  for_rows_or_parts<T, Arch>(
      policy, logits, options,
      [&](std::size_t i, const temperature<T>& t, const auto& parts) {
        results[i] = cross_entropy_label_row<T, Arch>(row_of(logits, i), logits.columns(), label[i],
                                                      t, parts);
      },
      [&](std::size_t first, std::size_t rows) {
        cross_entropy_label_rows<T, Arch>(rows_of(logits, first, rows), label.from(first),
                                          results + first, options.temperature);
      });
}

}  // namespace detail

template <execution_policy Policy, class In, class Arch>
void softmax(Policy&& policy, const matrix_view<In>& logits,
             const matrix_view<std::remove_const_t<In>>& out, const logit_options& options) {
  using T = std::remove_const_t<In>;
  detail::check_map("softmax", logits, out, options);
  detail::for_rows_or_parts<T, Arch>(
      detail::any_policy<Arch>(policy), logits, options,
      [&](std::size_t i, const detail::temperature<T>& t, const auto& parts) {
        detail::softmax_row<T, Arch>(detail::row_of(logits, i), detail::row_of(out, i),
                                     logits.columns(), t, parts);
      },
      [&](std::size_t first, std::size_t rows) {
        detail::softmax_rows<T, Arch>(detail::rows_of(logits, first, rows),
                                      detail::rows_of(out, first, rows), options.temperature);
      });
}

template <execution_policy Policy, class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void softmax_with_log_sum_exp(Policy&& policy, const matrix_view<In>& logits,
                              const matrix_view<std::remove_const_t<In>>& out, Results&& results,
                              const logit_options& options) {
  using T = std::remove_const_t<In>;
  T* const to = std::ranges::data(results);
  detail::check_map("softmax_with_log_sum_exp", logits, out, options);
  detail::check_results("softmax_with_log_sum_exp", results, logits, out);
  detail::for_rows_or_parts<T, Arch>(
      detail::any_policy<Arch>(policy), logits, options,
      [&](std::size_t i, const detail::temperature<T>& t, const auto& parts) {
        to[i] = detail::softmax_with_log_sum_exp_row<T, Arch>(
            detail::row_of(logits, i), detail::row_of(out, i), logits.columns(), t, parts);
      },
      [&](std::size_t first, std::size_t rows) {
        detail::softmax_with_log_sum_exp_rows<T, Arch>(detail::rows_of(logits, first, rows),
                                                       detail::rows_of(out, first, rows),
                                                       to + first, options.temperature);
      });
}

template <execution_policy Policy, class In, class Arch>
void log_softmax(Policy&& policy, const matrix_view<In>& logits,
                 const matrix_view<std::remove_const_t<In>>& out, const logit_options& options) {
  using T = std::remove_const_t<In>;
  detail::check_map("log_softmax", logits, out, options);
  detail::for_rows_or_parts<T, Arch>(
      detail::any_policy<Arch>(policy), logits, options,
      [&](std::size_t i, const detail::temperature<T>& t, const auto& parts) {
        detail::log_softmax_row<T, Arch>(detail::row_of(logits, i), detail::row_of(out, i),
                                         logits.columns(), t, parts);
      },
      [&](std::size_t first, std::size_t rows) {
        detail::log_softmax_rows<T, Arch>(detail::rows_of(logits, first, rows),
                                          detail::rows_of(out, first, rows), options.temperature);
      });
}

template <execution_policy Policy, class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void log_sum_exp(Policy&& policy, const matrix_view<In>& logits, Results&& results,
                 const logit_options& options) {
  using T = std::remove_const_t<In>;
  T* const to = std::ranges::data(results);
  detail::check_temperature("log_sum_exp", options);
  detail::check_results("log_sum_exp", results, logits);
  detail::for_rows_or_parts<T, Arch>(
      detail::any_policy<Arch>(policy), logits, options,
      [&](std::size_t i, const detail::temperature<T>& t, const auto& parts) {
        to[i] =
            detail::log_sum_exp_row<T, Arch>(detail::row_of(logits, i), logits.columns(), t, parts);
      },
      [&](std::size_t first, std::size_t rows) {
        detail::log_sum_exp_rows<T, Arch>(detail::rows_of(logits, first, rows), to + first,
                                          options.temperature);
      });
}

template <execution_policy Policy, class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy(Policy&& policy, const matrix_view<In>& p, Results&& results) {
  using T = std::remove_const_t<In>;
  T* const to = std::ranges::data(results);
  detail::check_results("entropy", results, p);
  detail::for_rows<T, Arch>(detail::any_policy<Arch>(policy), p.rows(), p.columns(),
                            [&](std::size_t first, std::size_t rows) {
                              detail::entropy_rows<T, Arch>(detail::rows_of(p, first, rows),
                                                            to + first);
                            });
}

template <execution_policy Policy, class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy_from_logits(Policy&& policy, const matrix_view<In>& logits, Results&& results,
                         const logit_options& options) {
  using T = std::remove_const_t<In>;
  T* const to = std::ranges::data(results);
  detail::check_temperature("entropy_from_logits", options);
  detail::check_results("entropy_from_logits", results, logits);
  detail::for_rows_or_parts<T, Arch>(
      detail::any_policy<Arch>(policy), logits, options,
      [&](std::size_t i, const detail::temperature<T>& t, const auto& parts) {
        to[i] = detail::entropy_from_logits_row<T, Arch>(detail::row_of(logits, i),
                                                         logits.columns(), t, parts);
      },
      [&](std::size_t first, std::size_t rows) {
        detail::entropy_from_logits_rows<T, Arch>(detail::rows_of(logits, first, rows), to + first,
                                                  options.temperature);
      });
}

template <execution_policy Policy, class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void cross_entropy(Policy&& policy, const matrix_view<P>& p, const matrix_view<Q>& q,
                   Results&& results) {
  using T = std::remove_const_t<P>;
  T* const to = std::ranges::data(results);
  detail::check_same_shape("cross_entropy", "p", p, "q", q);
  detail::check_results("cross_entropy", results, p, q);
  detail::for_rows<T, Arch>(detail::any_policy<Arch>(policy), p.rows(), p.columns(),
                            [&](std::size_t first, std::size_t rows) {
                              detail::cross_entropy_rows<T, Arch>(detail::rows_of(p, first, rows),
                                                                  detail::rows_of(q, first, rows),
                                                                  to + first);
                            });
}

template <execution_policy Policy, class In, detail::label_range Labels, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(Policy&& policy, const matrix_view<In>& logits, const Labels& labels,
                               Results&& results, const logit_options& options) {
  constexpr auto function = "cross_entropy_from_logits";
  using T = std::remove_const_t<In>;
  detail::check_labelled(function, logits, labels, results, options);
  detail::cross_entropy_labels<Arch>(detail::any_policy<Arch>(policy), matrix_view<const T>(logits),
                                     detail::label_view(std::ranges::data(labels)),
                                     std::ranges::data(results), options);
}

template <execution_policy Policy, class In, class Target, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(Policy&& policy, const matrix_view<In>& logits,
                               const matrix_view<Target>& target, Results&& results,
                               const logit_options& options) {
  constexpr auto function = "cross_entropy_from_logits";
  using T = std::remove_const_t<In>;
  T* const to = std::ranges::data(results);
  detail::check_temperature(function, options);
  detail::check_same_shape(function, "logits", logits, "target", target);
  detail::check_results(function, results, logits, target);
  detail::for_rows<T, Arch>(detail::any_policy<Arch>(policy), logits.rows(), logits.columns(),
                            [&](std::size_t first, std::size_t rows) {
                              detail::cross_entropy_target_rows<T, Arch>(
                                  detail::rows_of(logits, first, rows),
                                  detail::rows_of(target, first, rows), to + first,
                                  options.temperature);
                            });
}

template <execution_policy Policy, class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(Policy&& policy, const matrix_view<P>& p, const matrix_view<Q>& q,
                   Results&& results) {
  using T = std::remove_const_t<P>;
  T* const to = std::ranges::data(results);
  detail::check_same_shape("kl_divergence", "p", p, "q", q);
  detail::check_results("kl_divergence", results, p, q);
  detail::for_rows<T, Arch>(detail::any_policy<Arch>(policy), p.rows(), p.columns(),
                            [&](std::size_t first, std::size_t rows) {
                              detail::kl_divergence_rows<T, Arch>(detail::rows_of(p, first, rows),
                                                                  detail::rows_of(q, first, rows),
                                                                  to + first);
                            });
}

template <execution_policy Policy, class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence_from_logits(Policy&& policy, const matrix_view<P>& p_logits,
                               const matrix_view<Q>& q_logits, Results&& results,
                               const logit_options& options) {
  constexpr auto function = "kl_divergence_from_logits";
  using T = std::remove_const_t<P>;
  T* const to = std::ranges::data(results);
  detail::check_temperature(function, options);
  detail::check_same_shape(function, "p_logits", p_logits, "q_logits", q_logits);
  detail::check_results(function, results, p_logits, q_logits);
  detail::for_rows<T, Arch>(detail::any_policy<Arch>(policy), p_logits.rows(), p_logits.columns(),
                            [&](std::size_t first, std::size_t rows) {
                              detail::kl_divergence_from_logits_rows<T, Arch>(
                                  detail::rows_of(p_logits, first, rows),
                                  detail::rows_of(q_logits, first, rows), to + first,
                                  options.temperature);
                            });
}

template <execution_policy Policy, detail::float_range Logits, class Out, class Arch>
requires detail::output_of<Out, detail::element<Logits>>
void softmax(Policy&& policy, const Logits& logits, Out&& out, const logit_options& options) {
  softmax<Policy&, const detail::element<Logits>, Arch>(policy, detail::as_row(logits),
                                                        detail::as_output_row(out), options);
}

template <execution_policy Policy, detail::float_range Logits, class Out, class Arch>
requires detail::output_of<Out, detail::element<Logits>> detail::element<Logits>
softmax_with_log_sum_exp(Policy&& policy, const Logits& logits, Out&& out,
                         const logit_options& options) {
  using T = detail::element<Logits>;
  T result[1];
  softmax_with_log_sum_exp<Policy&, const T, T(&)[1], Arch>(
      policy, detail::as_row(logits), detail::as_output_row(out), result, options);
  return result[0];
}

template <execution_policy Policy, detail::float_range Logits, class Out, class Arch>
requires detail::output_of<Out, detail::element<Logits>>
void log_softmax(Policy&& policy, const Logits& logits, Out&& out, const logit_options& options) {
  log_softmax<Policy&, const detail::element<Logits>, Arch>(policy, detail::as_row(logits),
                                                            detail::as_output_row(out), options);
}

template <execution_policy Policy, detail::float_range Logits, class Arch>
detail::element<Logits> log_sum_exp(Policy&& policy, const Logits& logits,
                                    const logit_options& options) {
  using T = detail::element<Logits>;
  T result[1];
  log_sum_exp<Policy&, const T, T(&)[1], Arch>(policy, detail::as_row(logits), result, options);
  return result[0];
}

template <execution_policy Policy, detail::float_range Logits, class Arch>
detail::element<Logits> entropy_from_logits(Policy&& policy, const Logits& logits,
                                            const logit_options& options) {
  using T = detail::element<Logits>;
  T result[1];
  entropy_from_logits<Policy&, const T, T(&)[1], Arch>(policy, detail::as_row(logits), result,
                                                       options);
  return result[0];
}

template <execution_policy Policy, detail::float_range Logits, detail::label_type Label, class Arch>
detail::element<Logits> cross_entropy_from_logits(Policy&& policy, const Logits& logits,
                                                  Label label, const logit_options& options) {
  using T = detail::element<Logits>;
  T result[1];
  detail::check_temperature("cross_entropy_from_logits", options);
  detail::check_label("cross_entropy_from_logits", label, std::ranges::size(logits));
  const Label labels[1] = {label};
  detail::cross_entropy_labels<Arch>(detail::any_policy<Arch>(policy), detail::as_row(logits),
                                     detail::label_view(labels), result, options);
  return result[0];
}

}  // namespace gibbs

#endif  // GIBBS_PARALLEL_HPP
