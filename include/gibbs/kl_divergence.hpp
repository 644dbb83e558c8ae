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

template <class T, class Arch, bool Lifted>
struct kl_term_or_limit {
  using B = batch<T, Arch>;
  GIBBS_INLINE B operator()(B& mark, const B& p, const B& q) const {
    if constexpr (!Lifted) {
      return of(mark, p, q);
    } else {
      // Large p and q, whose term is small or 0 here, must not overflow.
      const auto large = p >= B(T(1));
      const B term = of(mark, choose(large, p, lifted<true>(p)), choose(large, q, lifted<true>(q)));
      return choose(large, lifted<true>(term), term);
    }
  }

 private:
  GIBBS_INLINE static B of(B& mark, const B& p, const B& q) {
    const B tiny((std::numeric_limits<T>::min)());
    const B large((std::numeric_limits<T>::max)() / 4);
    // A NaN may get by, and stays one.
    if (xsimd::all((min_or_second(p, q) >= tiny) & (max_or_second(p, q) <= large))) {
      return kl_term<true, T, Arch>(p, q);
    }
    const B zero(T(0));
    const B one(T(1));
    const B most((std::numeric_limits<T>::max)());
    const auto regular = (p > zero) & (q > zero);
    const B term = kl_term<false, T, Arch>(choose(regular, p, one), choose(regular, q, one));
    mark = choose((q == zero) & (p > zero), one, mark);
    const B limit = choose(p == zero, q, zero);
    const auto valid = (p >= zero) & (q >= zero) & (p <= most) & (q <= most);
    return choose(valid, choose(regular, term, limit), B(std::numeric_limits<T>::quiet_NaN()));
  }
};

/// p (d - 1 + exp(-d)) for one batch, where p exp(-d) is q; p and q are known as weights times a
/// factor. Row is plain_row or careful_row.
template <class Row, class T, class Arch>
class kl_from_logits_term {
  using B = batch<T, Arch>;
  static constexpr bool careful = !std::is_same_v<Row, plain_row<T, Arch>>;

  /// Below this d the weight of p may be too small to carry all digits, and q is used instead.
  static constexpr T least = careful ? T(-1) : T(-40);

 public:
  /// Weights of careful rows get their factor before they are multiplied by anything, those of
  /// plain rows after everything is added up. shift is the log of the quotient of the sums of the
  /// rows, d for equal logits with the sign changed. least_y is a logit of q that gives a d of
  /// about twice `most`, if there is one; one below it might overflow.
  GIBBS_INLINE kl_from_logits_term(const Row& p_row, const Row& q_row, const B& p_factor,
                                   const B& q_factor, const B& shift, const B& least_y, bool greedy)
      : p_row_(p_row),
        q_row_(q_row),
        p_factor_(p_factor),
        q_factor_(q_factor),
        shift_(shift),
        least_y_(least_y),
        greedy_(greedy),
        exp2_(split<T>(wide<T>(log2e_hi)), T(1 / log2e_hi),
              B(T(scaled_exp2<T, Arch>::headroom / log2e_hi))) {}

  /// Beyond this d its product with a weight may overflow.
  static constexpr T most = careful ? (std::numeric_limits<T>::max)() / 4 : T(0x1p60);

