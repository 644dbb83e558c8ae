// SPDX-License-Identifier: MIT
//
// A row of logits at a temperature: the weights exp((x - max) / T) of its elements, their distances
// (max - x) / T from the largest, and the sum of the weights.
#ifndef GIBBS_DETAIL_LOGITS_HPP
#define GIBBS_DETAIL_LOGITS_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "beside.hpp"
#include "exp2.hpp"
#include "log.hpp"
#include "logits_sum.hpp"
#include "row_pieces.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "sweep.hpp"
#include "temperature.hpp"
#include "wide.hpp"

namespace gibbs::detail {

/// Rows of logits with a moderate temperature and a maximum that is not large against it. Each lane
/// may belong to a row of its own; one of those rows has a reference to what all have.
template <class T, class Arch, bool IsOneOfMany = false>
class plain_row {
  using B = batch<T, Arch>;
  template <class, class, bool>
  friend class plain_row;

 public:
  GIBBS_PART plain_row(const temperature<T>& t, const B& largest)
      : largest_(largest),
        inverse_hi_(t.inverse.hi),
        inverse_lo_(t.inverse.lo),
        exp2_(t.log2e, t.octave, largest) {}

  /// Rows are plain whose maximum is not beyond this: with a larger one digits would be lost where
  /// the exponent is split. Negative where no row is.
  GIBBS_PART static T limit(const temperature<T>& t) {
    // Without overflow, even where a compiler computes it ahead.
    const T result = static_cast<T>(bound) / t.inverse.hi;
    return t.moderate && t.limit == temperature<T>::kind::finite ? result : T(-1);
  }
  GIBBS_PART static bool is_plain(T limit, T largest) {
    return (largest < 0 ? -largest : largest) <= limit;
  }
  GIBBS_PART static mask<T, Arch> is_plain(T limit, const B& largest) {
    return abs(largest) <= B(limit);
  }

  /// exp((x - max) / T) times a power of two that is the same for the whole row.
  GIBBS_PART exponential<T, Arch> weight(const B& x) const { return exp2_(x); }
  /// Likewise, 0 for the maximum.
  GIBBS_PART exponential<T, Arch> weight_unless(const mask<T, Arch>& is_largest, const B& x) const {
    return exp2_.unless(is_largest, x);
  }
  /// weight(x) with an error that is small beside that of the rounded number.
  GIBBS_PART wide_batch<T, Arch> weight_in_parts(const B& x) const { return exp2_.in_parts(x); }

  /// x, or a number with weight 0 if x is less than that.
  GIBBS_PART B clamped(const B& x) const { return exp2_.clamped(x); }

  /// (x - max) / T - log_sum; -infinity for x = -infinity.
  GIBBS_PART B log_probability(const B& x, const B& log_sum) const {
    if constexpr (has_fma<Arch>) {
      B d = x - largest_;
      return multiply_add(d, inverse_hi_, multiply_subtract(d, inverse_lo_, log_sum));
    } else {
      return B(T(0)) - (difference(largest_, x) + log_sum);
    }
  }

  /// max - x, not divided by T, for x not -infinity.
  GIBBS_PART B distance_times_t(const B& x) const { return largest_ - x; }

  /// (a - b) / T for a not -infinity; +infinity for b = -infinity.
  GIBBS_PART B difference(const B& a, const B& b) const {
    B d = a - max_or_second(B(std::numeric_limits<T>::lowest()), b);
    return choose(b == B(-infinity<T>), B(infinity<T>), over(d, inverse_hi_, inverse_lo_));
  }

  /// d * (inverse_hi + inverse_lo). In this order an overflow keeps its sign.
  GIBBS_PART static B over(const B& d, const B& inverse_hi, const B& inverse_lo) {
    B quotient = d * inverse_hi;
    if constexpr (has_fma<Arch>) {
      return multiply_add(d, inverse_lo, quotient);
    } else {
      auto overflow = abs(quotient) > B((std::numeric_limits<T>::max)());
      return multiply_add(choose(overflow, B(T(0)), d), inverse_lo, quotient);
    }
  }

