// SPDX-License-Identifier: MIT
//
// Rows of some registers each, as many at a time as a register has lanes: what is left of each row
// is brought together across the lanes in the end, for all rows at once.
#ifndef GIBBS_DETAIL_ROW_PIECES_HPP
#define GIBBS_DETAIL_ROW_PIECES_HPP

#include <algorithm>
#include <cstddef>

#include "../matrix_view.hpp"
#include "beside.hpp"
#include "exp2.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "sweep.hpp"
#include "wide.hpp"

namespace gibbs::detail {

// --- Across lanes -------------------------------------------------------------------------------

/// x(first), x(first + apart), ...: brought together within the parts of their registers.
template <std::size_t count, class At, class Merge>
GIBBS_PART auto merge_within_parts(std::size_t first, std::size_t apart, At x, Merge merge) {
  if constexpr (count == 1) {
    return x(first);
  } else {
    auto a = merge_within_parts<count / 2>(first, apart * 2, x, merge);
    auto b = merge_within_parts<count / 2>(first + apart, apart * 2, x, merge);
    return merge.within_parts(a, b);
  }
}

/// The lanes of leaf(r) brought together in lane r, for as many rows as there are lanes: first the
/// four parts of registers, then what is in them.
template <class T, class Arch, class Leaf, class Merge>
GIBBS_PART auto merge_lanes(Leaf leaf, Merge merge) {
  constexpr std::size_t part = part_lanes<T, Arch>;
  static_assert(lanes<T, Arch> == 4 * part);
  const auto one_part_each = [&](std::size_t i) GIBBS_PART_LAMBDA {
    auto a = merge.template pieces<4>(leaf(i), leaf(part + i));
    auto b = merge.template pieces<4>(leaf(2 * part + i), leaf(3 * part + i));
    return merge.template pieces<2>(a, b);
  };
  return merge_within_parts<part>(0, 1, one_part_each, merge);
}

/// merge_lanes() for so many rows; of a single one all lanes get the result.
template <class T, class Arch, class Leaf, class Merge>
GIBBS_PART auto merge_rows(std::size_t rows, Leaf leaf, Merge merge) {
  if (rows > 1) return merge_lanes<T, Arch>(leaf, merge);
  // Compilers see which operations are the same: 4 of 15 are left (float), 3 of 7 (double).
  auto x = leaf(0);
  return merge_lanes<T, Arch>([&](std::size_t) GIBBS_PART_LAMBDA { return x; }, merge);
}

struct merge_maxima {
  template <class T, class Arch>
  GIBBS_PART static batch<T, Arch> larger(const two_batches<T, Arch>& x) {
    return max_or_second(x.first, x.second);
  }
  template <std::size_t Width, class T, class Arch>
  GIBBS_PART batch<T, Arch> pieces(const batch<T, Arch>& a, const batch<T, Arch>& b) const {
    return larger(halve_pieces<Width>(a, b));
  }
  template <class T, class Arch>
  GIBBS_PART batch<T, Arch> within_parts(const batch<T, Arch>& a, const batch<T, Arch>& b) const {
    return larger(interleave_parts(a, b));
  }
};

/// Sums as they are rounded, or are not.
struct merge_sums {
  template <class T, class Arch>
  GIBBS_PART static batch<T, Arch> sum(const two_batches<T, Arch>& x) {
    return x.first + x.second;
  }
  template <std::size_t Width, class T, class Arch>
  GIBBS_PART batch<T, Arch> pieces(const batch<T, Arch>& a, const batch<T, Arch>& b) const {
    return sum(halve_pieces<Width>(a, b));
  }
  template <class T, class Arch>
  GIBBS_PART batch<T, Arch> within_parts(const batch<T, Arch>& a, const batch<T, Arch>& b) const {
    return sum(interleave_parts(a, b));
  }
  template <std::size_t Width, class T, class Arch>
  GIBBS_PART wide_batch<T, Arch> pieces(const wide_batch<T, Arch>& a,
                                        const wide_batch<T, Arch>& b) const {
    return {pieces<Width>(a.hi, b.hi), pieces<Width>(a.lo, b.lo)};
  }
  template <class T, class Arch>
  GIBBS_PART wide_batch<T, Arch> within_parts(const wide_batch<T, Arch>& a,
                                              const wide_batch<T, Arch>& b) const {
    return {within_parts(a.hi, b.hi), within_parts(a.lo, b.lo)};
  }
};

/// Sums with the rounding errors of their additions.
struct merge_wide_sums {
  template <class T, class Arch>
  GIBBS_PART static wide_batch<T, Arch> sum(const two_batches<T, Arch>& hi,
                                            const two_batches<T, Arch>& lo) {
    return wide_batch<T, Arch>(hi.first, lo.first) + wide_batch<T, Arch>(hi.second, lo.second);
  }
  template <std::size_t Width, class T, class Arch>
  GIBBS_PART wide_batch<T, Arch> pieces(const wide_batch<T, Arch>& a,
                                        const wide_batch<T, Arch>& b) const {
    return sum(halve_pieces<Width>(a.hi, b.hi), halve_pieces<Width>(a.lo, b.lo));
  }
  template <class T, class Arch>
  GIBBS_PART wide_batch<T, Arch> within_parts(const wide_batch<T, Arch>& a,
                                              const wide_batch<T, Arch>& b) const {
    return sum(interleave_parts(a.hi, b.hi), interleave_parts(a.lo, b.lo));
  }
};

// --- Rows ---------------------------------------------------------------------------------------

/// Full registers that there are at least of a row.
inline constexpr std::size_t least_pieces = 3;

/// Rows from this length on are better taken in pieces than transposed, with wide registers. (Where
/// nothing but the sums of logits is wanted, from longest_transposed on, and those of doubles
/// never.)
template <class Arch>
inline constexpr std::size_t shortest_in_pieces = is_avx512<Arch> ? 48 : longest_tile + 1;

template <class T, class Arch>
GIBBS_PART bool come_in_pieces(std::size_t columns) {
  static_assert(!is_avx512<Arch> || shortest_in_pieces<Arch> >= least_pieces * lanes<T, Arch>);
  return columns >= shortest_in_pieces<Arch> && columns <= longest_tile;
}

/// The registers of a row: all are full but the last one.
template <class T, class Arch>
struct piece_count {
  std::size_t count;
  std::size_t last;  ///< elements