  /// What does not belong into a sum with error terms is left out and marked: 2 for terms that are
  /// infinite, 1 for d beyond most.
  GIBBS_INLINE terms<T, Arch, 2> operator()(B& mark, const B& x, const B& y) const {
    const B zero(T(0));
    const B one(T(1));
    const B negative_infinity(-infinity<T>);
    B p = p_row_.weight(x).value();
    auto p_zero = x == negative_infinity;
    auto q_zero = y == negative_infinity;
    if (careful && greedy_) {
      p_zero = x < p_row_.largest();
      q_zero = y < q_row_.largest();
    }
    // What is replaced below gets some d here that causes no overflow.
    auto counts = (p > zero) & ~q_zero;
    const auto beyond = counts & (y < least_y_);
    counts = counts & ~beyond;
    const B x_counted = choose(counts, x, p_row_.largest());
    const B y_counted = choose(counts, y, q_row_.largest());
    B d;
    if constexpr (careful) {
      p *= p_factor_;
      d = (q_row_.distance(y_counted) - p_row_.distance(x_counted)) - shift_;
    } else {
      d = p_row_.difference(x_counted, y_counted) - shift_;
    }
    const auto fits = d <= B(most);
    if (!xsimd::all(fits & ~beyond)) {
      mark = max_or_second(choose(fits & ~beyond, zero, one), mark);
      d = choose(fits, d, zero);
    }
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
      mark = choose(p_only, B(T(2)), mark);
      term = choose(p_only, zero, term);
    }
    // The second sum is p (1 - exp(-d)), which only has a meaning where all d are small.
    return {{term, choose(p > zero, p * d_close - close, zero)}};
  }

 private:
  static constexpr double log2e_hi = 1.44269504088896340736;

  const Row& p_row_;
  const Row& q_row_;
  B p_factor_;
  B q_factor_;
  B shift_;
  B least_y_;
  bool greedy_;
  scaled_exp2<T, Arch> exp2_;
};

template <class Term, class B>
struct bound_kl_term {
  const Term& term;
  B& mark;
  GIBBS_INLINE auto operator()(const B& x, const B& y) const { return term(mark, x, y); }
};