  GIBBS_PART const B& largest() const { return largest_; }

  /// The weight of the maximum itself, with an error that is small beside that of the rounded
  /// number, since all sums are divided by it. (With a table the two parts have that anyway.)
  GIBBS_PART wide_batch<T, Arch> largest_weight() const {
    if constexpr (has_look_up<Arch>) {
      auto w = weight(largest_);
      return wide_batch<T, Arch>::ordered_sum(w.s, w.rest());
    } else {
      return weight_in_parts(largest_).ordered();
    }
  }

  struct lanes_in_memory {
    alignas(64) T largest[lanes<T, Arch>];
    exp2_pivots<T, Arch> exp2;
  };
  GIBBS_PART void store(lanes_in_memory& to) const {
    largest_.store_aligned(to.largest);
    exp2_.store(to.exp2);
  }
  /// That of one lane, in all lanes.
  GIBBS_PART plain_row(const plain_row<T, Arch>& all,
                       const typename plain_row<T, Arch>::lanes_in_memory& from, std::size_t lane)
      : largest_(from.largest[lane]),
        inverse_hi_(all.inverse_hi_),
        inverse_lo_(all.inverse_lo_),
        exp2_(all.exp2_, from.exp2, lane) {}

  /// For batches side by side.
  template <class Single, bool IsOne>
  GIBBS_PART explicit plain_row(const plain_row<T, Single, IsOne>& one)
      : largest_(one.largest_),
        inverse_hi_(one.inverse_hi_),
        inverse_lo_(one.inverse_lo_),
        exp2_(one.exp2_) {}

  static constexpr double bound =
      0.69 * static_cast<double>(scaled_exp2<T, Arch>::largest_exponent);

 private:
  B largest_;
  own_or_shared<IsOneOfMany, B> inverse_hi_;
  own_or_shared<IsOneOfMany, B> inverse_lo_;
  scaled_exp2<T, Arch, IsOneOfMany> exp2_;
};
template <class T, class Arch>
using one_plain_row = plain_row<T, Arch, true>;

/// A row for batches side by side. IsBelow says that no maximum of the row is among them.
template <class T, class Several, bool IsBelow = false>
class row_beside : public plain_row<T, Several> {
 public:
  static constexpr bool is_below = IsBelow;
  template <bool IsOne>
  GIBBS_PART explicit row_beside(const plain_row<T, single_arch<Several>, IsOne>& one)
      : plain_row<T, Several>(one) {}
};

/// Any other row: its maximum is subtracted first, which is exact for all elements that count where
/// the maximum is large, and is scaled with the temperature.
template <class T, class Arch>
class careful_row {
  using B = batch<T, Arch>;
  using kind = typename temperature<T>::kind;

 public:
  GIBBS_PART careful_row(const temperature<T>& t, T largest) : careful_row(t, largest, largest) {}

  /// Of a row whose differences are put beside those of one with the other maximum.
  GIBBS_PART careful_row(const temperature<T>& t, T largest, T other_largest)
      : limit_(t.limit),
        largest_(largest),
        inverse_hi_(t.inverse.hi),
        inverse_lo_(t.inverse.lo),
        before_(t.before),
        difference_scale_(t.before),
        difference_unscale_(T(1)),
        after_{B(t.after[0]), B(t.after[1])},
        shift_(T(0)),
        floor_(-infinity<T>),
        least_difference_(t.least_difference),
        exp2_(t.log2e, t.octave, B(pivot(t, largest))) {
    if (is_large(t, largest)) {
      shift_ = B(largest * t.before);
      // Without overflow; what is less than 0 does not count then.
      if (largest > 0) floor_ = B(T(0));
    }
    // Where differences of logits may overflow and their quotients by T need not.
    if (t.moderate && (is_huge(largest) || is_huge(other_largest))) {
      difference_scale_ = B(T(0.25));
      difference_unscale_ = B(T(4));
    }
  }

  GIBBS_PART exponential<T, Arch> weight_unless(const mask<T, Arch>& is_largest, const B& x) const {
    auto w = weight(x);
    w.s = choose(is_largest, B(T(0)), w.s);
    return w;
  }