  GIBBS_PART explicit piece_count(std::size_t columns)
      : count((columns + lanes<T, Arch> - 1) / lanes<T, Arch>),
        last(columns - (count - 1) * lanes<T, Arch>) {}
};

/// row = at(0), at(1), ...
template <class T, class Arch, class At>
GIBBS_PART void write_pieces(const piece_count<T, Arch>& pieces, T* row, At at) {
  const std::size_t last = pieces.count - 1;
  for (std::size_t k = 0; k < last; ++k) write(row + k * lanes<T, Arch>, at(k));
  write_first(row + last * lanes<T, Arch>, at(last), pieces.last);
}

/// What stands for rows that are left out.
template <class T, class Arch>
alignas(64) inline constexpr T row_of_zeros[longest_tile] = {};

/// Up to `lanes` rows of up to longest_tile columns.
template <class T, class Arch>
class row_pieces {
  using B = batch<T, Arch>;
  using pieces_type = piece_count<T, Arch>;
  static constexpr std::size_t step = lanes<T, Arch>;

 public:
  GIBBS_PART row_pieces() = default;
  GIBBS_PART explicit row_pieces(const matrix_view<const T>& from) { read_rows(from); }

  GIBBS_PART void read_rows(const matrix_view<const T>& from) {
    const std::size_t rows = from.rows();
    rows_ = rows;
    const T* row = from.data();
    for (std::size_t r = 0; r < rows; ++r, row += from.row_stride()) row_[r] = row;
  }

