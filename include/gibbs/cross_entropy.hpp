// SPDX-License-Identifier: MIT
//
// cross_entropy: of two distributions, of logits and a label, of logits and a target distribution.
#ifndef GIBBS_CROSS_ENTROPY_HPP
#define GIBBS_CROSS_ENTROPY_HPP

#include <algorithm>
#include <cstddef>
#include <limits>

#include "accuracy.hpp"
#include "detail/arguments.hpp"
#include "detail/labels.hpp"
#include "detail/log.hpp"
#include "detail/logits.hpp"
#include "detail/probabilities.hpp"
#include "log_sum_exp.hpp"

namespace gibbs {

/// -(sum over i of p[i] log q[i]), in nats.
///
/// Accuracy: accuracy::cross_entropy ulp for probabilities up to 1; where terms of both signs meet
/// (q[i] > 1), of the sum of their absolute values.
///
/// Special values: where p[i] is 0 the term is 0, also for q[i] = 0; where only q[i] is 0 the
/// result is +infinity. Empty rows give 0. NaN or a negative number in p or q gives NaN. +infinity
/// is multiplied and added as IEEE has it.
///
/// Errors: std::invalid_argument if the sizes differ.
template <detail::float_range P, detail::range_of<detail::element<P>> Q,
          class Arch = detail::default_arch>
detail::element<P> cross_entropy(const P& p, const Q& q);

/// The same for each row of two matrices: results[i] belongs to row i. Errors: also if results does
/// not have as many elements as there are rows; nothing is written then.
template <class P, class Q, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void cross_entropy(const matrix_view<P>& p, const matrix_view<Q>& q, Results&& results);

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
/// Label may be any standard integer type; bool and those for characters are none.
///
/// Errors: std::invalid_argument if label is less than 0 or not less than the number of logits, as
/// each is of an empty row, or for a temperature less than 0 or NaN.
template <detail::float_range Logits, detail::label_type Label, class Arch = detail::default_arch>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, Label label,
                                                  const logit_options& options = {});

/// The same for each row of a matrix: labels[i] and results[i] belong to row i. Errors: also if
/// there are not as many labels or results as rows; nothing is written then.
template <class In, detail::label_range Labels, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(const matrix_view<In>& logits, const Labels& labels,
                               Results&& results, const logit_options& options = {});

/// -(sum over i of target[i] log softmax(logits, options)[i]), in nats; target is not normalised.
///
/// Accuracy: accuracy::cross_entropy_from_logits ulp.
///
/// Special values: where target[i] is 0 the term is 0, also for a logit of -infinity; where it is
/// not 0 and the logit is -infinity the result is +infinity. NaN, +infinity or nothing but
/// -infinity in logits, NaN or a negative number in target give NaN; +infinity in target gives an
/// infinite result or NaN. Empty rows give 0.
///
/// Errors: std::invalid_argument if the sizes differ, or for a temperature less than 0 or NaN.
template <detail::float_range Logits, detail::range_of<detail::element<Logits>> Target,
          class Arch = detail::default_arch>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, const Target& target,
                                                  const logit_options& options = {});