  GIBBS_PART exponential<T, Arch> weight(const B& x) const { return exp2_(shifted(x)); }
  /// Likewise, with an error that is small beside that of the rounded number.
  GIBBS_PART wide_batch<T, Arch> weight_in_parts(const B& x) const {
    return exp2_.in_parts(shifted(x));
  }

  GIBBS_PART B log_probability(const B& x, const B& log_sum) const {
    return B(T(0)) - difference(largest_, x, log_sum);
  }

  /// (max - x) / T; +infinity for x = -infinity.
  GIBBS_PART B distance(const B& x) const { return difference(largest_, x, B(T(0))); }

  /// ((other's max - y) - (max - x)) / T - shift, rounded only once it is a single difference, for
  /// elements that differ from their maxima by so little that nothing overflows. Where T is a limit
  /// these are the maxima.
  GIBBS_PART B difference_to(const careful_row& other, const B& x, const B& y,
                             const B& shift) const {
    using wide_type = wide_batch<T, Arch>;
    if (limit_ != kind::finite) return -shift;
    auto apart = distance_in_parts(x);
    auto other_apart = other.distance_in_parts(y);
    auto d = wide_type::sum(other_apart.hi, -apart.hi);
    d.lo += other_apart.lo - apart.lo;
    B zero(T(0));
    return wide_type::product_minus({scaled_after(d.hi), scaled_after(d.lo)},
                                    {inverse_hi_, inverse_lo_},
                                    {shift * (B(T(1)) / difference_unscale_), zero}) *
           difference_unscale_;
  }

 private:
  /// What the exponential gets to see of x.
  GIBBS_PART B shifted(const B& x) const {
    B negative_infinity(-infinity<T>);
    if (limit_ == kind::zero) {
      return choose(x == largest_, B(T(0)), choose(x < largest_, negative_infinity, x));
    }
    if (limit_ == kind::infinite) {
      B finite = max_or_second(B(lowest()), x);
      return choose(x == negative_infinity, negative_infinity, finite - finite);
    }
    B d = max_or_second(least_difference_, max_or_second(floor_, x) * before_ - shift_);
    return scaled_after(d);
  }

  /// What is left of the scaling of a difference by the temperature.
  GIBBS_PART B scaled_after(const B& difference) const {
    return (difference * after_[0]) * after_[1];
  }

  /// (a - b) / T + more.
  GIBBS_PART B difference(const B& a, const B& b, const B& more) const {
    B b_finite = max_or_second(B(lowest()), b);
    B result;
    if (limit_ == kind::zero) {
      result = choose(a == b_finite, more, choose(a > b_finite, B(infinity<T>), a - b_finite));
    } else if (limit_ == kind::infinite) {
      result = (a - a) + (b_finite - b_finite) + more;
    } else {
      result = over_t(a * difference_scale_ - b_finite * difference_scale_, more);
    }
    return choose(b == B(-infinity<T>), B(infinity<T>), result);
  }

  /// max - x, times the scale of differences.
  GIBBS_PART wide_batch<T, Arch> distance_in_parts(const B& x) const {
    return wide_batch<T, Arch>::sum(largest_ * difference_scale_, -(x * difference_scale_));
  }

  /// A difference times its scale, over T, + more.
  GIBBS_PART B over_t(const B& difference, const B& more) const {
    B d = scaled_after(difference);
    auto overflow = abs(d) > B((std::numeric_limits<T>::max)());
    B counted = choose(overflow, B(T(0)), d);
    B scaled_more = more * (B(T(1)) / difference_unscale_);
    B quotient;
    if constexpr (has_fma<Arch>) {
      quotient =
          multiply_add(counted, inverse_hi_, multiply_add(counted, inverse_lo_, scaled_more));
    } else {
      quotient = plain_row<T, Arch>::over(counted, inverse_hi_, inverse_lo_) + scaled_more;
    }
    return choose(overflow, d, quotient * difference_unscale_);
  }