/// The divergence where it is so large, or nearly so, that one d overflows: the sum of p d, as the
/// sum of p - q is 0, element by element in more digits.
template <class T, class Arch>
T kl_from_logits_large(const T* x, const T* y, std::size_t n, const logits_sum<T>& p,
                       const logits_sum<T>& q, const temperature<T>& t) {
  const wide<T> log_p_sum = p.log_mass();
  const wide<T> shift = log_p_sum - q.log_mass();
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

/// A logit of q for the term's least_y.
template <class T, class Arch>
GIBBS_INLINE T least_logit(const temperature<T>& t, T q_largest) {
  constexpr T lowest = std::numeric_limits<T>::lowest();
  constexpr T most = kl_from_logits_term<careful_row<T, Arch>, T, Arch>::most;
  // Written so that nothing overflows, even where a compiler computes what is not needed.
  const bool none = t.limit != temperature<T>::kind::finite || t.value >= 2;
  const double q = static_cast<double>(q_largest);
  const double factor = 2 * static_cast<double>(most);
  const double room = ((q < 0 ? q : 0.0) - static_cast<double>(lowest)) * 0.99 / factor;
  const double reach = factor * (t.value < room ? t.value : room);
  return static_cast<T>(none ? static_cast<double>(lowest) : q - reach);
}

/// Of any two rows. d = log(p / q) is the difference of the distances of the logits from the
/// largest, which does not overflow, less the difference of what belongs to the rows.
template <class T, class Arch>
T kl_from_logits_row(const T* x, const T* y, std::size_t n, const temperature<T>& t) {
  using B = batch<T, Arch>;
  using row = careful_row<T, Arch>;
  using term_type = kl_from_logits_term<row, T, Arch>;
  if (n == 0) return 0;
  const auto p = sum_of_row<T, Arch>(x, n, t);
  const auto q = sum_of_row<T, Arch>(y, n, t);
  if (!is_finite(static_cast<double>(p.rest + q.rest)) ||
      !is_finite(static_cast<double>(p.largest)) || !is_finite(static_cast<double>(q.largest))) {
    return std::numeric_limits<T>::quiet_NaN();
  }
  const row p_row(t, p.largest);
  const row q_row(t, q.largest);
  const wide<T> one(1.0);
  const B p_factor(static_cast<T>(one / (p_row.largest_weight() * p.mass())));
  const B q_factor(static_cast<T>(one / (q_row.largest_weight() * q.mass())));
  const B least_y(least_logit<T, Arch>(t, q.largest));
  const wide<T> log_p_sum = p.log_mass();
  const wide<T> log_q_sum = q.log_mass();
  wide<T> shift = log_p_sum - log_q_sum;
  for (bool refined = false;; refined = true) {
    const term_type term(p_row, q_row, p_factor, q_factor, B(static_cast<T>(shift)), least_y,
                         t.limit == temperature<T>::kind::zero);
    B mark(T(0));
    sums<T, Arch, 2> all;
    sweep_sums<pace::compact>(all, n, bound_kl_term<term_type, B>{term, mark},
                              input<T>{x, -infinity<T>}, input<T>{y, -infinity<T>});
    if (xsimd::any(mark == B(T(2)))) return infinity<T>;
    const wide<T> result = all.total(0);
    if (xsimd::any(mark != B(T(0))) || !is_finite(static_cast<double>(result))) {
      return kl_from_logits_large<T, Arch>(x, y, n, p, q, t);
    }
    // An error of the shift enters squared. Where that could be seen, the second sum tells the
    // error.
    const double size = static_cast<double>(log_p_sum + log_q_sum);
    const double visible = size * size * static_cast<double>(std::numeric_limits<T>::epsilon());
    if (refined || !(static_cast<double>(result) < visible)) return static_cast<T>(result);
    shift = wide<T>(static_cast<T>(shift)) + all.total(1);
  }
}

/// What the divergence of plain rows needs of each of them, a lane a row.
template <class T, class Arch>
struct row_weights {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  plain_row<T, Arch> row;
  wide_type sum;      ///< of the weights
  wide_type log_sum;  ///< the logarithm of the sum of exp((x - max) / T)
  std::uint32_t plain;

  GIBBS_INLINE row_weights(const temperature<T>& t, const plain_totals<T, Arch, 3>& totals)
      : row(t, totals.largest),
        sum(totals.weight * wide_type{totals.maxima(), B(T(0))} + (totals.of[0] + totals.of[1])),
        log_sum(totals.log_sum()),
        plain(totals.plain) {}
};

/// The sums of rows that are not too long for the cache, or of one of any length.
template <class T, class Arch>
GIBBS_INLINE plain_totals<T, Arch, 3> plain_totals_of_rows(const temperature<T>& t,
                                                           matrix_view<const T> x) {
  using B = batch<T, Arch>;
  if (x.columns() <= long_row) return add_up_long_rows<T, Arch>(t, weight_sums(), x);
  const auto sum = sum_of_row<T, Arch>(x.data(), x.columns(), t);
  const bool is_plain = plain_row<T, Arch>::is_plain(plain_row<T, Arch>::limit(t), sum.largest);
  plain_totals<T, Arch, 3> result(plain_row<T, Arch>(t, B(is_plain ? sum.largest : T(0))),
                                  is_plain);
  const B zero(T(0));
  const split<T> below(is_plain ? (sum.mass() - wide<T>(1.0)) * first_lane(result.weight)
                                : wide<T>(0.0));
  result.of[0] = in_all_lanes<T, Arch>(below);
  result.of[1] = {zero, zero};
  result.of[2] = {B(T(1)), zero};
  return result;
}

/// What differs from row to row in the terms of plain rows, a lane a row.
template <class T, class Arch>
struct kl_from_logits_lanes {
  using B = batch<T, Arch>;
  using row_type = plain_row<T, Arch>;
  using term_type = kl_from_logits_term<row_type, T, Arch>;

  const row_type& p_row;
  const row_type& q_row;
  B q_factor;
  B shift;
  B least_y;

  GIBBS_INLINE term_type term() const {
    return term_type(p_row, q_row, B(T(1)), q_factor, shift, least_y, false);
  }
};

/// Of plain rows, by add_up(mark, lanes), which adds up the terms of all of them. d is the
/// difference of the logits over T, less the difference of what belongs to the rows.
template <class T, class Arch, class AddUp>
GIBBS_INLINE row_results<T, Arch> kl_from_logits_plain(const temperature<T>& t,
                                                       const row_weights<T, Arch>& p,
                                                       const row_weights<T, Arch>& q,
                                                       AddUp add_up) {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  using lanes_type = kl_from_logits_lanes<T, Arch>;
  const B zero(T(0));
  const wide_type apart =
      wide_type::sum(p.row.largest(), -q.row.largest()) * in_all_lanes<T, Arch>(t.inverse);
  lanes_type rows{p.row, q.row, (p.sum / q.sum).value(), (p.log_sum + -q.log_sum + apart).value(),
                  q.row.largest() - B(static_cast<T>(2 * lanes_type::term_type::most * t.value))};
  // An error of the shift enters squared. Where that could be seen, the second sum tells the error;
  // it does so only where the rows are close.
  const B size = p.log_sum.hi + q.log_sum.hi + abs(rows.shift);
  const B seen = size * size * B(std::numeric_limits<T>::epsilon());
  const B visible = choose(seen < B(T(0x1p-10)), seen, B(T(0x1p-10)));
  row_results<T, Arch> result{zero, zero == zero};
  for (bool refined = false;; refined = true) {
    B mark = zero;
    const auto all = add_up(mark, rows);
    const B value = (all.first / p.sum).value();
    if (!refined) {
      result.value = value;
      result.valid = (mark == zero) & (abs(value) <= B((std::numeric_limits<T>::max)()));
      const auto again = result.valid & (value < visible);
      if (!xsimd::any(again)) return result;
      rows.shift = choose(again, rows.shift + (all.second / p.sum).value(), rows.shift);
    } else {
      result.value = choose(result.value < visible, value, result.value);
      return result;
    }
  }
}

template <class T, class Arch>
void kl_divergence_rows(matrix_view<const T> p, matrix_view<const T> q, T* results) {
  reduce_probabilities<kl_term_or_limit, T, Arch>(results, false, p, q);
}

template <class T, class Arch>
struct two_totals {
  wide_batch<T, Arch> first;
  wide_batch<T, Arch> second;
};

/// Up to `lanes` short rows.
template <class T, class Arch>
row_results<T, Arch> kl_from_logits_short(const temperature<T>& t, matrix_view<const T> x,
                                          matrix_view<const T> y, std::uint32_t& plain) {
  using B = batch<T, Arch>;
  using lanes_type = kl_from_logits_lanes<T, Arch>;
  using term_type = typename lanes_type::term_type;
  tile<T, Arch> p_tile(x, -infinity<T>);
  tile<T, Arch> q_tile(y, -infinity<T>);
  const row_weights<T, Arch> p(t, add_up_tile<T, Arch>(t, weight_sums(), p_tile));
  const row_weights<T, Arch> q(t, add_up_tile<T, Arch>(t, weight_sums(), q_tile));
  plain = p.plain & q.plain;
  return kl_from_logits_plain(t, p, q, [&](B& mark, const lanes_type& rows) {
    const term_type term = rows.term();
    sums<T, Arch, 2> all;
    add_up_columns(all, bound_kl_term<term_type, B>{term, mark}, p_tile, q_tile);
    return two_totals<T, Arch>{all.total_of_lanes(0).ordered(), all.total_of_lanes(1).ordered()};
  });
}

/// Up to `lanes` rows that are not too long for the cache, or one of any length.
template <class T, class Arch>
row_results<T, Arch> kl_from_logits_long(const temperature<T>& t, matrix_view<const T> x,
                                         matrix_view<const T> y, std::uint32_t& plain) {
  using B = batch<T, Arch>;
  using row_type = plain_row<T, Arch>;
  using lanes_type = kl_from_logits_lanes<T, Arch>;
  using term_type = typename lanes_type::term_type;
  const row_weights<T, Arch> p(t, plain_totals_of_rows<T, Arch>(t, x));
  const row_weights<T, Arch> q(t, plain_totals_of_rows<T, Arch>(t, y));
  plain = p.plain & q.plain;
  if (plain == 0) return {B(T(0)), B(T(0)) == B(T(0))};
  typename row_type::lanes_in_memory p_memory;
  typename row_type::lanes_in_memory q_memory;
  p.row.store(p_memory);
  q.row.store(q_memory);
  return kl_from_logits_plain(t, p, q, [&](B& mark, const lanes_type& rows) {
    alignas(64) T q_factor[lanes<T, Arch>];
    alignas(64) T shift[lanes<T, Arch>];
    alignas(64) T least_y[lanes<T, Arch>];
    alignas(64) T marks[lanes<T, Arch>] = {};
    rows.q_factor.store_aligned(q_factor);
    rows.shift.store_aligned(shift);
    rows.least_y.store_aligned(least_y);
    rows_of_sums<T, Arch, 2> all_rows;
    for (std::size_t r = 0; r < x.rows(); ++r) {
      sums<T, Arch, 2> all;
      if ((plain >> r & 1) != 0) {
        const row_type p_row(rows.p_row, p_memory, r);
        const row_type q_row(rows.q_row, q_memory, r);
        const term_type term(p_row, q_row, B(T(1)), B(q_factor[r]), B(shift[r]), B(least_y[r]),
                             false);
        B row_mark(T(0));
        sweep_sums<pace::fast>(all, x.columns(), bound_kl_term<term_type, B>{term, row_mark},
                               input<T>{row_of(x, r), -infinity<T>},
                               input<T>{row_of(y, r), -infinity<T>});
        if (xsimd::any(row_mark != B(T(0)))) marks[r] = 1;
      }
      all_rows.set(r, all);
    }
    mark = B::load_aligned(marks);
    wide_batch<T, Arch> totals[2];
    all_rows.bring_together(x.rows(), totals);
    return two_totals<T, Arch>{totals[0], totals[1]};
  });
}

template <class T, class Arch>
void kl_divergence_from_logits_rows(matrix_view<const T> p_logits, matrix_view<const T> q_logits,
                                    T* results, double at_temperature) {
  const temperature<T> t(at_temperature);
  const std::size_t columns = p_logits.columns();
  const std::size_t block = rows_at_a_time<T, Arch>(columns);
  for (std::size_t first = 0; first < p_logits.rows(); first += block) {
    const std::size_t rows = (std::min)(block, p_logits.rows() - first);
    const auto x = rows_of(p_logits, first, rows);
    const auto y = rows_of(q_logits, first, rows);
    std::uint32_t done = 0;
    alignas(64) T values[lanes<T, Arch>];
    if (columns > 0 && plain_row<T, Arch>::limit(t) >= 0) {
      const auto result = columns <= longest_tile ? kl_from_logits_short<T, Arch>(t, x, y, done)
                                                  : kl_from_logits_long<T, Arch>(t, x, y, done);
      result.value.store_aligned(values);
      done &= lane_bits<T, Arch>(result.valid, rows);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      results[first + r] = (done >> r & 1) != 0 ? values[r]
                                                : kl_from_logits_row<T, Arch>(
                                                      row_of(x, r), row_of(y, r), columns, t);
    }
  }
}

}  // namespace detail

template <class P, class Q, class Results, class Arch>
requires detail::output_of<Results, std::remove_const_t<P>>
void kl_divergence(matrix_view<P> p, matrix_view<Q> q, Results&& results) {
  detail::check_same_shape("kl_divergence", "p", p, "q", q);
  detail::check_results("kl_divergence", results, p, q);
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
  detail::check_results(function, results, p_logits, q_logits);
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