/// The same for each row of two matrices: results[i] belongs to row i. Errors: also if results does
/// not have as many elements as there are rows; nothing is written then.
template <class In, class Target, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(const matrix_view<In>& logits, const matrix_view<Target>& target,
                               Results&& results, const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Arch, bool Lifted>
struct cross_entropy_term {
  using B = batch<T, Arch>;
  static constexpr pace of_a_row = pace::fast;
  static constexpr std::size_t longest_of_four = longest_tile_of_four;
  using several = four_or_six<Arch>;
  GIBBS_PART B operator()(B& mark, const B& p, const B& q) const {
    return rounded_term(lifted<Lifted>(p), log_or_nan<false>(p, q, mark));
  }
  /// Where q is a normal number, or any positive one with has_look_up, or p is 0: 0 times any
  /// number is 0. (The first condition is the usual one, and sooner known. A NaN may get by, and
  /// stays one.)
  template <class Several>
  GIBBS_PART static bool of_several(Several& terms, const Several& p, const Several& q) {
    Several zero(T(0));
    if constexpr (has_look_up<Arch>) {
      Several counted = q;
      if (!all_hold(min_or_second(p, q) > zero)) {
        auto limit = (p == zero) & (q >= zero);
        if (!all_hold(((p > zero) & (q > zero)) | limit)) return false;
        counted = choose(limit, Several(T(1)), q);
      }
      terms = rounded_term(p, log_positive<true>(counted));
    } else {
      auto normal = is_normal(q);
      if (!all_hold((p >= zero) & normal) &&
          !all_hold(((p > zero) & normal) | ((p == zero) & (q >= zero)))) {
        return false;
      }
      terms = in_turn([](const B& x, const B& y)
                          GIBBS_PART_LAMBDA { return rounded_term(x, log_positive<true>(y)); },
                      p, q);
    }
    return true;
  }
};

template <class T, class Arch>
GIBBS_KERNEL void cross_entropy_rows(const matrix_view<const T>& p, const matrix_view<const T>& q,
                                     T* results) {
  reduce_probabilities<cross_entropy_term, T, Arch>(results, true, p, q);
}

template <class T, class Arch>
GIBBS_KERNEL void cross_entropy_label_rows(const matrix_view<const T>& logits, label_view labels,
                                           T* results, double at_temperature) {
  log_sum_exp_or_label_rows<T, Arch>(logits, &labels, results, at_temperature);
}

/// The sums of weight_terms, and those of target * (max - x) and of target.
struct target_terms {
  template <class Arch>
  using several = four_or_six<Arch>;
  static constexpr std::size_t size = 5;
  template <class Row, class T, class Arch>
  GIBBS_PART terms<T, Arch, 5> operator()(const Row& row, const batch<T, Arch>& x,
                                          const batch<T, Arch>& p) const {
    using B = batch<T, Arch>;
    B zero(T(0));
    auto added = weight_terms<5>(row, x);
    // 0 times the distance of a masked element is 0; otherwise the product is infinite, which makes
    // the result invalid.
    B counted = choose(p == zero, row.largest(), x);
    added.of[3] = rounded_term(p, row.distance_times_t(counted));
    added.of[2] = choose(p < zero, B(std::numeric_limits<T>::quiet_NaN()), p);
    return added;
  }
};

/// marks[r] is 1 for rows that has_tiny, 0 for others. Seldom called, and out of the way of what is
/// often: inlined, as clang may do with kernels, it takes minutes to compile with a sanitizer.
template <class T, class Arch>
#if defined(__clang__)
__attribute__((noinline))
#endif
GIBBS_KERNEL void
mark_tiny_rows(const matrix_view<const T>& p, T* marks) {
  for (std::size_t r = 0; r < lanes<T, Arch>; ++r) {
    marks[r] =
        r < p.rows() && has_tiny<T, single_arch<Arch>>(p.columns(), row_of(p, r)) ? T(1) : T(0);
  }
}

/// The two sums of target_terms, where they are finite.
template <class T, class Arch>
struct target_sums {
  wide_batch<T, Arch> distances;
  wide_batch<T, Arch> mass;
  mask<T, Arch> valid;

  GIBBS_PART target_sums(const plain_totals<T, Arch, 5>& totals, const temperature<T>& t,
                         const matrix_view<const T>& target)
      : distances(totals.of[3]), mass(totals.of[2]) {
    using B = batch<T, Arch>;
    using wide_type = wide_batch<T, Arch>;
    // The logarithm of a sum of weights is below 2^10.
    valid = (distances.hi <= B(largest_difference(t))) &
            (mass.hi <= B((std::numeric_limits<T>::max)() / 2048));
    auto doubtful = distances.hi < B(least_sum<T>(target.columns()));
    if (any_holds(doubtful)) {
      alignas(64) T tiny[lanes<T, Arch>];
      mark_tiny_rows<T, Arch>(target, tiny);
      valid = valid & ~(doubtful & (read<T, Arch>(tiny) != B(T(0))));
    }
    wide_type zero{B(T(0)), B(T(0))};
    distances = choose(valid, distances, zero) * in_all_lanes<T, Arch>(t.inverse);
    mass = choose(valid, mass, zero);
  }
};

/// Of any row: distances from the maximum may overflow where their products with small
/// probabilities do not, and those products may be subnormal.
template <class T, class Arch>
GIBBS_KERNEL T cross_entropy_target_careful(const T* x, const T* target, std::size_t n,
                                            const temperature<T>& t) {
  const auto sum = sum_of_row<T, Arch>(x, n, t);
  if (!is_finite(static_cast<double>(sum.largest))) return std::numeric_limits<T>::quiet_NaN();
  wide<T> distances(0.0);
  wide<T> lifted(0.0);
  wide<T> mass(0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const T p = target[i];
    if (!(p >= 0)) return std::numeric_limits<T>::quiet_NaN();
    mass = mass + wide<T>(p);
    if (p >= (std::numeric_limits<T>::min)() * rescue_up<T>) {
      distances = distances + t.difference(sum.largest, x[i], p);
    } else if (p > 0) {
      const wide<T> term = t.difference(sum.largest, x[i], p, rescue_exponent<T>);
      if (may_be_lifted(term)) {
        lifted = lifted + term;
      } else {
        distances = distances + t.difference(sum.largest, x[i], p);
      }
    }
  }
  return static_cast<T>(distances + lifted * wide<T>(rescue_down<T>) + mass * sum.log_mass());
}

/// Of any row, in pieces.
template <class T, class Arch>
GIBBS_KERNEL T cross_entropy_target_row(const T* x, const T* target, std::size_t n,
                                        const temperature<T>& t) {
  if (n == 0) return 0;
  logits_sum<T> sum;
  wide<T> distances(0.0);
  wide<T> mass(0.0);
  for (std::size_t i = 0; i < n; i += long_row) {
    const std::size_t count = (std::min)(long_row, n - i);
    const T largest = sweep_max<T, Arch>(count, x + i);
    if (!plain_row<T, Arch>::is_plain(plain_row<T, Arch>::limit(t), largest)) {
      return cross_entropy_target_careful<T, Arch>(x, target, n, t);
    }
    auto totals = add_up_plain_row<T, Arch>(t, largest, target_terms(), count, x + i, target + i);
    target_sums<T, Arch> sums_of_piece(totals, t, {target + i, 1, count});
    if (lane_bits<T, Arch>(sums_of_piece.valid, 1) == 0) {
      return cross_entropy_target_careful<T, Arch>(x, target, n, t);
    }
    const logits_sum<T> piece = totals.first_sum();
    wide<T> piece_distances = first_lane(sums_of_piece.distances);
    const wide<T> piece_mass = first_lane(sums_of_piece.mass);
    // All distances are from the larger of the two maxima.
    if (i > 0 && sum.largest < piece.largest) {
      distances = distances + mass * t.difference(piece.largest, sum.largest);
    } else if (i > 0) {
      piece_distances = piece_distances + piece_mass * t.difference(sum.largest, piece.largest);
    }
    distances = distances + piece_distances;
    mass = mass + piece_mass;
    merge<T, Arch>(sum, piece, t);
  }
  return static_cast<T>(distances + mass * sum.log_mass());
}

template <class T, class Arch>
GIBBS_KERNEL void cross_entropy_target_rows(const matrix_view<const T>& logits,
                                            const matrix_view<const T>& target, T* results,
                                            double at_temperature) {
  const temperature<T> t(at_temperature);
  reduce_logits<T, Arch>(
      results, t, target_terms(),
      [&]<class A>(std::size_t first, std::size_t rows, const plain_totals<T, A, 5>& totals) {
        target_sums<T, A> of(totals, t, rows_of(target, first, rows));
        auto value = (of.distances + of.mass * totals.log_sum()).value();
        return row_results<T, A>{value, of.valid};
      },
      [&](std::size_t i) {
        return cross_entropy_target_row<T, Arch>(row_of(logits, i), row_of(target, i),
                                                 logits.columns(), t);
      },
      logits, target);
}

}  // namespace detail