 public:
  GIBBS_PART const B& largest() const { return largest_; }

  GIBBS_PART wide<T> largest_weight() const { return first_lane(weight_in_parts(largest_)); }

 private:
  GIBBS_PART static bool is_huge(T x) {
    constexpr T huge = (std::numeric_limits<T>::max)() / T(1 << 30);
    return !(x < huge && x > -huge);
  }
  GIBBS_PART static constexpr T lowest() { return std::numeric_limits<T>::lowest(); }

  GIBBS_PART static bool is_large(const temperature<T>& t, T largest) {
    const double m = static_cast<double>(largest < 0 ? -largest : largest);
    // -infinity, the maximum of nothing, is not large.
    return largest != -infinity<T> && !(m / plain_row<T, Arch>::bound <= t.value);
  }

  /// The largest of the numbers that the exponential gets to see.
  GIBBS_PART static T pivot(const temperature<T>& t, T largest) {
    const bool none = largest == -infinity<T> || t.limit != kind::finite || is_large(t, largest);
    // In this order nothing overflows, even where a compiler computes it ahead.
    const T x = none ? T(0) : largest;
    return (x * t.before * t.after[0]) * t.after[1];
  }

  kind limit_;
  B largest_;
  B inverse_hi_;
  B inverse_lo_;
  B before_;
  B difference_scale_;
  B difference_unscale_;
  B after_[2];
  B shift_;
  B floor_;
  B least_difference_;
  scaled_exp2<T, Arch> exp2_;
};

/// The sums that every reduction of logits has: the first two are of the two parts of the weights
/// of all elements below the maximum, the last counts the maxima.
template <std::size_t N, class T, class Arch, class Row>
GIBBS_PART terms<T, Arch, N> weight_terms(const Row& row, const batch<T, Arch>& x) {
  using B = batch<T, Arch>;
  terms<T, Arch, N> result{};
  if constexpr (requires { requires Row::is_below; }) {
    auto w = row.weight(x);
    result.of[0] = w.s;
    result.of[1] = w.rest();
    result.of[N - 1] = B(T(0));
  } else {
    auto is_largest = x == row.largest();
    auto w = row.weight_unless(is_largest, x);
    result.of[0] = w.s;
    result.of[1] = w.rest();
    result.of[N - 1] = zero_unless(is_largest, B(T(1)));
  }
  return result;
}

struct weight_sums {
  template <class Arch>
  using several = four_or<Arch, eight<Arch>>;
  static constexpr std::size_t size = 3;
  template <class Row, class B>
  GIBBS_PART auto operator()(const Row& row, const B& x) const {
    return weight_terms<size>(row, x);
  }
};

/// Terms of a row, to be swept over.
template <class Terms, class T, class Arch, class Row>
struct bound_terms {
  using several = typename Terms::template several<Arch>;
  static constexpr bool fetches_ahead = true;
  Terms of;
  const Row& row;
  template <class... B>
  GIBBS_PART auto operator()(const B&... x) const {
    return of(row, x...);
  }
  template <class Sums, class... Others>
  GIBBS_PART bool add_up_several(Sums& into, const batch<T, several>& x,
                                 const Others&... others) const {
    batch<T, several> largest(row.largest());
    if (any_holds(x == largest)) {
      into.add_groups(of(row_beside<T, several>(row), x, others...));
    } else {
      into.add_groups(of(row_beside<T, several, true>(row), x, others...));
    }
    return true;
  }
};

/// Plain rows, each in a lane, and the sums over them.
template <class T, class Arch, std::size_t N>
struct plain_totals {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;

  B largest;
  wide_type weight;  ///< of the maximum
  wide_type of[N];
  row_set plain;  ///< The other rows have nothing here.

  GIBBS_PART plain_totals() = default;
  GIBBS_PART plain_totals(const plain_row<T, Arch>& row, row_set rows)
      : largest(row.largest()), weight(row.largest_weight()), plain(rows) {}

  GIBBS_PART const B& maxima() const { return of[N - 1].hi; }

