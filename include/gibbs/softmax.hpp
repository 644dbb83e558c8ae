// SPDX-License-Identifier: MIT
//
// softmax and log_softmax: from logits to probabilities and log-probabilities.
#ifndef GIBBS_SOFTMAX_HPP
#define GIBBS_SOFTMAX_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "accuracy.hpp"
#include "detail/arguments.hpp"
#include "detail/logits.hpp"
#include "detail/row_pieces.hpp"
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

/// The same for each row of a matrix. Errors: also if the shapes differ or rows of out overlap.
template <class In, class Arch = detail::default_arch>
void softmax(const matrix_view<In>& logits, const matrix_view<std::remove_const_t<In>>& out,
             const logit_options& options = {});

/// softmax(logits, out, options), and returns log_sum_exp(logits, options).
template <detail::float_range Logits, class Out, class Arch = detail::default_arch>
requires detail::output_of<Out, detail::element<Logits>> detail::element<Logits>
softmax_with_log_sum_exp(const Logits& logits, Out&& out, const logit_options& options = {});

/// The same for each row of a matrix: results[i] belongs to row i. Errors: also if results does not
/// have as many elements as there are rows, or overlaps logits or out.
template <class In, class Results, class Arch = detail::default_arch>
requires detail::output_of<Results, std::remove_const_t<In>>
void softmax_with_log_sum_exp(const matrix_view<In>& logits,
                              const matrix_view<std::remove_const_t<In>>& out, Results&& results,
                              const logit_options& options = {});

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

/// The same for each row of a matrix. Errors: also if the shapes differ or rows of out overlap.
template <class In, class Arch = detail::default_arch>
void log_softmax(const matrix_view<In>& logits, const matrix_view<std::remove_const_t<In>>& out,
                 const logit_options& options = {});

// ---------------------------------------------------------------------------------------------------

namespace detail {

template <class T, class Arch>
GIBBS_PART void fill_row(T* out, std::size_t n, T value) {
  for (std::size_t i = 0; i < n; ++i) out[i] = value;
}

/// What softmax adds up: the weights as they are rounded, so that what dominates their sum is
/// divided by itself; with the log-sum-exp the terms of that, too.
template <bool WithTotal, class T, class Arch, class Row>
GIBBS_PART auto softmax_terms(batch<T, Arch>& weight, const Row& row, const batch<T, Arch>& x) {
  using B = batch<T, Arch>;
  auto w = row.weight(x);
  weight = w.value();
  if constexpr (WithTotal) {
    auto is_largest = x == row.largest();
    w.s = zero_if(is_largest, w.s);
    return terms<T, Arch, 4>{{w.s, w.rest(), weight, zero_unless(is_largest, B(T(1)))}};
  } else {
    return terms<T, Arch, 1>{{weight}};
  }
}

/// The same of a row, to be swept over.
template <bool WithTotal, class T, class Arch, class Row>
class softmax_terms_of {
  using B = batch<T, Arch>;

 public:
  // In fours, of which the sum is exact if they are equal.
  using several = std::conditional_t<WithTotal || (std::is_same_v<T, float> && !is_avx512<Arch>),
                                     four<Arch>, four_or<Arch, eight<Arch>>>;

  GIBBS_PART explicit softmax_terms_of(const Row& row) : row_(row) {}

  GIBBS_PART auto operator()(B& weight, const B& x) const {
    return softmax_terms<WithTotal>(weight, row_, x);
  }
  GIBBS_PART auto operator()(batch<T, several>& weights, const batch<T, several>& x) const {
    return softmax_terms<WithTotal>(weights, row_beside<T, several>(row_), x);
  }

 private:
  const Row& row_;
};

/// Which of the sums is the one of all weights, and how many there are.
template <bool WithTotal>
inline constexpr std::size_t softmax_sum = WithTotal ? 2 : 0;
template <bool WithTotal>
inline constexpr std::size_t softmax_size = WithTotal ? 4 : 1;

/// What is kept of up to `lanes` rows: without the log-sum-exp only which of them are done.
struct rows_done {
  row_set plain;
  rows_done() = default;
  template <class T, class Arch, std::size_t N>
  GIBBS_PART rows_done(const plain_totals<T, Arch, N>& totals) : plain(totals.plain) {}
};
template <bool WithTotal, class T, class Arch>
using softmax_result = std::conditional_t<WithTotal, plain_totals<T, Arch, 4>, rows_done>;

template <class T, class Arch>
GIBBS_PART batch<T, Arch> scaled(const batch<T, Arch>& weight, const wide_batch<T, Arch>& scale) {
  if constexpr (has_fma<Arch>) {
    return multiply_add(weight, scale.hi, weight * scale.lo);
  } else {
    // The first product is exact. Rounded before it is added to the rest, it would not notice it.
    auto high = short_part(weight);
    auto scale_high = short_part(scale.hi);
    return high * scale_high +
           (high * ((scale.hi - scale_high) + scale.lo) + (weight - high) * scale.hi);
  }
}

template <class T, class Arch>
GIBBS_PART wide_batch<T, Arch> reciprocal(const wide_batch<T, Arch>& x) {
  using B = batch<T, Arch>;
  B hi = B(T(1)) / x.hi;
  B rest = multiply_subtract(hi, x.lo, wide_batch<T, Arch>::missing(hi, x.hi, B(T(1))));
  return {hi, -rest * hi};
}

template <class T>
GIBBS_INLINE void softmax_of_one(T x, T& out) {
  out = is_finite(static_cast<double>(x)) ? T(1) : std::numeric_limits<T>::quiet_NaN();
}

/// How far below the maximum of their row logits are whose results may be subnormal numbers that
/// the plain rows' rounded weights and sums would put more than a unit off.
template <class T, class Arch>
struct subnormal_distance {
  T octave;  ///< halves a weight
  T from;
  T to;
  /// The same as `from`, and hardly less than it has to be, where the sum of the weights is 1.
  T nearest;
  /// Results of what is farther are less than half the smallest number.
  T end;
  /// What is less is a mask, or as good as one, in all plain rows.
  T floor;

