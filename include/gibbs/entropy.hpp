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
#include "detail/probabilities.hpp"

namespace gibbs {

/// nats / ln 2: what is measured in nats, in bits.
template <std::floating_point T>
GIBBS_INLINE constexpr T to_bits(T nats) {
  return nats * std::numbers::log2e_v<T>;
}

/// -(sum over i of p[i] log p[i]), in nats. p is taken as it is: it is not normalised.
///
/// Accuracy: accuracy::entropy ulp for probabilities up to 1; where terms of both signs meet (p[i]
/// > 1), of the sum of their absolute values.
///
/// Special values: 0 log 0 is 0. An empty row gives 0. NaN or a negative number in p gives NaN,
/// +infinity -infinity.
template <detail::float_range P, class Arch = detail::default_arch>
detail::element<P> entropy(const P& p);

/// The same for each row of a matrix: results[i] belongs to row i.
///
/// Errors: std::invalid_argument if results does not have as many elements as there are rows;
/// nothing is written then.
template <class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy(const matrix_view<In>& p, Results&& results);

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

/// The same for each row of a matrix: results[i] belongs to row i. Errors: also if results does not
/// have as many elements as there are rows; nothing is written then.
template <class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy_from_logits(const matrix_view<In>& logits, Results&& results,
                         const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Arch, bool Lifted>
struct entropy_term {
  using B = batch<T, Arch>;
  static constexpr pace of_a_row = pace::fast;
  static constexpr std::size_t longest_of_four = longest_tile_of_four;
  using several = four_or_six<Arch>;
  /// Of a subnormal number it is a number near its logarithm that is taken unless Lifted: the
  /// product is as good as 0 beside the sum then.
  GIBBS_PART B operator()(B& mark, const B& p) const {
    return rounded_term(lifted<Lifted>(p), log_or_nan<!Lifted>(p, p, mark));
  }
  /// Of all numbers that are not negative: 0 times any number is 0.
  template <class Several>
  GIBBS_PART static bool of_several(Several& terms, const Several& p) {
    if (!all_hold(p >= Several(T(0)))) return false;
    if constexpr (has_look_up<Arch>) {
      Several least((std::numeric_limits<T>::min)());  // whose logarithm is finite
      terms = rounded_term(p, log_positive<true>(max_or_second(p, least)));
    } else {
      terms = in_turn(
          [](const B& x) GIBBS_PART_LAMBDA { return rounded_term(x, log_positive<true>(x)); }, p);
    }
    return true;
  }
};

template <class T, class Arch>
GIBBS_KERNEL void entropy_rows(const matrix_view<const T>& p, T* results) {
  reduce_probabilities<entropy_term, T, Arch>(results, true, p);
}

/// The sums of weight_terms and the weighted sum of (max - x) / T, with only the first part of 1 /
/// T.
template <class T>
struct entropy_from_logits_terms {
  template <class Arch>
  using several = four_or_six<Arch>;
  static constexpr std::size_t size = 4;
  T inverse;
  template <class Row, class Arch>
  GIBBS_PART terms<T, Arch, 4> operator()(const Row& row, const batch<T, Arch>& x) const {
    auto added = weight_terms<4>(row, x);
    // 0 times the distance of a masked element is 0.
    auto distance = row.distance_times_t(row.clamped(x)) * batch<T, Arch>(inverse);
    added.of[2] = rounded_term(added.of[0] + added.of[1], distance);
    return added;
  }
};

/// What the entropy of some logits comes from, in a form that other logits can be added to: the sum
/// of the weights exp((x - max) / T), and that of exp((x - max) / T) (max - x) / T times sum_unit.
template <class T>
struct entropy_sum {
  logits_sum<T> weights;
  wide<T> distances = wide<T>(0.0);

  GIBBS_INLINE wide<T> entropy() const {
    return weights.log_mass() + distances * wide<T>(1 / sum_unit) / weights.mass();
  }
};

template <class T, class Arch>
GIBBS_KERNEL void merge(entropy_sum<T>& a, entropy_sum<T> b, const temperature<T>& t) {
  exchange_if(b.weights.largest > a.weights.largest, a, b);
  if (b.weights.has_mass()) {
    const wide<T> apart = gap(a.weights.largest, b.weights.largest, t);
    const wide<T> weight = largest_weight<T, Arch>(b.weights, apart);
    a.weights.rest = a.weights.rest + b.weights.mass() * weight;
    a.distances = a.distances + apart * b.weights.mass() * weight +
                  b.distances * weight * wide<T>(1 / sum_unit);
  } else {
    a.weights.rest = a.weights.rest + b.weights.rest;
    if (!a.weights.has_mass()) a.distances = a.distances + b.distances;
  }
}

template <class T, class Arch>
GIBBS_KERNEL entropy_sum<T> entropy_sum_of_piece(const T* x, std::size_t n,
                                                 const temperature<T>& t) {
  using B = batch<T, Arch>;
  const T largest = sweep_max<T, Arch>(n, x);
  if (plain_row<T, Arch>::is_plain(plain_row<T, Arch>::limit(t), largest)) {
    auto totals =
        add_up_plain_row<T, Arch>(t, largest, entropy_from_logits_terms<T>{t.inverse.hi}, n, x);
    return {totals.first_sum(), first_lane(totals.distances(t)) * wide<T>(sum_unit)};
  }
  careful_row<T, Arch> row(t, largest);
  sums<T, Arch, 4, true> all;
  sweep_sums<pace::compact>(
      all, n,
      [&](const B& v) {
        auto added = weight_terms<4>(row, v);
        B counted = choose(added.of[0] == B(T(0)), row.largest(), v);
        added.of[2] = (added.of[0] + added.of[1]) * row.distance(counted);
        return added;
      },
      input<T>{x, -infinity<T>});
  const wide<T> distances = is_finite(static_cast<double>(largest))
                                ? all.total(2) / row.largest_weight() * wide<T>(sum_unit)
                                : wide<T>(std::numeric_limits<double>::quiet_NaN());
  return {sum_of(row, largest, all), distances};
}

/// Any row. The distances are NaN where the maximum is not finite.
template <class T, class Arch, class ForParts = one_by_one>
GIBBS_KERNEL entropy_sum<T> entropy_sum_of_row(const T* x, std::size_t n, const temperature<T>& t,
                                               ForParts for_parts = {}) {
  return sum_in_parts<entropy_sum<T>, T, Arch>(
      n, t, for_parts, [&](std::size_t first, std::size_t count) {
        return entropy_sum_of_piece<T, Arch>(x + first, count, t);
      });
}

template <class T, class Arch>
T entropy_of(const entropy_sum<T>& sum) {
  // Nothing, or no distribution.
  if (!is_finite(static_cast<double>(sum.weights.largest))) return static_cast<T>(sum.distances);
  return static_cast<T>(sum.entropy());
}

template <class T, class Arch, class ForParts>
GIBBS_KERNEL T entropy_from_logits_row(const T* x, std::size_t n, const temperature<T>& t,
                                       ForParts for_parts) {
  return entropy_of<T, Arch>(entropy_sum_of_row<T, Arch>(x, n, t, for_parts));
}

template <class T, class Arch>
GIBBS_KERNEL void entropy_from_logits_rows(const matrix_view<const T>& logits, T* results,
                                           double at_temperature) {
  const temperature<T> t(at_temperature);
  reduce_logits<T, Arch>(
      results, t, entropy_from_logits_terms<T>{t.inverse.hi},
      [&]<class A>(std::size_t, std::size_t, const plain_totals<T, A, 4>& totals) {
        auto value = (totals.log_sum() + totals.distances(t) / totals.all()).value();
        return row_results<T, A>{value, value == value};
      },
      [&](std::size_t i) {
        return entropy_from_logits_row<T, Arch>(row_of(logits, i), logits.columns(), t,
                                                one_by_one());
      },
      logits);
}

}  // namespace detail

template <class In, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void entropy(const matrix_view<In>& p, Results&& results) {
  detail::check_results("entropy", results, p);
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
void entropy_from_logits(const matrix_view<In>& logits, Results&& results,
                         const logit_options& options) {
  detail::check_temperature("entropy_from_logits", options);
  detail::check_results("entropy_from_logits", results, logits);
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