  /// The sum of exp((x - max) / T) over all elements below the maximum.
  GIBBS_PART wide_type below() const { return (of[0] + of[1]) / weight; }

  /// Over all elements, and the logarithm of that.
  GIBBS_PART wide_type all() const { return wide_type{maxima(), B(T(0))} + below(); }
  GIBBS_PART wide_type log_sum() const { return log_of_sum(maxima(), below()); }

  /// The sum of exp((x - max) / T) (max - x) / T, where of[2] is the one of weights times (max - x)
  /// times the first part of 1 / T.
  GIBBS_PART wide_type distances(const temperature<T>& t) const {
    return of[2] * wide_type{B(T(1)), B(t.inverse.lo * static_cast<T>(t.value))} / weight;
  }

  /// Of the first row.
  GIBBS_PART logits_sum<T> first_sum() const {
    const wide<T> rest = first_lane(below()) + wide<T>(first_lane(maxima()) - T(1));
    return {first_lane(largest), rest * wide<T>(sum_unit)};
  }
};

/// A row's sums of terms, still apart by lanes.
template <class T, class Arch, class Row, class Terms, class... Others>
GIBBS_PART sums<T, Arch, Terms::size, true> add_up_row(const Row& row, Terms of, std::size_t n,
                                                       const T* x, Others... others) {
  sums<T, Arch, Terms::size, true> all;
  sweep_sums<pace::fast>(all, n, bound_terms<Terms, T, Arch, Row>{of, row},
                         input<T>{x, -infinity<T>}, input<T>{others, T(0)}...);
  return all;
}

/// The sums of one row of any length that is plain and has this maximum, and of others beside it.
template <class T, class Arch, class Terms, class... Others>
GIBBS_PART plain_totals<T, Arch, Terms::size> add_up_plain_row(const temperature<T>& t, T largest,
                                                               Terms of, std::size_t n, const T* x,
                                                               Others... others) {
  plain_row<T, Arch> row(t, batch<T, Arch>(largest));
  plain_totals<T, Arch, Terms::size> result(row, 1);
  rows_of_sums<T, Arch, Terms::size> all;
  all.set(0, add_up_row<T, Arch>(row, of, n, x, others...));
  all.bring_together(1, result.of);
  return result;
}

/// The sums of short rows of logits, and of others of the same shape, over those that are plain.
template <class T, class Arch, class Terms, class Tile, class... Tiles>
GIBBS_PART plain_totals<T, Arch, Terms::size> add_up_tile(const temperature<T>& t, Terms of,
                                                          Tile& x, const Tiles&... others) {
  using row_type = plain_row<T, Arch>;
  auto plain = x.template keep_plain<false>(row_type::limit(t));
  row_type row(t, plain.largest);
  plain_totals<T, Arch, Terms::size> result(row, plain.rows);
  sums<T, Arch, Terms::size, true> all;
  add_up_columns<4, true>(
      all, x, [&](std::size_t c) GIBBS_PART_LAMBDA { return of(row, x[c], others[c]...); },
      [&](auto& sum, four_columns c) GIBBS_PART_LAMBDA {
        if constexpr (Tile::has_four) {
          sum.add_groups(of(row_beside<T, four<Arch>>(row), x.four(c), others.four(c)...));
        }
        return true;
      });
  unroll<Terms::size>([&](std::size_t i)
                          GIBBS_PART_LAMBDA { result.of[i] = all.total_of_lanes(i); });
  return result;
}

/// Likewise of rows that come in pieces. Where x is not plain others are added up as they are.
template <class T, class Arch, class Terms, class... Others>
GIBBS_PART plain_totals<T, Arch, Terms::size> add_up_plain_pieces(const temperature<T>& t, Terms of,
                                                                  piece_count<T, Arch> pieces,
                                                                  row_pieces<T, Arch>& x,
                                                                  const Others&... others) {
  using row_type = plain_row<T, Arch>;
  auto plain = x.template keep_plain<false>(pieces, row_type::limit(t));
  row_type all(t, plain.largest);
  typename row_type::lanes_in_memory in_memory;
  all.store(in_memory);
  plain_totals<T, Arch, Terms::size> result(all, plain.rows);
  add_up_pieces<sum_kinds<Terms::size, none_bounded, true>>(
      pieces, x.rows(),
      [&]<class A>(A, std::size_t r, std::size_t k) GIBBS_PART_LAMBDA {
        row_beside<T, A> row(one_plain_row<T, Arch>(all, in_memory, r));
        return of(row, x.template read<A>(pieces, r, k, -infinity<T>),
                  others.template read<A>(pieces, r, k, T(0))...);
      },
      result.of);
  return result;
}

/// The maxima of up to `lanes` rows of any length and, if wanted, the minima of what is not less
/// than floor, each in the lane of its row; 0 for rows that are not plain.
template <bool WithSmallest, class T, class Arch>
GIBBS_PART plain_maxima<T, Arch> plain_rows_of(T limit, const matrix_view<const T>& x,
                                               T floor = -infinity<T>) {
  using B = batch<T, Arch>;
  B zero(T(0));
  B maxima[lanes<T, Arch>];
  [[maybe_unused]] B minima[lanes<T, Arch>];
  for (std::size_t r = 0; r < x.rows(); ++r) {
    auto of_row = sweep_extremes<WithSmallest, T, Arch>(x.columns(), row_of(x, r), floor);
    maxima[r] = of_row.largest;
    if constexpr (WithSmallest) minima[r] = of_row.smallest;
  }
  B largest = max_across_lanes<T, Arch>(maxima, x.rows());
  auto is_plain = plain_row<T, Arch>::is_plain(limit, largest);
  B smallest = zero;
  if constexpr (WithSmallest) {
    smallest = choose(is_plain, min_across_lanes<T, Arch>(minima, x.rows()), zero);
  }
  return {choose(is_plain, largest, zero), smallest, lane_bits<T, Arch>(is_plain, x.rows())};
}

/// The sums of up to `lanes` rows of any length, over those that are plain.
template <class T, class Arch, class Terms, class... Others>
GIBBS_KERNEL plain_totals<T, Arch, Terms::size> add_up_long_rows(const temperature<T>& t, Terms of,
                                                                 const matrix_view<const T>& x,
                                                                 const Others&... others) {
  using B = batch<T, Arch>;
  using row_type = plain_row<T, Arch>;
  auto plain = plain_rows_of<false, T, Arch>(row_type::limit(t), x);
  row_type rows(t, plain.largest);
  plain_totals<T, Arch, Terms::size> result(rows, plain.rows);
  typename row_type::lanes_in_memory in_memory;
  rows.store(in_memory);
  rows_of_sums<T, Arch, Terms::size> all;
  for (std::size_t r = 0; r < x.rows(); ++r) {
    if (has_row(plain.rows, r)) {
      all.set(r, add_up_row<T, Arch>(one_plain_row<T, Arch>(rows, in_memory, r), of, x.columns(),
                                     row_of(x, r), row_of(others, r)...));
    } else {
      terms<T, Arch, Terms::size> one{};
      for (std::size_t i = 0; i < Terms::size; ++i) one.of[i] = B(T(0));
      one.of[Terms::size - 1] = B(T(1));  // a maximum, to compute with
      sums<T, Arch, Terms::size, true> of_row;
      of_row.add(one);
      all.set(r, of_row);
    }
  }
  all.bring_together(x.rows(), result.of);
  return result;
}

template <class T, class Arch, class Terms, class... Others>
GIBBS_PART plain_totals<T, Arch, Terms::size> add_up_rows(const temperature<T>& t, Terms of,
                                                          const matrix_view<const T>& x,
                                                          const Others&... others) {
  const std::size_t columns = x.columns();
  if (columns <= longest_transposed<T, Arch>) {
    tile<T, Arch> in(x);
    return add_up_tile<T, Arch>(t, of, in, tile<T, Arch>(others)...);
  }
  if constexpr (is_avx512<Arch> && std::is_same_v<T, float>) {
    static_assert(longest_transposed<T, Arch> >= least_pieces * lanes<T, Arch>);
    if (columns <= longest_tile) {
      row_pieces<T, Arch> in(x);
      return add_up_plain_pieces(t, of, piece_count<T, Arch>(columns), in,
                                 row_pieces<T, Arch>(others)...);
    }
  }
  return add_up_long_rows<T, Arch>(t, of, x, others...);
}

/// The number of rows that are taken at a time: one if it is a long one.
template <class T, class Arch>
GIBBS_PART std::size_t rows_at_a_time(std::size_t columns) {
  constexpr std::size_t most = lanes<T, Arch>;
  if (columns < long_row / most) return most;
  return (std::min)(long_row / (columns + 1) + 1, most);
}

/// Results, a lane a row, and where they hold.
template <class T, class Arch>
struct row_results {
  batch<T, Arch> value;
  mask<T, Arch> valid;
};

/// results[r] is what finish(first, rows, totals) makes of the sums, a lane a row from `first` on,
/// where the row is plain, not too long, and the result valid; otherwise alone(r). The totals may
/// be those of four<Arch>.
template <class T, class Arch, class Terms, class Finish, class Alone, class... Others>
GIBBS_PART void reduce_logits(T* results, const temperature<T>& t, Terms of, Finish finish,
                              Alone alone, const matrix_view<const T>& logits,
                              const Others&... others) {
  const std::size_t columns = logits.columns();
  if (columns == 0 || columns > long_row || plain_row<T, Arch>::limit(t) < 0) {
    for (std::size_t i = 0; i < logits.rows(); ++i) results[i] = alone(i);
    return;
  }
  const std::size_t among_others =
      rows_among_others<T, Arch>(logits.rows(), columns, columns <= longest_transposed<T, Arch>);
  if constexpr (takes_four<Arch>) {
    // Not by put(), a call that a single row would wait for.
    for (std::size_t i = among_others; i < logits.rows(); ++i) {
      lone_row<T, Arch> x(rows_of(logits, i, 1));
      auto totals = add_up_tile<T, Arch>(t, of, x, lone_row<T, Arch>(rows_of(others, i, 1))...);
      row_results<T, Arch> finished = finish(i, 1, totals);
      const bool done = (totals.plain & lane_bits<T, Arch>(finished.valid, 1)) != 0;
      results[i] = done ? first_lane(finished.value) : alone(i);
    }
    if (among_others == 0) return;
  }
  const auto put = [&]<class A>(std::size_t first, std::size_t rows,
                                const plain_totals<T, A, Terms::size>& totals) GIBBS_KERNEL {
    row_results<T, A> finished = finish(first, rows, totals);
    const row_set done = totals.plain & lane_bits<T, A>(finished.valid, rows);
    if (rows == lanes<T, A> && done == first_rows(rows)) {
      write(results + first, finished.value);
      return;
    }
    alignas(64) T values[lanes<T, A>];
    write(values, finished.value);
    for (std::size_t r = 0; r < rows; ++r) {
      results[first + r] = has_row(done, r) ? values[r] : alone(first + r);
    }
  };
  std::size_t first = for_each_four<T, Arch>(
      among_others, columns, [&]<class Four>(Four, std::size_t i) GIBBS_KERNEL_OR_PART {
        constexpr std::size_t rows = lanes<T, Four>;
        tile<T, Four> x(rows_of(logits, i, rows));
        put(i, rows, add_up_tile<T, Four>(t, of, x, tile<T, Four>(rows_of(others, i, rows))...));
      });
  // What comes after the sums is a long chain of operations, of which several overlap here.
  constexpr std::size_t at_once = 4;
  plain_totals<T, Arch, Terms::size> totals[at_once];
  const std::size_t block = rows_at_a_time<T, Arch>(columns);
  for (; first < among_others; first += at_once * block) {
    const std::size_t end = (std::min)(first + at_once * block, among_others);
    for (std::size_t i = first, k = 0; i < end; i += block, ++k) {
      const std::size_t rows = (std::min)(block, end - i);
      totals[k] =
          add_up_rows<T, Arch>(t, of, rows_of(logits, i, rows), rows_of(others, i, rows)...);
    }
    for (std::size_t i = first, k = 0; i < end; i += block, ++k) {
      put(i, (std::min)(block, end - i), totals[k]);
    }
  }
}

template <class T, class Arch, std::size_t N>
GIBBS_PART logits_sum<T> sum_of(const careful_row<T, Arch>& row, T largest,
                                const sums<T, Arch, N, true>& all) {
  // Also where NaN is beside it, which is looked for in the end.
  if (largest == infinity<T>) return {largest, wide<T>(std::numeric_limits<double>::quiet_NaN())};
  const wide<T> below = all.total(0) + all.total(1);
  // Nothing but -infinity, and perhaps NaN, which the sum has kept: there is no weight to divide
  // by.
  if (largest == -infinity<T>) return {largest, below};
  const wide<T> rest = below / row.largest_weight() + (all.total(N - 1) - wide<T>(1.0));
  return {largest, rest * wide<T>(sum_unit)};
}

/// Long rows come in up to this many parts, each of pieces of long_row elements. How a row is cut
/// depends on its length alone, so that results do not depend on how many threads take part.
inline constexpr std::size_t most_parts = 256;

GIBBS_INLINE std::size_t elements_a_part(std::size_t n) {
  const std::size_t pieces = (n + long_row - 1) / long_row;
  return (pieces + most_parts - 1) / most_parts * long_row;
}

/// Calls f(part, first element, number of elements) for each part of a row, one after the other.
/// parallel.hpp has one that does not wait.
struct one_by_one {
  template <class F>
  GIBBS_PART void operator()(std::size_t n, F f) const {
    const std::size_t size = elements_a_part(n);
    for (std::size_t part = 0; part * size < n; ++part) {
      f(part, part * size, (std::min)(size, n - part * size));
    }
  }
};

/// The sum over a row in pieces, of_piece(first element, number of elements) each.
template <class Sum, class T, class Arch, class ForParts, class OfPiece>
GIBBS_PART Sum sum_in_parts(std::size_t n, const temperature<T>& t, ForParts for_parts,
                            OfPiece of_piece) {
  if (n == 0) return Sum();
  if (n <= long_row) return of_piece(0, n);
  Sum parts[most_parts];
  for_parts(n, [&](std::size_t part, std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; i += long_row) {
      merge<T, Arch>(parts[part], of_piece(first + i, (std::min)(long_row, count - i)), t);
    }
  });
  Sum sum;
  const std::size_t size = elements_a_part(n);
  for (std::size_t part = 0; part * size < n; ++part) merge<T, Arch>(sum, parts[part], t);
  return sum;
}