  GIBBS_PART subnormal_distance(const temperature<T>& t, std::size_t n) {
    constexpr double ln2 = 0x1.62e42fefa39efp-1;
    constexpr int smallest_normal = 1 - std::numeric_limits<T>::min_exponent;
    // Less than a third of a unit is left of the errors of results 2^-2 times as large; without FMA
    // all products that are added up are rounded to units.
    constexpr int last = smallest_normal + (has_fma<Arch> ? 2 : std::numeric_limits<T>::digits);
    // The sum of the weights is not larger than n times that of the maximum. One more is for the
    // rounding of differences from the maximum.
    octave = static_cast<T>(ln2 * t.value);
    from = static_cast<T>((smallest_normal - bits_of(static_cast<double>(n)) - 1) * ln2 * t.value);
    to = static_cast<T>((last + 1) * ln2 * t.value);
    nearest = static_cast<T>((smallest_normal * ln2 - 0.01) * t.value);
    end = static_cast<T>((smallest_normal + std::numeric_limits<T>::digits + 1) * ln2 * t.value);
    floor = -plain_row<T, Arch>::limit(t) - to;
  }

  /// The rows that are plain and have no such result; A is Arch or four<Arch>.
  template <bool AreLong, class A>
  GIBBS_PART row_set rows_without(const matrix_view<const T>& x,
                                  const plain_maxima<T, A>& plain) const {
    auto doubtful = plain.smallest < plain.largest - batch<T, A>(from);
    if (!any_holds(doubtful)) return plain.rows;
    return looked_through<AreLong>(x, plain, lane_bits<T, A>(doubtful, x.rows()));
  }

  /// Whether a long row has such a result.
  GIBBS_KERNEL bool is_in(const T* x, std::size_t n, T largest) const {
    if (!is_between(x, n, largest - from, largest - to)) return false;
    const T later = from + octave * static_cast<T>(bits_saved(x, n, largest));
    return is_between(x, n, largest - later, largest - to);
  }

 private:
  /// Whether one of n elements is below the first and not below the second.
  GIBBS_PART static bool is_between(const T* x, std::size_t n, T high, T low) {
    using B = batch<T, Arch>;
    constexpr std::size_t step = lanes<T, Arch>;
    const auto found = [&](const B& v) { return (v < B(high)) & (v >= B(low)); };
    const auto found_at = [&](std::size_t k) { return found(read<T, Arch>(x + k)); };
    std::size_t i = 0;
    for (; i + 4 * step <= n; i += 4 * step) {
      auto any =
          (found_at(i) | found_at(i + step)) | (found_at(i + 2 * step) | found_at(i + 3 * step));
      if (any_holds(any)) return true;
    }
    for (; i < n; i += step) {
      const std::size_t count = (std::min)(step, n - i);
      if (any_holds(found(read_first<T, Arch>(x + i, count, -infinity<T>)))) return true;
    }
    return false;
  }

  /// How many bits less than n a number has that the sum of the weights, too, is not larger than:
  /// most of a long row may be far below the maximum.
  GIBBS_PART int bits_saved(const T* x, std::size_t n, T largest) const {
    using B = batch<T, Arch>;
    if (n > std::size_t(1) << 22) return 0;  // float could not add up as many
    B zero(T(0));
    B below_1(largest - octave);
    B below_4(largest - octave * T(4));
    B below_17(largest - octave * T(17));
    B of_lanes = zero;
    constexpr std::size_t step = lanes<T, Arch>;
    for (std::size_t i = 0; i < n; i += step) {
      B v = read_first<T, Arch>(x + i, (std::min)(step, n - i), -infinity<T>);
      // No less than its weight together.
      B more = zero_unless(v >= below_17, B(T(0x1p-4))) +
               zero_unless(v >= below_4, B(T(0x1p-1 - 0x1p-4)));
      of_lanes = of_lanes + (zero_unless(v >= below_1, B(T(0.5))) + more);
    }
    alignas(64) T parts[step];
    write(parts, of_lanes);
    double sum = static_cast<double>(n) * 0x1p-17;
    for (const T part : parts) sum += static_cast<double>(part);
    return bits_of(static_cast<double>(n)) - bits_of(sum);
  }

  /// As ::frexp tells them, of a positive normal number.
  GIBBS_PART static int bits_of(double x) {
    return static_cast<int>(__builtin_bit_cast(std::uint64_t, x) >> 52) - 1022;
  }

