// SPDX-License-Identifier: MIT
//
// Sums over rows of probabilities, of terms that may leave a mark and may be too small for T.
#ifndef GIBBS_DETAIL_PROBABILITIES_HPP
#define GIBBS_DETAIL_PROBABILITIES_HPP

#include <algorithm>
#include <cstddef>
#include <limits>

#include "log.hpp"
#include "row_pieces.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "sweep.hpp"
#include "wide.hpp"

namespace gibbs::detail {

/// A term of a row that may also leave a mark. Of several batches that may need one it refuses the
/// sum; where is_several<Arch> they are taken one by one.
template <class T, class Arch, class Term>
struct marking_term {
  using several = typename Term::several;
  static constexpr bool fetches_ahead = false;
  Term term;
  batch<T, Arch>& mark;
  template <class... B>
  GIBBS_PART terms<T, Arch, 1> operator()(const B&... x) const {
    if constexpr (is_several<Arch>) {
      terms<T, Arch, 1> result;
      if (!of_several(result, x...)) {
        result.of[0] = in_turn([&](auto& of_mark, const auto&... of_x)
                                   GIBBS_PART_LAMBDA { return term(of_mark, of_x...); },
                               mark, x...);
      }
      return result;
    } else {
      return {{term(mark, x...)}};
    }
  }
  template <class Several, class... B>
  GIBBS_PART bool of_several(terms<T, Several, 1>& added, const B&... x) const {
    return term.of_several(added.of[0], x...);
  }
  template <class Sums, class Several, class... More>
  GIBBS_PART bool add_up_several(Sums& into, const batch<T, Several>& x,
                                 const More&... more) const {
    terms<T, Several, 1> added;
    if (!of_several(added, x, more...)) return false;
    into.add_groups(added);
    return true;
  }
};

/// Terms of ones are 0, and take no detour as those of zeros may: batches are filled up with them.
template <class T>
inline constexpr T no_term = 1;

/// The sums of the terms of short rows. The mark of a lone_row may be in any lane.
template <class T, class Arch, class Term, class Tile, class... Tiles>
GIBBS_KERNEL_OR_PART wide_batch<T, Arch> add_up_tiles(Term term, const Tile& x,
                                                      const Tiles&... others) {
  sums<T, Arch, 1> all;
  const auto at = [&](std::size_t c) GIBBS_PART_LAMBDA { return term(x[c], others[c]...); };
  add_up_columns<3, false>(all, x, at, [&](auto& sum, four_columns c) GIBBS_PART_LAMBDA {
    if constexpr (Tile::has_four) return term.add_up_several(sum, x.four(c), others.four(c)...);
    return false;
  });
  return all.total_of_lanes(0);
}

/// Likewise; what mark is left may be in any lane.
template <class T, class Arch, class Term, class... Pieces>
GIBBS_PART wide_batch<T, Arch> add_up_row_pieces(Term term, std::size_t columns,
                                                 const row_pieces<T, Arch>& x,
                                                 const Pieces&... others) {
  const piece_count<T, Arch> pieces(columns);
  wide_batch<T, Arch> total[1];
  add_up_pieces<sum_kinds<1, none_bounded, false>>(
      pieces, x.rows(),
      [&]<class A>(A, std::size_t r, std::size_t k) GIBBS_PART_LAMBDA {
        if constexpr (is_several<A>) {
          terms<T, A, 1> several;
          if (term.of_several(several, x.template read<A>(pieces, r, k, no_term<T>),
                              others.template read<A>(pieces, r, k, no_term<T>)...)) {
            return in_one_batch(several);
          }
        }
        return sum_in_turn(k, k + abreast<A>, [&](std::size_t i) GIBBS_PART_LAMBDA {
          return term(x.read(pieces, r, i, no_term<T>), others.read(pieces, r, i, no_term<T>)...);
        });
      },
      total);
  return total[0];
}

template <class T, class Arch, class Term, class... Rows>
GIBBS_KERNEL wide_batch<T, Arch> add_up_row(batch<T, Arch>& mark, Term term, std::size_t n,
                                            Rows... x) {
  batch<T, Arch> left = mark;  // which no store may change, so that it stays in a register
  sums<T, Arch, 1> all;
  sweep_sums<Term::of_a_row>(all, n, marking_term<T, Arch, Term>{term, left},
                             input<T>{x, no_term<T>}...);
  mark = left;
  return all.total_of_lanes(0);
}

/// A sum of this many terms that is not less is not harmed where terms are rounded to the spacing
/// of the subnormal numbers, or are left out that are subnormal numbers times a logarithm.
template <class T>
GIBBS_INLINE T least_sum(std::size_t terms) {
  constexpr T of_one =
      T(1 << 15) / std::numeric_limits<T>::epsilon() * (std::numeric_limits<T>::min)();
  return of_one * static_cast<T>(terms);
}

/// Whether one of n probabilities is so small that a term with it may be a subnormal number.
template <class T, class Arch>
inline bool has_tiny(std::size_t n, const T* p) {
  using B = batch<T, Arch>;
  constexpr std::size_t step = lanes<T, Arch>;
  B zero(T(0));
  B least(T(0x1p-60));
  auto found = zero != zero;
  for (std::size_t i = 0; i < n; i += step) {
    B x = read_first<T, Arch>(p + i, (std::min)(step, n - i), T(0));
    found = found | ((x > zero) & (x < least));
  }
  return xsimd::any(found);
}

/// The sum of a row by terms that are rescue_up times as large.
template <class T, class Arch, class LiftedTerm, class... Rows>
GIBBS_KERNEL T add_up_lifted(LiftedTerm term, std::size_t n, Rows... x) {
  batch<T, Arch> mark(T(0));
  sums<T, Arch, 1> all;
  sweep_sums<pace::compact>(all, n, marking_term<T, Arch, LiftedTerm>{term, mark},
                            input<T>{x, no_term<T>}...);
  return static_cast<T>(all.total(0) * wide<T>(rescue_down<T>));
}

/// results[r] = (negative) sum of Term()(mark, x...) over row r of the matrices, which have one
/// shape; infinite where it has left a mark other than 0, unless it is NaN. x are not infinite
/// where the result is small.
template <template <class, class, bool Lifted> class Term, class T, class Arch, class... Others>
GIBBS_PART void reduce_probabilities(T* results, bool negative, const matrix_view<const T>& x,
                                     const Others&... others) {
  using B = batch<T, Arch>;
  using term_type = Term<T, Arch, false>;
  const std::size_t columns = x.columns();
  const auto put = [&]<class A>(std::size_t first, std::size_t rows, const wide_batch<T, A>& total,
                                const batch<T, A>& mark) {
    using V = batch<T, A>;
    V zero(T(0));
    // A sum that became infinite left a NaN in its error.
    auto finite = abs(total.hi) <= V((std::numeric_limits<T>::max)());
    V sum = choose(finite, total.value(), total.hi);
    V value = negative ? zero - sum : sum;  // 0 without a sign
    alignas(64) T values[lanes<T, A>];
    write(values, choose((mark != zero) & (value == value), V(infinity<T>), value));
    for (std::size_t r = 0; r < rows; ++r) results[first + r] = values[r];
    auto is_small = abs(value) < V(least_sum<T>(columns));
    if (!any_holds(is_small)) return;
    const row_set doubtful = lane_bits<T, A>(is_small & (mark == zero), rows);
    for_each_row(doubtful, [&](std::size_t r) {
      if (!has_tiny<T, Arch>(columns, row_of(x, first + r))) return;
      const T lifted = add_up_lifted<T, Arch>(Term<T, Arch, true>(), columns, row_of(x, first + r),
                                              row_of(others, first + r)...);
      results[first + r] = negative ? T(0) - lifted : lifted;
    });
  };
  const bool in_pieces = come_in_pieces<T, Arch>(columns);
  const std::size_t among_others = rows_among_others<T, Arch>(
      x.rows(), columns, !in_pieces && columns <= longest_transposed<T, Arch>);
  if constexpr (takes_four<Arch>) {
    for (std::size_t i = among_others; i < x.rows(); ++i) {
      B mark(T(0));
      auto total = add_up_tiles<T, Arch>(marking_term<T, Arch, term_type>{term_type(), mark},
                                         lone_row<T, Arch>(rows_of(x, i, 1)),
                                         lone_row<T, Arch>(rows_of(others, i, 1))...);
      put(i, 1, total, mark_of_all(mark));
    }
    if (among_others == 0) return;
  }
  constexpr std::size_t longest =
      (std::min)(term_type::longest_of_four, shortest_in_pieces<Arch> - 1);
  std::size_t first = for_each_four<T, Arch, longest>(
      among_others, columns, [&]<class Four>(Four, std::size_t i) GIBBS_KERNEL_OR_PART {
        constexpr std::size_t rows = lanes<T, Four>;
        batch<T, Four> mark(T(0));
        auto total = add_up_tiles<T, Four>(marking_term<T, Four, term_type>{term_type(), mark},
                                           tile<T, Four>(rows_of(x, i, rows)),
                                           tile<T, Four>(rows_of(others, i, rows))...);
        put(i, rows, total, mark);
      });
  for (; first < among_others; first += lanes<T, Arch>) {
    const std::size_t rows = (std::min)(lanes<T, Arch>, among_others - first);
    B mark(T(0));
    wide_batch<T, Arch> total;
    const auto marked = [&](std::size_t r, wide_batch<T, Arch>& part) {
      B row_mark(T(0));
      part = add_up_row<T, Arch>(row_mark, term_type(), columns, row_of(x, first + r),
                                 row_of(others, first + r)...);
      return xsimd::any(row_mark != B(T(0))) ? T(1) : T(0);
    };
    alignas(64) T marks[lanes<T, Arch>] = {};
    if (in_pieces) {
      if constexpr (is_avx512<Arch>) {
        total = add_up_row_pieces(marking_term<T, Arch, term_type>{term_type(), mark}, columns,
                                  row_pieces<T, Arch>(rows_of(x, first, rows)),
                                  row_pieces<T, Arch>(rows_of(others, first, rows))...);
        if (xsimd::any(mark != B(T(0)))) {
          wide_batch<T, Arch> part;
          for (std::size_t r = 0; r < rows; ++r) marks[r] = marked(r, part);
          mark = B::load_aligned(marks);
        }
      }
    } else if (columns <= longest_transposed<T, Arch>) {
      total = add_up_tiles<T, Arch>(marking_term<T, Arch, term_type>{term_type(), mark},
                                    tile<T, Arch>(rows_of(x, first, rows)),
                                    tile<T, Arch>(rows_of(others, first, rows))...);
    } else {
      wide_batch<T, Arch> parts[lanes<T, Arch>];
      for (std::size_t r = 0; r < rows; ++r) marks[r] = marked(r, parts[r]);
      total = sum_across_lanes<T, Arch>(parts, rows);
      mark = B::load_aligned(marks);
    }
    put(first, rows, total, mark);
  }
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_PROBABILITIES_HPP