template <class T, class Arch>
GIBBS_KERNEL logits_sum<T> sum_of_piece(const T* x, std::size_t n, const temperature<T>& t) {
  const T largest = sweep_max<T, Arch>(n, x);
  if (plain_row<T, Arch>::is_plain(plain_row<T, Arch>::limit(t), largest)) {
    return add_up_plain_row<T, Arch>(t, largest, weight_sums(), n, x).first_sum();
  }
  careful_row<T, Arch> row(t, largest);
  sums<T, Arch, 3, true> all;
  sweep_sums<pace::compact>(
      all, n, [&](const batch<T, Arch>& v) { return weight_terms<3>(row, v); },
      input<T>{x, -infinity<T>});
  return sum_of(row, largest, all);
}

/// Any row.
template <class T, class Arch, class ForParts = one_by_one>
GIBBS_KERNEL logits_sum<T> sum_of_row(const T* x, std::size_t n, const temperature<T>& t,
                                      ForParts for_parts = {}) {
  auto sum = sum_in_parts<logits_sum<T>, T, Arch>(
      n, t, for_parts, [&](std::size_t first, std::size_t count) {
        return sum_of_piece<T, Arch>(x + first, count, t);
      });
  if (sum.largest == infinity<T> && !has_nan<T, Arch>(n, x)) sum.rest = wide<T>(0.0);
  return sum;
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_LOGITS_HPP