  template <bool AreLong, class A>
  row_set looked_through(const matrix_view<const T>& x, const plain_maxima<T, A>& plain,
                         row_set doubtful) const {
    alignas(64) T largest[lanes<T, A>];
    detail::write(largest, plain.largest);
    row_set result = plain.rows;
    for_each_row(doubtful & plain.rows, [&](std::size_t r) {
      const T* row = row_of(x, r);
      const bool found = AreLong ? is_in(row, x.columns(), largest[r])
                                 : is_between(row, x.columns(), largest[r] - from, largest[r] - to);
      if (found) result &= ~(row_set(1) << r);
    });
    return result;
  }
};

/// x / 2^rescue_exponent, for x >= 0, rounded to the units of subnormal numbers by an addition: as
/// results of a product they take a CPU at least twice as long.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> lowered(const batch<T, Arch>& x) {
  using B = batch<T, Arch>;
  using limits = std::numeric_limits<T>;
  constexpr T least = (limits::min)() * rescue_up<T>;
  constexpr T unit = T(1) / limits::epsilon();  // whose own unit is 1
  B smallest_normal(least);
  auto subnormal = x < smallest_normal;
  B down(rescue_down<T>);
  if (!any_holds(subnormal)) return x * down;
  B units = min_or_second(x, smallest_normal) * B(unit / least) + B(unit);
  B result = from_bits<T, Arch>(bits(units) - bits(B(unit)));
  // The 0 for a caller who has subnormal numbers flushed.
  return choose(subnormal, result + B(T(0)), max_or_second(x, smallest_normal) * down);
}

/// A result of a row, times 2^rescue_exponent where the factor is that over the sum of its weights.
/// Nothing is rounded before that product, and the product to units only in the end.
template <class T, class Arch, class Row>
GIBBS_PART batch<T, Arch> exact_share(const Row& row, const wide_batch<T, Arch>& factor,
                                      const batch<T, Arch>& x) {
  return wide_batch<T, Arch>::rounded_product(row.weight_in_parts(x), factor);
}

/// The sum of the weights of a row, which are not rounded before they are added up.
template <class T, class Arch, class Row, class ForParts>
GIBBS_PART wide<T> exact_sum(const Row& row, const T* x, std::size_t n, ForParts for_parts) {
  wide<T> sums_of[most_parts];
  for_parts(n, [&](std::size_t part, std::size_t first, std::size_t count) {
    sums<T, Arch, 2> all;
    sweep_sums<pace::compact>(
        all, count,
        [&](const batch<T, Arch>& v) {
          auto weight = row.weight_in_parts(v);
          return terms<T, Arch, 2>{{weight.hi, weight.lo}};
        },
        input<T>{x + first, -infinity<T>});
    sums_of[part] = all.total(0) + all.total(1);
  });
  wide<T> sum(0.0);
  const std::size_t parts = (n - 1) / elements_a_part(n) + 1;
  for (std::size_t part = 0; part < parts; ++part) sum = sum + sums_of[part];
  return sum;
}