  GIBBS_PART std::size_t rows() const { return rows_; }

  /// The pieces of row r from k on, as many as A has side by side.
  template <class A = Arch>
  GIBBS_PART batch<T, A> read(const pieces_type& pieces, std::size_t r, std::size_t k,
                              T fill) const {
    if constexpr (is_several<A>) {
      using left = typename A::left;
      return {detail::read<T, left>(row_[r] + k * step),
              read<typename A::right>(pieces, r, k + abreast<left>, fill)};
    } else {
      const T* from = row_[r] + k * step;
      return k + 1 < pieces.count ? detail::read<T, Arch>(from)
                                  : read_first<T, Arch>(from, pieces.last, fill);
    }
  }

  /// Puts zeros in the place of all rows whose largest element is infinite or has more than this
  /// magnitude. NaN is left aside.
  template <bool WithSmallest>
  GIBBS_PART plain_maxima<T, Arch> keep_plain(pieces_type pieces, T limit, T floor = -infinity<T>) {
    B smallest(infinity<T>);
    B largest = merge_rows<T, Arch>(
        rows_,
        [&](std::size_t r) GIBBS_PART_LAMBDA {
          extremes<T, Arch> of_row;
          of_row.smallest = smallest;
          const std::size_t count = r < rows_ ? pieces.count : 0;
          for (std::size_t k = 0; k < count; ++k) {
            of_row.template look_at<WithSmallest>(read(pieces, r, k, -infinity<T>), floor);
          }
          smallest = of_row.smallest;
          return of_row.largest;
        },
        merge_maxima());
    if (rows_ > 1 && rows_ < step) largest = with_last_repeated(largest);
    // Of all rows, which is cheaper, and hardly ever too small for one of them alone.
    if constexpr (WithSmallest) smallest = -B(largest_lane(-smallest));
    auto plain = abs(largest) <= B(limit);
    const row_set rows = lane_bits<T, Arch>(plain, rows_);
    if (xsimd::all(plain)) return {largest, smallest, rows};
    for_each_row(first_rows(rows_) & ~rows,
                 [&](std::size_t r) { row_[r] = row_of_zeros<T, Arch>; });
    return {choose(plain, largest, B(T(0))), smallest, rows};
  }

 private:
  GIBBS_PART B with_last_repeated(const B& x) const {
    alignas(64) T lane[step];
    x.store_aligned(lane);
    for (std::size_t r = rows_; r < step; ++r) lane[r] = lane[r - 1];
    return B::load_aligned(lane);
  }

  std::size_t rows_;
  const T* row_[step];
};

/// Of sums over rows of pieces: number Bounded, if there is one, is of weights less than 4 times
/// scaled_exp2::largest_weight that add up to no less than about that: the maximum's is among them.
/// If AreWeights, the second one is added to the first one, and the last one is of integers.
template <std::size_t N, std::size_t Bounded, bool AreWeights>
struct sum_kinds {
  static constexpr std::size_t size = N;
  static constexpr bool are_weights = AreWeights;
  GIBBS_INLINE static constexpr bool is_bounded(std::size_t i) { return i == Bounded; }
  GIBBS_INLINE static constexpr bool has_rest(std::size_t i) { return AreWeights && i == 0; }
  GIBBS_INLINE static constexpr bool is_rest(std::size_t i) { return AreWeights && i == 1; }
  GIBBS_INLINE static constexpr bool is_exact(std::size_t i) { return AreWeights && i == N - 1; }
};
inline constexpr std::size_t none_bounded = static_cast<std::size_t>(-1);

/// A bounded sum as a multiple of a unit and a rest: sums of such multiples are not rounded, and
/// what is rounded of the rests is small beside the sum.
template <class T, class Arch>
GIBBS_PART wide_batch<T, Arch> in_units(const wide_batch<T, Arch>& x) {
  // Added to a number, this leaves a multiple of the unit.
  batch<T, Arch> rounder(T(0x1.8p+8) * scaled_exp2<T, Arch>::largest_weight);
  batch<T, Arch> hi = (x.hi + rounder) - rounder;
  return {hi, (x.hi - hi) + x.lo};
}

/// Sums of rows in memory, still apart by lanes.
template <class T, class Arch>
struct sums_of_rows {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  static constexpr std::size_t step = lanes<T, Arch>;