template <class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void cross_entropy(const matrix_view<P>& p, const matrix_view<Q>& q, Results&& results) {
  detail::check_same_shape("cross_entropy", "p", p, "q", q);
  detail::check_results("cross_entropy", results, p, q);
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
void cross_entropy_from_logits(const matrix_view<In>& logits, const Labels& labels,
                               Results&& results, const logit_options& options) {
  constexpr auto function = "cross_entropy_from_logits";
  detail::check_labelled(function, logits, labels, results, options);
  detail::cross_entropy_label_rows<std::remove_const_t<In>, Arch>(
      logits, detail::label_view(std::ranges::data(labels)), std::ranges::data(results),
      options.temperature);
}

template <detail::float_range Logits, detail::label_type Label, class Arch>
detail::element<Logits> cross_entropy_from_logits(const Logits& logits, Label label,
                                                  const logit_options& options) {
  using T = detail::element<Logits>;
  detail::check_temperature("cross_entropy_from_logits", options);
  detail::check_label("cross_entropy_from_logits", label, std::ranges::size(logits));
  T result;
  detail::cross_entropy_label_rows<T, Arch>(detail::as_row(logits), detail::label_view(&label),
                                            &result, options.temperature);
  return result;
}

template <class In, class Target, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void cross_entropy_from_logits(const matrix_view<In>& logits, const matrix_view<Target>& target,
                               Results&& results, const logit_options& options) {
  constexpr auto function = "cross_entropy_from_logits";
  detail::check_temperature(function, options);
  detail::check_same_shape(function, "logits", logits, "target", target);
  detail::check_results(function, results, logits, target);
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