/// Any row.
template <class T, class Arch, class ForParts>
GIBBS_KERNEL void softmax_careful(const T* x, T* out, std::size_t n, const temperature<T>& t,
                                  ForParts for_parts) {
  using B = batch<T, Arch>;
  const T largest = sweep_max<T, Arch>(n, x);
  if (!is_finite(static_cast<double>(largest))) {
    fill_row<T, Arch>(out, n, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  const wide<T> up(static_cast<double>(rescue_up<T>));
  if (plain_row<T, Arch>::is_plain(plain_row<T, Arch>::limit(t), largest)) {
    // Only subnormal results have to be exact, unless they are far too small.
    plain_row<T, Arch> row(t, B(largest));
    const wide<T> sum = exact_sum<T, Arch>(row, x, n, for_parts);
    const split<T> factor(up / sum);
    const subnormal_distance<T, Arch> distance(t, n);
    const double log_sum =
        ::log(static_cast<double>(sum / first_lane(row.weight_in_parts(B(largest)))));
    const T most = largest - distance.nearest + static_cast<T>(log_sum * t.value);
    for_parts(n, [&](std::size_t, std::size_t first, std::size_t count) {
      plain_row<T, Arch> local = row;  // which no store may change, so that it stays in registers
      auto local_factor = in_all_lanes<T, Arch>(factor);
      B least(largest - distance.to);
      B none(largest - distance.end);
      sweep_map<pace::fast, T, Arch>(
          count, input<T>{x + first, -infinity<T>}, out + first, [&](const B& v) {
            // Weights that are far too small to count would have subnormal parts.
            auto weight = local.weight(choose(v < none, B(-infinity<T>), v));
            // Of a weight that is nearly all of the sum, rounded, there would be a little more
            // than 1.
            B result = min_or_second(B(rescue_up<T>), scaled(weight.value(), local_factor));
            // Told by v, which is there sooner than the result: what a CPU guesses wrong costs it
            // less.
            auto inexact = (v <= B(most)) & (v >= least);
            if (any_holds(inexact)) {
              result = choose(inexact, exact_share(local, local_factor, v), result);
            }
            return lowered<T, Arch>(result);
          });
    });
  } else {
    careful_row<T, Arch> row(t, largest);
    const split<T> factor(up / exact_sum<T, Arch>(row, x, n, for_parts));
    for_parts(n, [&](std::size_t, std::size_t first, std::size_t count) {
      auto local = in_all_lanes<T, Arch>(factor);
      sweep_map<pace::compact, T, Arch>(
          count, input<T>{x + first, -infinity<T>}, out + first,
          [&](const B& v) { return lowered<T, Arch>(exact_share(row, local, v)); });
    });
  }
}

/// Up to `lanes` short rows, whose weights are computed some time before their results are written.
template <bool WithTotal, class T, class Arch, class Tile>
class softmax_short {
  using B = batch<T, Arch>;
  static constexpr std::size_t size = softmax_size<WithTotal>;

 public:
  GIBBS_PART void weigh(const matrix_view<const T>& logits, const temperature<T>& t,
                        const subnormal_distance<T, single_arch<Arch>>& subnormal) {
    tile_.read_rows(logits);
    auto plain = tile_.template keep_plain<true>(plain_row<T, Arch>::limit(t), subnormal.floor);
    plain_row<T, Arch> row(t, plain.largest);
    plain_totals<T, Arch, size> totals(row, subnormal.template rows_without<false>(logits, plain));
    sums<T, Arch, size, WithTotal> all;
    add_up_columns<4, false>(
        all, tile_,
        [&](std::size_t c) GIBBS_PART_LAMBDA {
          B weight;
          auto added = softmax_terms<WithTotal>(weight, row, tile_[c]);
          tile_.set(c, weight);
          return added;
        },
        [&](auto& sum, four_columns c) GIBBS_PART_LAMBDA {
          if constexpr (Tile::has_four) {
            batch<T, four<Arch>> weights;
            sum.add_groups(
                softmax_terms<WithTotal>(weights, row_beside<T, four<Arch>>(row), tile_.four(c)));
            tile_.set_four(c, weights);
          }
          return true;
        });
    unroll<size>([&](std::size_t i) GIBBS_PART_LAMBDA { totals.of[i] = all.total_of_lanes(i); });
    scale_ = reciprocal(totals.of[softmax_sum<WithTotal>]);
    result_ = totals;
  }

  /// What was added up of the rows that were plain is returned; the others are still to be done.
  GIBBS_PART const softmax_result<WithTotal, T, Arch>& write(const matrix_view<T>& out) {
    wide_batch<T, Arch> scale = scale_;
    tile_.write_rows(out, result_.plain, [&](const B& weight) { return scaled(weight, scale); });
    return result_;
  }

 private:
  Tile tile_;
  wide_batch<T, Arch> scale_;
  softmax_result<WithTotal, T, Arch> result_;
};

template <bool WithTotal>
struct softmax_kind {
  template <class T, class Arch, class Tile>
  using short_rows = softmax_short<WithTotal, T, Arch, Tile>;
};

/// Up to `lanes` rows of some registers each, in three steps, between which there is time for
/// their results.
template <bool WithTotal, class T, class Arch>
class softmax_of_pieces {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  using row_type = plain_row<T, Arch>;
  using pieces_type = piece_count<T, Arch>;
  static constexpr std::size_t size = softmax_size<WithTotal>;
  static constexpr std::size_t step = lanes<T, Arch>;

 public:
  GIBBS_PART void look(pieces_type pieces, const matrix_view<const T>& logits,
                       const temperature<T>& t, T limit,
                       const subnormal_distance<T, Arch>& subnormal) {
    rows_.read_rows(logits);
    auto plain = rows_.template keep_plain<true>(pieces, limit, subnormal.floor);
    plain_ = subnormal.template rows_without<false>(logits, plain);
    row_type(t, plain.largest).store(in_memory_);
  }

  GIBBS_PART void weigh(pieces_type pieces, const temperature<T>& t) {
    row_type all(t, B::load_aligned(in_memory_.largest));
    plain_totals<T, Arch, size> totals(all, plain_);
    add_up_pieces<sum_kinds<size, softmax_sum<WithTotal>, WithTotal>>(
        pieces, rows_.rows(),
        [&]<class A>(A, std::size_t r, std::size_t k) GIBBS_PART_LAMBDA {
          row_beside<T, A> row(one_plain_row<T, Arch>(all, in_memory_, r));
          batch<T, A> weights;
          auto added = softmax_terms<WithTotal>(weights, row,
                                                rows_.template read<A>(pieces, r, k, -infinity<T>));
          detail::write(weights_ + (r * pieces.count + k) * step, weights);
          return added;
        },
        totals.of);
    auto scale = reciprocal(totals.of[softmax_sum<WithTotal>]);
    scale.hi.store_aligned(scale_hi_);
    scale.lo.store_aligned(scale_lo_);
    result_ = totals;
  }

  /// What was added up of the rows that were plain is returned; the others are still to be done.
  GIBBS_PART const softmax_result<WithTotal, T, Arch>& write(pieces_type pieces,
                                                             const matrix_view<T>& out) const {
    const row_set plain = plain_;
    const std::size_t rows = out.rows();
    T* row = out.data();
    for (std::size_t r = 0; r < rows; ++r, row += out.row_stride()) {
      if (!has_row(plain, r)) continue;
      wide_type scale{B(scale_hi_[r]), B(scale_lo_[r])};
      const T* from = weights_ + r * pieces.count * step;
      write_pieces(pieces, row, [&](std::size_t k) GIBBS_PART_LAMBDA {
        return scaled(B::load_aligned(from + k * step), scale);
      });
    }
    return result_;
  }

 private:
  row_pieces<T, Arch> rows_;
  row_set plain_;
  typename row_type::lanes_in_memory in_memory_;
  alignas(64) T scale_hi_[step];
  alignas(64) T scale_lo_[step];
  softmax_result<WithTotal, T, Arch> result_;
  alignas(64) T weights_[longest_tile * step];
};

/// Calls finish(first, rows, totals) after each group of rows. A function of its own, since
/// compilers do better with fewer variables.
template <bool WithTotal, class T, class Arch, class Finish>
GIBBS_KERNEL void softmax_in_pieces(const matrix_view<const T>& logits, const matrix_view<T>& out,
                                    const temperature<T>& t,
                                    const subnormal_distance<T, Arch>& subnormal, Finish finish) {
  const piece_count<T, Arch> pieces(logits.columns());
  const T limit = plain_row<T, Arch>::limit(t);
  softmax_of_pieces<WithTotal, T, Arch> groups[2];
  in_three_steps(
      logits.rows(), lanes<T, Arch>,
      [&](std::size_t k, std::size_t first, std::size_t rows) GIBBS_PART_LAMBDA {
        groups[k].look(pieces, rows_of(logits, first, rows), t, limit, subnormal);
      },
      [&](std::size_t k) GIBBS_PART_LAMBDA { groups[k].weigh(pieces, t); },
      [&](std::size_t k, std::size_t first, std::size_t rows) GIBBS_PART_LAMBDA {
        finish(first, rows, groups[k].write(pieces, rows_of(out, first, rows)));
      });
}

/// Up to `lanes` rows. What was added up of those that were plain is returned; the others are still
/// to be done.
template <bool WithTotal, class T, class Arch>
GIBBS_PART softmax_result<WithTotal, T, Arch> softmax_long(
    const matrix_view<const T>& logits, const matrix_view<T>& out, const temperature<T>& t,
    const subnormal_distance<T, Arch>& subnormal) {
  using B = batch<T, Arch>;
  using row_type = plain_row<T, Arch>;
  constexpr std::size_t size = softmax_size<WithTotal>;
  const std::size_t n = logits.columns();
  auto plain = plain_rows_of<true, T, Arch>(row_type::limit(t), logits, subnormal.floor);
  row_type rows(t, plain.largest);
  plain_totals<T, Arch, size> result(rows, subnormal.template rows_without<true>(logits, plain));
  typename row_type::lanes_in_memory in_memory;
  rows.store(in_memory);
  rows_of_sums<T, Arch, size> all_rows;
  for (std::size_t r = 0; r < logits.rows(); ++r) {
    sums<T, Arch, size, WithTotal> all;
    if (has_row(result.plain, r)) {
      one_plain_row<T, Arch> row(rows, in_memory, r);
      sweep_sums_and_store(all, n, row_of(out, r),
                           softmax_terms_of<WithTotal, T, Arch, one_plain_row<T, Arch>>(row),
                           input<T>{row_of(logits, r), -infinity<T>});
    } else {
      // A row of maxima, to compute with.
      B weight;
      all.add(softmax_terms<WithTotal>(weight, rows, rows.largest()));
    }
    all_rows.set(r, all);
  }
  all_rows.bring_together(logits.rows(), result.of);
  auto scale = reciprocal(result.of[softmax_sum<WithTotal>]);
  alignas(64) T hi[lanes<T, Arch>];
  alignas(64) T lo[lanes<T, Arch>];
  scale.hi.store_aligned(hi);
  scale.lo.store_aligned(lo);
  for_each_row(result.plain, [&](std::size_t r) {
    wide_batch<T, Arch> row_scale{B(hi[r]), B(lo[r])};
    sweep_map<pace::fast, T, Arch>(n, input<T>{row_of(out, r), T(0)}, row_of(out, r),
                                   [&](const B& weight) { return scaled(weight, row_scale); });
  });
  return result;
}

/// A row at a moderate temperature. Nothing is written unless it is plain.
template <bool WithTotal, class T, class Arch, class ForParts>
GIBBS_KERNEL softmax_result<WithTotal, T, Arch> softmax_in_parts(const T* x, T* out, std::size_t n,
                                                                 const temperature<T>& t,
                                                                 ForParts for_parts) {
  using B = batch<T, Arch>;
  using row_type = plain_row<T, Arch>;
  const subnormal_distance<T, Arch> subnormal(t, n);
  constexpr std::size_t size = softmax_size<WithTotal>;
  T maxima[most_parts];
  T minima[most_parts];
  for_parts(n, [&](std::size_t part, std::size_t first, std::size_t count) {
    auto of_part = sweep_extremes<true, T, Arch>(count, x + first, subnormal.floor);
    maxima[part] = largest_lane(of_part.largest);
    minima[part] = -largest_lane(-of_part.smallest);
  });
  const std::size_t parts = (n - 1) / elements_a_part(n) + 1;
  T largest = maxima[0];
  T smallest = minima[0];
  for (std::size_t i = 1; i < parts; ++i) {
    largest = maxima[i] > largest ? maxima[i] : largest;
    smallest = minima[i] < smallest ? minima[i] : smallest;
  }
  const bool is_plain = row_type::is_plain(row_type::limit(t), largest) &&
                        !(smallest < largest - subnormal.from && subnormal.is_in(x, n, largest));
  row_type row(t, B(is_plain ? largest : T(0)));
  plain_totals<T, Arch, size> result(row, is_plain ? 1 : 0);
  if (!is_plain) return result;

  wide<T> sums_of[most_parts][size] = {};
  for_parts(n, [&](std::size_t part, std::size_t first, std::size_t count) {
    row_type local = row;  // which no store may change, so that it stays in registers
    for (std::size_t i = 0; i < count; i += long_row) {
      sums<T, Arch, size, WithTotal> all;
      sweep_sums_and_store(all, (std::min)(long_row, count - i), out + first + i,
                           softmax_terms_of<WithTotal, T, Arch, row_type>(local),
                           input<T>{x + first + i, -infinity<T>});
      for (std::size_t k = 0; k < size; ++k) sums_of[part][k] = sums_of[part][k] + all.total(k);
    }
  });
  wide<T> totals[size] = {};
  for (std::size_t k = 0; k < size; ++k) {
    for (std::size_t part = 0; part < parts; ++part) totals[k] = totals[k] + sums_of[part][k];
    result.of[k] = in_all_lanes<T, Arch>(split<T>(totals[k]));
  }
  const split<T> scale(wide<T>(1.0) / totals[softmax_sum<WithTotal>]);
  for_parts(n, [&](std::size_t, std::size_t first, std::size_t count) {
    auto local = in_all_lanes<T, Arch>(scale);
    sweep_map<pace::fast, T, Arch>(count, input<T>{out + first, T(0)}, out + first,
                                   [&](const B& weight) { return scaled(weight, local); });
  });
  return result;
}

/// One row that is longer than long_row.
template <class T, class Arch, class ForParts>
GIBBS_KERNEL void softmax_row(const T* x, T* out, std::size_t n, const temperature<T>& t,
                              ForParts for_parts) {
  const bool may_be_plain = plain_row<T, Arch>::limit(t) >= 0;
  if (may_be_plain && softmax_in_parts<false, T, Arch>(x, out, n, t, for_parts).plain != 0) return;
  softmax_careful<T, Arch>(x, out, n, t, for_parts);
}

/// Likewise. Returns the log-sum-exp.
template <class T, class Arch, class ForParts>
GIBBS_KERNEL T softmax_with_log_sum_exp_row(const T* x, T* out, std::size_t n,
                                            const temperature<T>& t, ForParts for_parts) {
  if (plain_row<T, Arch>::limit(t) >= 0) {
    auto totals = softmax_in_parts<true, T, Arch>(x, out, n, t, for_parts);
    if (totals.plain != 0) return first_lane(log_sum_exp_of(totals, t));
  }
  const T result = log_sum_exp_row<T, Arch>(x, n, t, for_parts);
  softmax_careful<T, Arch>(x, out, n, t, for_parts);
  return result;
}

/// Rows that are not longer than long_row. Calls done(first, totals) after each group of rows from
/// `first` on, and alone(i) for rows that are not plain.
template <bool WithTotal, class T, class Arch, class Done, class Alone>
GIBBS_PART void softmax_groups(const matrix_view<const T>& logits, const matrix_view<T>& out,
                               const temperature<T>& t, Done done, Alone alone) {
  const std::size_t columns = logits.columns();
  if (plain_row<T, Arch>::limit(t) < 0) {
    for (std::size_t i = 0; i < logits.rows(); ++i) alone(i);
    return;
  }
  const subnormal_distance<T, Arch> subnormal(t, columns);
  const auto finish = [&](std::size_t first, std::size_t rows, const auto& totals) {
    done(first, totals);
    for_each_row(first_rows(rows) & ~totals.plain, [&](std::size_t r) { alone(first + r); });
  };
  if constexpr (is_avx512<Arch>) {
    if (come_in_pieces<T, Arch>(columns)) {
      return softmax_in_pieces<WithTotal, T, Arch>(logits, out, t, subnormal, finish);
    }
  }
  if (columns <= longest_transposed<T, Arch>) {
    // Longer ones than 48 are faster a register of rows at a time.
    in_short_groups<softmax_kind<WithTotal>::template short_rows, T, Arch, 48>(
        logits.rows(), columns,
        [&](auto& group, std::size_t first, std::size_t rows)
            GIBBS_PART_LAMBDA { group.weigh(rows_of(logits, first, rows), t, subnormal); },
        [&](auto& group, std::size_t first, std::size_t rows)
            GIBBS_PART_LAMBDA { finish(first, rows, group.write(rows_of(out, first, rows))); });
    return;
  }
  const std::size_t block = rows_at_a_time<T, Arch>(columns);
  for (std::size_t first = 0; first < logits.rows(); first += block) {
    const std::size_t rows = (std::min)(block, logits.rows() - first);
    const auto in = rows_of(logits, first, rows);
    const auto to = rows_of(out, first, rows);
    finish(first, rows, softmax_long<WithTotal, T, Arch>(in, to, t, subnormal));
  }
}

template <class T, class Arch>
GIBBS_KERNEL void softmax_rows(const matrix_view<const T>& logits, const matrix_view<T>& out,
                               double at_temperature) {
  const temperature<T> t(at_temperature);
  const std::size_t columns = logits.columns();
  if (columns == 0) return;
  if (columns == 1) {
    for (std::size_t i = 0; i < logits.rows(); ++i) {
      softmax_of_one(*row_of(logits, i), *row_of(out, i));
    }
    return;
  }
  if (columns > long_row) {
    for (std::size_t i = 0; i < logits.rows(); ++i) {
      softmax_row<T, Arch>(row_of(logits, i), row_of(out, i), columns, t, one_by_one());
    }
    return;
  }
  softmax_groups<false, T, Arch>(
      logits, out, t, [](std::size_t, const rows_done&) {},
      [&](std::size_t i) {
        softmax_careful<T, Arch>(row_of(logits, i), row_of(out, i), columns, t, one_by_one());
      });
}

template <class T, class Arch>
GIBBS_KERNEL void softmax_with_log_sum_exp_rows(const matrix_view<const T>& logits,
                                                const matrix_view<T>& out, T* results,
                                                double at_temperature) {
  const temperature<T> t(at_temperature);
  const std::size_t columns = logits.columns();
  if (columns <= 1) {
    log_sum_exp_rows<T, Arch>(logits, results, at_temperature);
    if (columns == 1) softmax_rows<T, Arch>(logits, out, at_temperature);
    return;
  }
  if (columns > long_row) {
    for (std::size_t i = 0; i < logits.rows(); ++i) {
      results[i] = softmax_with_log_sum_exp_row<T, Arch>(row_of(logits, i), row_of(out, i), columns,
                                                         t, one_by_one());
    }
    return;
  }
  softmax_groups<true, T, Arch>(
      logits, out, t,
      [&]<class A>(std::size_t first, const plain_totals<T, A, 4>& totals) {
        alignas(64) T values[lanes<T, A>];
        write(values, log_sum_exp_of(totals, t));
        for_each_row(totals.plain, [&](std::size_t r) { results[first + r] = values[r]; });
      },
      [&](std::size_t i) {
        const T* x = row_of(logits, i);
        results[i] = log_sum_exp_row<T, Arch>(x, columns, t, one_by_one());
        softmax_careful<T, Arch>(x, row_of(out, i), columns, t, one_by_one());
      });
}

template <class T, class Arch>
GIBBS_KERNEL void log_softmax_map(const T* x, T* out, std::size_t n, const temperature<T>& t,
                                  T largest, T log_of_sum) {
  using B = batch<T, Arch>;
  B log_sum(log_of_sum);
  const input<T> in{x, largest};
  if (plain_row<T, Arch>::is_plain(plain_row<T, Arch>::limit(t), largest)) {
    plain_row<T, Arch> row(t, B(largest));
    sweep_map<pace::fast, T, Arch>(n, in, out,
                                   [&](const B& v) { return row.log_probability(v, log_sum); });
  } else {
    careful_row<T, Arch> row(t, largest);
    sweep_map<pace::compact, T, Arch>(n, in, out,
                                      [&](const B& v) { return row.log_probability(v, log_sum); });
  }
}

/// Any row.
template <class T, class Arch, class ForParts>
GIBBS_KERNEL void log_softmax_row(const T* x, T* out, std::size_t n, const temperature<T>& t,
                                  ForParts for_parts) {
  const auto sum = sum_of_row<T, Arch>(x, n, t, for_parts);
  const T log_sum = static_cast<T>(sum.log_mass());
  if (log_sum != log_sum || !is_finite(static_cast<double>(sum.largest))) {
    fill_row<T, Arch>(out, n, std::numeric_limits<T>::quiet_NaN());
    return;
  }
  for_parts(n, [&](std::size_t, std::size_t first, std::size_t count) {
    log_softmax_map<T, Arch>(x + first, out + first, count, t, sum.largest, log_sum);
  });
}

/// Up to `lanes` short rows, whose sums are computed some time before their results are written.
template <class T, class Arch, class Tile>
class log_softmax_short {
  using B = batch<T, Arch>;

 public:
  GIBBS_PART void add_up(const matrix_view<const T>& logits, const temperature<T>& t) {
    tile_.read_rows(logits);
    auto totals = add_up_tile<T, Arch>(t, weight_sums(), tile_);
    largest_ = totals.largest;
    log_sum_ = totals.log_sum().value();
    plain_ = totals.plain;
  }

  /// Returns which rows were plain; the others are still to be done.
  GIBBS_PART row_set write(const matrix_view<T>& out, const temperature<T>& t) {
    plain_row<T, Arch> row(t, largest_);
    B log_sum = log_sum_;
    tile_.write_rows(out, plain_, [&](const B& v) { return row.log_probability(v, log_sum); });
    return plain_;
  }

 private:
  Tile tile_;
  B largest_;
  B log_sum_;
  row_set plain_;
};

/// Up to `lanes` rows of some registers each, in the same two steps.
template <class T, class Arch>
class log_softmax_of_pieces {
  using B = batch<T, Arch>;
  using row_type = plain_row<T, Arch>;
  using pieces_type = piece_count<T, Arch>;

 public:
  GIBBS_PART void add_up(pieces_type pieces, const matrix_view<const T>& logits,
                         const temperature<T>& t) {
    rows_.read_rows(logits);
    auto totals = add_up_plain_pieces(t, weight_sums(), pieces, rows_);
    row_type(t, totals.largest).store(in_memory_);
    totals.log_sum().value().store_aligned(log_sum_);
    plain_ = totals.plain;
  }

  /// Returns which rows were plain; the others are still to be done.
  GIBBS_PART row_set write(pieces_type pieces, const matrix_view<T>& out,
                           const temperature<T>& t) const {
    const row_set plain = plain_;
    const std::size_t rows = out.rows();
    row_type all(t, B::load_aligned(in_memory_.largest));
    T* to = out.data();
    for (std::size_t r = 0; r < rows; ++r, to += out.row_stride()) {
      if (!has_row(plain, r)) continue;
      one_plain_row<T, Arch> row(all, in_memory_, r);
      B log_sum(log_sum_[r]);
      write_pieces(pieces, to, [&](std::size_t k) GIBBS_PART_LAMBDA {
        return row.log_probability(rows_.read(pieces, r, k, in_memory_.largest[r]), log_sum);
      });
    }
    return plain;
  }

 private:
  row_pieces<T, Arch> rows_;
  typename row_type::lanes_in_memory in_memory_;
  alignas(64) T log_sum_[lanes<T, Arch>];
  row_set plain_;
};

/// Calls finish(plain, first, rows) after each group of rows.
template <class T, class Arch, class Finish>
GIBBS_KERNEL void log_softmax_in_pieces(const matrix_view<const T>& logits,
                                        const matrix_view<T>& out, const temperature<T>& t,
                                        Finish finish) {
  const piece_count<T, Arch> pieces(logits.columns());
  log_softmax_of_pieces<T, Arch> groups[2];
  in_two_stages(
      logits.rows(), lanes<T, Arch>,
      [&](std::size_t k, std::size_t first, std::size_t rows)
          GIBBS_PART_LAMBDA { groups[k].add_up(pieces, rows_of(logits, first, rows), t); },
      [&](std::size_t k, std::size_t first, std::size_t rows) GIBBS_PART_LAMBDA {
        finish(groups[k].write(pieces, rows_of(out, first, rows), t), first, rows);
      });
}

template <class T, class Arch>
GIBBS_KERNEL void log_softmax_rows(const matrix_view<const T>& logits, const matrix_view<T>& out,
                                   double at_temperature) {
  const temperature<T> t(at_temperature);
  const std::size_t columns = logits.columns();
  const auto alone = [&](std::size_t i) {
    log_softmax_row<T, Arch>(row_of(logits, i), row_of(out, i), columns, t, one_by_one());
  };
  if (columns == 0 || columns > long_row || plain_row<T, Arch>::limit(t) < 0) {
    for (std::size_t i = 0; i < logits.rows(); ++i) alone(i);
    return;
  }
  const auto alone_unless = [&](row_set plain, std::size_t first, std::size_t rows) {
    for_each_row(first_rows(rows) & ~plain, [&](std::size_t r) { alone(first + r); });
  };
  if constexpr (is_avx512<Arch>) {
    if (come_in_pieces<T, Arch>(columns)) {
      return log_softmax_in_pieces<T, Arch>(logits, out, t, alone_unless);
    }
  }
  if (columns <= longest_transposed<T, Arch>) {
    in_short_groups<log_softmax_short, T, Arch, longest_tile_of_four>(
        logits.rows(), columns,
        [&](auto& group, std::size_t first, std::size_t rows)
            GIBBS_PART_LAMBDA { group.add_up(rows_of(logits, first, rows), t); },
        [&](auto& group, std::size_t first, std::size_t rows) GIBBS_PART_LAMBDA {
          alone_unless(group.write(rows_of(out, first, rows), t), first, rows);
        });
    return;
  }
  const std::size_t block = rows_at_a_time<T, Arch>(columns);
  for (std::size_t first = 0; first < logits.rows(); first += block) {
    const std::size_t rows = (std::min)(block, logits.rows() - first);
    const auto in = rows_of(logits, first, rows);
    const auto to = rows_of(out, first, rows);
    auto totals = add_up_long_rows<T, Arch>(t, weight_sums(), in);
    alignas(64) T largest[lanes<T, Arch>];
    alignas(64) T log_sum[lanes<T, Arch>];
    totals.largest.store_aligned(largest);
    totals.log_sum().value().store_aligned(log_sum);
    for_each_row(totals.plain, [&](std::size_t r) {
      log_softmax_map<T, Arch>(row_of(in, r), row_of(to, r), columns, t, largest[r], log_sum[r]);
    });
    alone_unless(totals.plain, first, rows);
  }
}

}  // namespace detail

template <class In, class Arch>
void softmax(const matrix_view<In>& logits, const matrix_view<std::remove_const_t<In>>& out,
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
void softmax_with_log_sum_exp(const matrix_view<In>& logits,
                              const matrix_view<std::remove_const_t<In>>& out, Results&& results,
                              const logit_options& options) {
  detail::check_map("softmax_with_log_sum_exp", logits, out, options);
  detail::check_results("softmax_with_log_sum_exp", results, logits, out);
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
void log_softmax(const matrix_view<In>& logits, const matrix_view<std::remove_const_t<In>>& out,
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