  alignas(64) T hi[step * step];
  alignas(64) T lo[step * step];

  GIBBS_PART B high(std::size_t r) const { return B::load_aligned(hi + r * step); }
  GIBBS_PART wide_type both(std::size_t r) const {
    return {high(r), B::load_aligned(lo + r * step)};
  }
  GIBBS_PART void set(std::size_t r, const wide_type& x) {
    x.hi.store_aligned(hi + r * step);
    x.lo.store_aligned(lo + r * step);
  }
  /// Those of the lanes without a row become the last one's.
  GIBBS_PART void repeat_last(std::size_t rows) {
    for (std::size_t r = rows; r < step; ++r) set(r, both(r - 1));
  }

  // Brought together in the lanes of the rows, by functions of their own, which all primitives
  // share.
  wide_type bounded_sums(std::size_t rows) const {
    // What was left beside the multiples of a unit may be far more than a unit of their sum.
    return merge_rows<T, Arch>(
               rows, [&](std::size_t r) GIBBS_PART_LAMBDA { return both(r); }, merge_sums())
        .ordered();
  }
  wide_type any_sums(std::size_t rows) const {
    return merge_rows<T, Arch>(
        rows, [&](std::size_t r) GIBBS_PART_LAMBDA { return both(r); }, merge_wide_sums());
  }
  wide_type exact_sums(std::size_t rows) const {
    B sum = merge_rows<T, Arch>(
        rows, [&](std::size_t r) GIBBS_PART_LAMBDA { return high(r); }, merge_sums());
    return {sum, B(T(0))};
  }
};

/// Sums over each row, a lane a row, of the terms of(A(), r, k): those of the pieces of row r from
/// k on, as many as A has side by side, added up in turn.
template <class Kinds, class T, class Arch, class Of>
GIBBS_PART void add_up_pieces(piece_count<T, Arch> pieces, std::size_t rows, Of of,
                              wide_batch<T, Arch> (&totals)[Kinds::size]) {
  using B = batch<T, Arch>;
  using wide_type = wide_batch<T, Arch>;
  constexpr std::size_t size = Kinds::size;
  sums_of_rows<T, Arch> of_rows[size];
  for (std::size_t r = 0; r < rows; ++r) {
    sums<T, Arch, size, Kinds::are_weights> all;
    all.start(all.sum_of(of(three<Arch>(), r, 0)));
    std::size_t k = least_pieces;
    for (; k + 3 <= pieces.count; k += 3) all.add_groups(of(three<Arch>(), r, k));
    const std::size_t left = pieces.count - k;
    if (left == 1) {
      all.add_groups(of(Arch(), r, k));
    } else if (left == 2) {
      all.add_groups(of(two<Arch>(), r, k));
    }
    unroll<size>([&](std::size_t i) GIBBS_PART_LAMBDA {
      if (Kinds::is_rest(i)) return;
      wide_type total = all.total_of_lanes(i);
      if (Kinds::has_rest(i)) total = total + all.total_of_lanes(i + 1);
      of_rows[i].set(r, Kinds::is_bounded(i) ? in_units(total) : total);
    });
  }
  unroll<size>([&](std::size_t i) GIBBS_PART_LAMBDA {
    if (rows > 1) of_rows[i].repeat_last(rows);
    totals[i] = Kinds::is_rest(i)      ? wide_type{B(T(0)), B(T(0))}
                : Kinds::is_exact(i)   ? of_rows[i].exact_sums(rows)
                : Kinds::is_bounded(i) ? of_rows[i].bounded_sums(rows)
                                       : of_rows[i].any_sums(rows);
  });
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_ROW_PIECES_HPP
