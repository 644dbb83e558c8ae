// SPDX-License-Identifier: MIT
//
// Several rows at a time, each in a lane of its own: short rows are transposed and then never meet
// their neighbours in a register; what is left of longer ones after their sweep is brought together
// across the lanes for all rows at once. And one short row by itself, added up in the same order.
#ifndef GIBBS_DETAIL_ROWS_HPP
#define GIBBS_DETAIL_ROWS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../matrix_view.hpp"
#include "beside.hpp"
#include "log.hpp"
#include "simd.hpp"
#include "sweep.hpp"
#include "wide.hpp"

namespace gibbs::detail {

template <class T>
GIBBS_INLINE T* row_of(const matrix_view<T>& m, std::size_t i) {
  return m.data() + i * m.row_stride();
}

template <class T>
GIBBS_INLINE matrix_view<T> rows_of(const matrix_view<T>& m, std::size_t first, std::size_t count) {
  return {m.data() + first * m.row_stride(), count, m.columns(), m.row_stride()};
}

/// Rows up to this length may be transposed, or come in pieces.
inline constexpr std::size_t longest_tile = 256;

/// Rows up to this length are transposed into four registers side by side where takes_four<Arch>
/// and there are enough of them: what comes before and after a few exponentials takes longer than
/// they do.
inline constexpr std::size_t longest_tile_of_four = 64;

/// Rows up to this length are transposed a register of rows at a time. With AVX-512 longer ones of
/// floats are faster in pieces, and those of doubles one by one, as with other architectures rows
/// of more than twenty registers are.
template <class T, class Arch>
inline constexpr std::size_t longest_transposed =
    !takes_four<Arch> ? longest_tile
    : is_avx512<Arch> ? std::size_t(std::is_same_v<T, float> ? 79 : 159)
                      : (std::max)(longest_tile_of_four, 20 * lanes<T, Arch>);

/// Calls f(four<Arch>(), first) for groups of as many rows as four<Arch> has lanes, unless they are
/// longer than Longest. Returns how many rows that were.
template <class T, class Arch, std::size_t Longest = longest_tile_of_four, class F>
GIBBS_PART std::size_t for_each_four([[maybe_unused]] std::size_t rows,
                                     [[maybe_unused]] std::size_t columns, [[maybe_unused]] F f) {
  std::size_t done = 0;
  if constexpr (takes_four<Arch>) {
    constexpr std::size_t group = lanes<T, four<Arch>>;
    static_assert(Longest <= longest_tile_of_four);
    if (columns <= Longest) {
      for (; done + group <= rows; done += group) f(four<Arch>(), done);
    }
  }
  return done;
}

/// Calls done(k, column k) with the columns of part_lanes rows, each(k), part by part; of two<Arch>
/// with those of the first parts and of the second ones. No array is used, since compilers leave
/// those in memory.
template <class T, class Arch, class Each, class Done>
GIBBS_PART void transpose_parts(Each each, Done done) {
  constexpr std::size_t size = part_lanes<T, single_arch<Arch>>;
  static_assert(size == 2 || size == 4);
  if constexpr (size == 2) {
    auto columns = interleave_parts<T, Arch>(each(0), each(1));
    done(0, columns.first);
    done(1, columns.second);
  } else {
    auto even = interleave_parts<T, Arch>(each(0), each(2));
    auto odd = interleave_parts<T, Arch>(each(1), each(3));
    auto low = interleave_parts<T, Arch>(even.first, odd.first);
    auto high = interleave_parts<T, Arch>(even.second, odd.second);
    done(0, low.first);
    done(1, low.second);
    done(2, high.first);
    done(3, high.second);
  }
}

/// A set of up to 64 rows, one bit each.
using row_set = std::uint64_t;
/// So many rows, at least one.
GIBBS_INLINE constexpr row_set first_rows(std::size_t rows) {
  return (row_set(2) << (rows - 1)) - 1;
}
GIBBS_INLINE constexpr bool has_row(row_set rows, std::size_t r) { return (rows >> r & 1) != 0; }

/// Calls f(r) for each row of the set.
template <class F>
GIBBS_PART void for_each_row(row_set rows, F f) {
  for (std::size_t r = 0; rows != 0; ++r, rows >>= 1) {
    if (has_row(rows, 0)) f(r);
  }
}

/// For each block of rows: before(k, first, count), and after(k, first, count) when the next block
/// has been through before(); k is 0 and 1 in turn. What is between the two for one block, often a
/// long chain of operations, overlaps with the other then.
template <class Before, class After>
GIBBS_PART void in_two_stages(std::size_t rows, std::size_t block, Before before, After after) {
  for (std::size_t i = 0, k = 0; i < rows + block; i += block, k = 1 - k) {
    if (i < rows) before(k, i, (std::min)(block, rows - i));
    if (i > 0) after(1 - k, i - block, (std::min)(block, rows + block - i));
  }
}

/// For each block of rows: first(k, first row, count), then second(k), and third(k, first row,
/// count) when the next block has been through first(); k is 0 and 1 in turn.
template <class First, class Second, class Third>
GIBBS_PART void in_three_steps(std::size_t rows, std::size_t block, First first, Second second,
                               Third third) {
  for (std::size_t i = 0, k = 0; i < rows + block; i += block, k = 1 - k) {
    if (i > 0) second(1 - k);
    if (i < rows) first(k, i, (std::min)(block, rows - i));
    if (i > 0) third(1 - k, i - block, (std::min)(block, rows + block - i));
  }
}

/// Those of the first `rows` lanes in which the condition holds.
template <class T, class Arch>
GIBBS_PART row_set lane_bits(const mask<T, Arch>& m, std::size_t rows) {
  if (all_hold(m)) return first_rows(rows);
  alignas(64) T buffer[lanes<T, Arch>];
  write(buffer, choose(m, batch<T, Arch>(T(1)), batch<T, Arch>(T(0))));
  row_set result = 0;
  for (std::size_t r = 0; r < rows; ++r) result |= row_set(buffer[r] != 0) << r;
  return result;
}

/// Four columns, and how far one is from the next.
struct four_columns {
  std::size_t first;
  std::size_t apart;
};

/// The order in which columns are added up, in groups of four: one after the other. Where that is
/// InBlocks, for several sums at a time, a group is what stands in one lane of four registers of a
/// row, as far as there are four, so that a row by itself is added up by registers.
template <bool InBlocks, class T, class Arch>
class column_order {
  static constexpr std::size_t block = 4 * lanes<T, single_arch<Arch>>;
  static constexpr bool has_blocks = InBlocks && takes_four<single_arch<Arch>>;

 public:
  GIBBS_PART explicit column_order(std::size_t columns)
      : in_blocks_(has_blocks ? columns / block * block : 0) {}

  /// How many of the columns are in such groups.
  GIBBS_PART std::size_t in_blocks() const { return in_blocks_; }
  /// The group that starts with number i, a multiple of four.
  GIBBS_PART four_columns group(std::size_t i) const {
    if (!has_blocks || i >= in_blocks_) return {i, 1};
    return {i - i % block + i % block / 4, block / 4};
  }
  /// Column number i.
  GIBBS_PART std::size_t operator[](std::size_t i) const {
    const four_columns of = group(i - i % 4);
    return of.first + i % 4 * of.apart;
  }

 private:
  std::size_t in_blocks_;
};

/// Of up to `lanes` rows, a lane a row.
template <class T, class Arch>
struct plain_maxima {
  batch<T, Arch> largest;   ///< Or 0.
  batch<T, Arch> smallest;  ///< Of those not less than some floor, or less, if wanted.
  row_set rows;             ///< Those that are plain.
};

/// The largest and, if wanted, the smallest elements of some registers, lane by lane.
template <bool WithSmallest, class T, class Arch>
GIBBS_PART extremes<T, Arch> extremes_of(const T* data, std::size_t registers, T floor) {
  constexpr std::size_t step = lanes<T, Arch>;
  const auto at = [&](std::size_t k) GIBBS_PART_LAMBDA { return read<T, Arch>(data + k * step); };
  extremes<T, Arch> a;
  if constexpr (is_several<Arch>) {
    for (std::size_t k = 0; k < registers; ++k) a.template look_at<WithSmallest>(at(k), floor);
    return a;
  }
  extremes<T, Arch> b;
  for (std::size_t k = 0; k + 1 < registers; k += 2) {
    a.template look_at<WithSmallest>(at(k), floor);
    b.template look_at<WithSmallest>(at(k + 1), floor);
  }
  b.template look_at<WithSmallest>(at(registers - 1), floor);
  a.look_at(b);
  return a;
}

/// Up to `lanes` short rows, transposed: lane r of column c is element c of row r. Where
/// is_several<Arch> all lanes have a row.
template <class T, class Arch,
          std::size_t Longest =
              is_several<Arch> ? longest_tile_of_four : longest_transposed<T, Arch>>
class tile {
  using B = batch<T, Arch>;
  using single = single_arch<Arch>;
  static constexpr std::size_t step = lanes<T, Arch>;
  static constexpr std::size_t count = lanes<T, single>;
  static constexpr std::size_t part = part_lanes<T, single>;
  static constexpr std::size_t parts = count / part;
  /// So many addresses of rows do not fit the registers, and what is read back from the stack makes
  /// all of it up to 1.7 times as long.
  static constexpr bool has_many_rows = is_several<Arch> && count > 8;

 public:
  static constexpr bool is_lone = false;
  static constexpr bool has_four = takes_four<Arch>;

  GIBBS_PART tile() = default;
  GIBBS_PART explicit tile(const matrix_view<const T>& from) { read_rows(from); }

  /// The lanes beyond the last row repeat it.
  GIBBS_PART void read_rows(const matrix_view<const T>& from) {
    rows_ = from.rows();
    columns_ = from.columns();
    const T* const first = from.data();
    const std::size_t stride = from.row_stride();
    // Counts that stores of batches cannot change, as far as compilers know.
    const std::size_t rows = rows_;
    const std::size_t columns = columns_;
    if (columns < part) {
      for (std::size_t c = 0; c < columns; ++c) {
        const T* x = first + c;
        for (std::size_t r = 0; r < step; ++r) {
          data_[c * step + r] = *x;
          if (is_several<Arch> || r + 1 < rows) x += stride;
        }
      }
    } else if constexpr (has_many_rows) {
      for_column_groups(columns, [&]<class A>(A, std::size_t c) GIBBS_PART_LAMBDA {
        const T* of_part[parts];
        unroll<parts>([&](std::size_t k)
                          GIBBS_PART_LAMBDA { of_part[k] = first + (k * part * stride + c); });
        for (std::size_t lane = 0; lane < step; lane += count) {
          read_columns<A>(data_ + (c * step + lane),
                          [&](std::size_t r, std::size_t k)
                              GIBBS_PART_LAMBDA { return of_part[k] + r * stride; });
          unroll<parts>([&](std::size_t k) GIBBS_PART_LAMBDA { of_part[k] += count * stride; });
        }
      });
    } else {
      for (std::size_t lane = 0; lane < step; lane += count) {
        const T* row[count];
        each_row(row, first + lane * stride, stride);
        for_column_groups(columns, [&]<class A>(A, std::size_t c) GIBBS_PART_LAMBDA {
          read_columns<A>(data_ + (c * step + lane),
                          [&](std::size_t r, std::size_t k)
                              GIBBS_PART_LAMBDA { return row[k * part + r] + c; });
        });
      }
    }
  }

  /// The chosen rows of f(tile).
  template <class F>
  GIBBS_PART void write_rows(const matrix_view<T>& to, row_set chosen, F f) {
    const std::size_t columns = columns_;
    const std::size_t stride = to.row_stride();
    const bool is_whole = columns >= part && chosen == first_rows(rows_);
    if (is_several<Arch> || !is_whole) {
      for (std::size_t c = 0; c < columns; ++c) set(c, f((*this)[c]));
    }
    if (!is_whole) {
      for_each_row(chosen, [&](std::size_t r) {
        T* row = row_of(to, r);
        for (std::size_t c = 0; c < columns; ++c) row[c] = data_[c * step + r];
      });
    } else if constexpr (is_several<Arch>) {
      const auto write_group = [&]<class A>(A, T* row, std::size_t c,
                                            std::size_t lane) GIBBS_PART_LAMBDA {
        write_columns<A>(
            [&](std::size_t k)
                GIBBS_PART_LAMBDA { return read<T, single>(data_ + (c + k) * step + lane); },
            [&](std::size_t r) GIBBS_PART_LAMBDA {
              return parts_apart{row + r * stride, part * stride};
            });
      };
      if constexpr (has_many_rows) {
        for_column_groups(columns, [&](auto arch, std::size_t c) GIBBS_PART_LAMBDA {
          T* row = to.data() + c;
          for (std::size_t lane = 0; lane < step; lane += count, row += count * stride) {
            write_group(arch, row, c, lane);
          }
        });
      } else {
        T* row = to.data();
        for (std::size_t lane = 0; lane < step; lane += count, row += count * stride) {
          for_column_groups(columns, [&](auto arch, std::size_t c) GIBBS_PART_LAMBDA {
            write_group(arch, row + c, c, lane);
          });
        }
      }
    } else {
      T* row[count];
      each_row(row, to.data(), stride);
      for_column_groups(columns, [&]<class A>(A, std::size_t c) GIBBS_PART_LAMBDA {
        write_columns<A>([&](std::size_t k) GIBBS_PART_LAMBDA { return f((*this)[c + k]); },
                         [&](std::size_t r) GIBBS_PART_LAMBDA {
                           return [&row, r, c](std::size_t k)
                                      GIBBS_PART_LAMBDA { return row[k * part + r] + c; };
                         });
      });
    }
  }

  GIBBS_PART std::size_t columns() const { return columns_; }
  GIBBS_PART B operator[](std::size_t c) const { return read<T, Arch>(data_ + c * step); }
  GIBBS_PART void set(std::size_t c, const B& x) { write(data_ + c * step, x); }
  /// Columns side by side.
  GIBBS_PART batch<T, detail::four<Arch>> four(four_columns c) const {
    const T* from = data_ + c.first * step;
    const std::size_t apart = c.apart * step;
    return {{read<T, Arch>(from), read<T, Arch>(from + apart)},
            {read<T, Arch>(from + 2 * apart), read<T, Arch>(from + 3 * apart)}};
  }
  GIBBS_PART void set_four(four_columns c, const batch<T, detail::four<Arch>>& x) {
    write_apart(data_ + c.first * step, c.apart * step, x);
  }

  /// Puts 0 for all of the rows whose largest element is infinite or has more than this magnitude.
  /// NaN is left aside.
  template <bool WithSmallest>
  GIBBS_PART plain_maxima<T, Arch> keep_plain(T limit, T floor = -infinity<T>) {
    auto all = extremes_of<WithSmallest, T, Arch>(data_, columns_, floor);
    auto plain = abs(all.largest) <= B(limit);
    if (all_hold(plain)) return {all.largest, all.smallest, lane_bits<T, Arch>(plain, rows_)};
    B zero(T(0));
    const std::size_t columns = columns_;
    for (std::size_t c = 0; c < columns; ++c) set(c, choose(plain, (*this)[c], zero));
    return {choose(plain, all.largest, zero), choose(plain, all.smallest, zero),
            lane_bits<T, Arch>(plain, rows_)};
  }

 private:
  /// The addresses of as many rows as a register has lanes. Lanes beyond the last row get its
  /// address: they hold the same numbers, so that what they write there is the same.
  template <class U>
  GIBBS_PART void each_row(U* (&row)[count], U* first, std::size_t stride) const {
    const std::size_t rows = rows_;
    row[0] = first;
    unroll<count - 1>([&](std::size_t r) GIBBS_PART_LAMBDA {
      row[r + 1] = is_several<Arch> || r + 1 < rows ? row[r] + stride : row[r];
    });
  }

  /// Calls f(A(), c) for groups of columns, from c on: as many as a part of a register has numbers,
  /// or twice as many where A is two<single>. Some columns at the end are taken twice where they do
  /// not fill a group: they must come to the same both times.
  template <class F>
  GIBBS_PART static void for_column_groups(std::size_t columns, F f) {
    std::size_t c = 0;
    if constexpr (takes_pairs_of_parts<T, single>) {
      for (; c + 2 * part <= columns; c += 2 * part) f(two<single>(), c);
    }
    for (; c < columns; c += part) f(single(), (std::min)(c, columns - part));
  }

  /// A group of columns of as many rows as a register has lanes: row r of part k is at(r, k).
  template <class A, class At>
  GIBBS_PART static void read_columns(T* to, At at) {
    transpose_parts<T, A>(
        [&](std::size_t r) GIBBS_PART_LAMBDA {
          return read_parts<T, A>([&](std::size_t k) GIBBS_PART_LAMBDA { return at(r, k); });
        },
        [&](std::size_t k, const batch<T, A>& x)
            GIBBS_PART_LAMBDA { write_apart(to + k * step, part * step, x); });
  }

  struct parts_apart {
    T* first;
    std::size_t apart;
    GIBBS_PART T* operator()(std::size_t k) const { return first + k * apart; }
  };

  /// Likewise, where column(k) is number k of the group.
  template <class A, class Column, class At>
  GIBBS_PART static void write_columns(Column column, At at) {
    transpose_parts<T, A>(
        [&](std::size_t k) GIBBS_PART_LAMBDA {
          if constexpr (is_several<A>) {
            return batch<T, A>(column(k), column(part + k));
          } else {
            return column(k);
          }
        },
        [&](std::size_t r, const batch<T, A>& x) GIBBS_PART_LAMBDA { write_parts(at(r), x); });
  }

  std::size_t rows_;
  std::size_t columns_;
  alignas(64) T data_[Longest * step];
};

/// A short row by itself, which is left as it is: register k has `lanes` of its elements. It is
/// used in the place of a tile, whose columns its registers stand for, but has no four of them.
/// Only where takes_four<Arch>, and where terms are rounded before they are added up
/// (rounded_term): elsewhere compilers make them a part of the sums over columns, and a row among
/// others would get other bits.
template <class T, class Arch>
class lone_row {
  using B = batch<T, Arch>;
  static constexpr std::size_t step = lanes<T, Arch>;

 public:
  static constexpr bool is_lone = true;
  static constexpr bool has_four = false;

  GIBBS_PART lone_row() = default;
  GIBBS_PART explicit lone_row(const matrix_view<const T>& from) { read_rows(from); }

  GIBBS_PART void read_rows(const matrix_view<const T>& from) {
    const T* x = from.data();
    columns_ = from.columns();
    std::size_t c = 0;
    // (Not a local count: as far as compilers know stores may change this one, and so they do not
    // call memcpy.)
    for (; c + step <= columns_; c += step) write(data_ + c, read<T, Arch>(x + c));
    // What fills up the lanes is an element: none that is larger or smaller than all.
    if (c < columns_) write(data_ + c, read_first<T, Arch>(x + c, columns_ - c, x[c]));
  }

  template <class F>
  GIBBS_PART void write_rows(const matrix_view<T>& to, row_set chosen, F f) const {
    if (chosen == 0) return;
    T* out = to.data();
    const std::size_t columns = columns_;
    if (columns < step) return write_first(out, f((*this)[0]), columns);
    for (std::size_t c = 0; c < columns; c += step) {
      const std::size_t at = (std::min)(c, columns - step);
      write(out + at, f(read<T, Arch>(data_ + at)));
    }
  }

  GIBBS_PART std::size_t columns() const { return columns_; }
  GIBBS_PART B operator[](std::size_t k) const { return read<T, Arch>(data_ + k * step); }
  GIBBS_PART void set(std::size_t k, const B& x) { write(data_ + k * step, x); }

  template <bool WithSmallest>
  GIBBS_PART plain_maxima<T, Arch> keep_plain(T limit, T floor = -infinity<T>) {
    const std::size_t registers = (columns_ - 1) / step + 1;
    auto all = extremes_of<WithSmallest, T, Arch>(data_, registers, floor);
    all.bring_together();
    if (all_hold(abs(all.largest) <= B(limit))) return {all.largest, all.smallest, 1};
    B zero(T(0));
    for (std::size_t k = 0; k < registers; ++k) set(k, zero);
    return {zero, zero, 0};
  }

 private:
  std::size_t columns_;
  alignas(64) T data_[longest_tile];
};

/// How many rows are taken together with others: all but, where that is faster, a few short ones
/// that are left over. (A register of rows takes as long, whatever the number of rows in it, and
/// one by itself a third to a half of that at 40 columns, a quarter at 128.)
template <class T, class Arch>
GIBBS_PART std::size_t rows_among_others(std::size_t rows, std::size_t columns, bool are_short) {
  constexpr std::size_t most = (std::max)(lanes<T, Arch> / 4, std::size_t(1));
  const std::size_t left_over = rows % lanes<T, Arch>;
  const bool is_few = left_over <= (std::min)(1 + columns / 40, most);
  return takes_four<Arch> && are_short && is_few ? rows - left_over : rows;
}

/// Calls before(group, first, count) and after(group, first, count) for groups of short rows: a few
/// that are left over each by itself, four<Arch> side by side where rows are not longer than
/// Longest, and the others in two stages. A Group<T, Arch, Tile> keeps what is known of rows in a
/// Tile.
template <template <class, class, class> class Group, class T, class Arch, std::size_t Longest,
          class Before, class After>
GIBBS_PART void in_short_groups(std::size_t rows, std::size_t columns, Before before, After after) {
  const std::size_t among_others = rows_among_others<T, Arch>(rows, columns, true);
  if constexpr (takes_four<Arch>) {
    const auto by_itself = [&](std::size_t i) GIBBS_PART_LAMBDA {
      Group<T, Arch, lone_row<T, Arch>> row;
      before(row, i, 1);
      after(row, i, 1);
    };
    // In one loop with the others the first, most often the only one, would wait for all that
    // compilers take out of the loop.
    const auto one_more = [&](std::size_t i) GIBBS_KERNEL { by_itself(i); };
    if (among_others < rows) by_itself(among_others);
    for (std::size_t i = among_others + 1; i < rows; ++i) one_more(i);
    if (among_others == 0) return;
  }
  const std::size_t start = for_each_four<T, Arch, Longest>(
      among_others, columns, [&]<class Four>(Four, std::size_t first) GIBBS_KERNEL {
        Group<T, Four, tile<T, Four>> group;
        before(group, first, lanes<T, Four>);
        after(group, first, lanes<T, Four>);
      });
  Group<T, Arch, tile<T, Arch>> groups[2];
  in_two_stages(
      among_others - start, lanes<T, Arch>,
      [&](std::size_t k, std::size_t first, std::size_t count)
          GIBBS_PART_LAMBDA { before(groups[k], start + first, count); },
      [&](std::size_t k, std::size_t first, std::size_t count)
          GIBBS_PART_LAMBDA { after(groups[k], start + first, count); });
}

/// Brings the lanes of each of x[0], ..., x[rows - 1] together by combine(x, y), of which it gets
/// two each time with the lanes of two rows in turn; what becomes of x[r] is in lane r. The order
/// for a row does not depend on how many there are. x has room for `lanes` rows and is used up.
template <class T, class Arch, class Value, class Combine>
GIBBS_PART Value across_lanes(Value* x, std::size_t rows, Combine combine) {
  std::size_t padded = 1;
  while (padded < rows) padded *= 2;
  for (std::size_t r = rows; r < padded; ++r) x[r] = x[rows - 1];
  for (std::size_t copies = padded; copies < lanes<T, Arch>; copies *= 2) {
    for (std::size_t r = 0; r < padded; ++r) x[r] = combine(x[r], x[r]);
  }
  for (std::size_t half = padded / 2; half > 0; half /= 2) {
    for (std::size_t r = 0; r < half; ++r) x[r] = combine(x[r], x[r + half]);
  }
  return x[0];
}

/// The lane of each row that is left when better(a, b) is chosen from two at a time.
template <class T, class Arch, class Better>
GIBBS_PART batch<T, Arch> best_across_lanes(batch<T, Arch>* x, std::size_t rows, Better better) {
  return across_lanes<T, Arch>(x, rows, [&](const batch<T, Arch>& a, const batch<T, Arch>& b) {
    auto both = interleave<T, Arch>(a, b);
    return better(both.first, both.second);
  });
}

/// The largest lane of each row, and the smallest.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> max_across_lanes(batch<T, Arch>* x, std::size_t rows) {
  using B = batch<T, Arch>;
  return best_across_lanes(x, rows, [](const B& a, const B& b) { return max_or_second(a, b); });
}
template <class T, class Arch>
GIBBS_PART batch<T, Arch> min_across_lanes(batch<T, Arch>* x, std::size_t rows) {
  using B = batch<T, Arch>;
  return best_across_lanes(x, rows, [](const B& a, const B& b) { return min_or_second(a, b); });
}

/// The sum of the lanes of each row.
template <class T, class Arch>
GIBBS_PART wide_batch<T, Arch> sum_across_lanes(wide_batch<T, Arch>* x, std::size_t rows) {
  using wide = wide_batch<T, Arch>;
  return across_lanes<T, Arch>(x, rows, [](const wide& a, const wide& b) {
    auto hi = interleave<T, Arch>(a.hi, b.hi);
    auto lo = interleave<T, Arch>(a.lo, b.lo);
    return wide(hi.first, lo.first) + wide(hi.second, lo.second);
  });
}

/// The N sums of each of up to `lanes` rows: kept apart by lanes until all rows are there.
template <class T, class Arch, std::size_t N>
class rows_of_sums {
 public:
  template <bool AreWeights>
  GIBBS_PART void set(std::size_t row, const sums<T, Arch, N, AreWeights>& of_row) {
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { parts_[i][row] = of_row.total_of_lanes(i); });
  }

  /// totals[i] gets sum i of each row in the lane of the row. To be called once.
  GIBBS_PART void bring_together(std::size_t rows, wide_batch<T, Arch> (&totals)[N]) {
    unroll<N>([&](std::size_t i)
                  GIBBS_PART_LAMBDA { totals[i] = sum_across_lanes<T, Arch>(parts_[i], rows); });
  }

 private:
  wide_batch<T, Arch> parts_[N][lanes<T, Arch>];
};

/// What was left in any lane, in all of them: 0 or 1.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> mark_of_all(const batch<T, Arch>& mark) {
  return batch<T, Arch>(any_holds(mark != batch<T, Arch>(T(0))) ? T(1) : T(0));
}

/// The sums of of[i][0], ..., of[i][count - 1], all of them in blocks. What several sums get from a
/// group is added to them by one addition: four are side by side in a register.
template <class T, class Arch, std::size_t N, bool AreWeights>
GIBBS_PART void add_up_blocks(sums<T, Arch, N, AreWeights>& into, std::size_t count,
                              const T (&of)[N][longest_tile]) {
  constexpr std::size_t step = lanes<T, Arch>;
  constexpr std::size_t at_once = 4;
  constexpr std::size_t in_a_register = (std::min)(step, at_once);
  constexpr std::size_t registers = at_once / in_a_register;
  unroll<(N + at_once - 1) / at_once>([&](std::size_t k) GIBBS_PART_LAMBDA {
    const std::size_t first = k * at_once;
    alignas(64) T groups[longest_tile];
    for (std::size_t c = 0; c < count; c += 4 * step) {
      terms<T, four<Arch>, at_once> x;
      unroll<at_once>([&](std::size_t i) GIBBS_PART_LAMBDA {
        x.of[i] = read<T, four<Arch>>(of[(std::min)(first + i, N - 1)] + c);
      });
      auto group = in_one_batch(x);
      if (AreWeights && k == 0) keep_rounded(group, x.of[0]);
      auto even = interleave<T, Arch>(group.of[0], group.of[2]);
      auto odd = interleave<T, Arch>(group.of[1], group.of[3]);
      auto low = interleave<T, Arch>(even.first, odd.first);
      auto high = interleave<T, Arch>(even.second, odd.second);
      write(groups + c, low.first);
      write(groups + c + step, low.second);
      write(groups + c + 2 * step, high.first);
      write(groups + c + 3 * step, high.second);
    }
    sums<T, Arch, registers> all;
    for (std::size_t c = 0; c < count; c += at_once) {
      terms<T, Arch, registers> group;
      unroll<registers>([&](std::size_t r) GIBBS_PART_LAMBDA {
        group.of[r] = read_four<T, Arch>(groups + c + r * in_a_register);
      });
      all.add(group);
    }
    // As add_up_groups() does, which rows among others take, after so many additions. (Of weights
    // settle() may do more, but rows of them are not as long then.)
    static_assert(longest_tile == 4 * settle_after);
    static_assert(!(AreWeights && has_look_up<Arch>) || longest_transposed<T, Arch> < longest_tile);
    if (count == longest_tile) all.settle();
    unroll<registers>([&](std::size_t r) GIBBS_PART_LAMBDA {
      into.set_some(first + r * in_a_register, in_a_register, all.total_of_lanes(r));
    });
  });
}

/// Adds up at(k), the terms of register k of one row, in the order in which those of columns are
/// added up, a row a lane; all lanes get the sums. (The first template argument and the last
/// argument are not used: calls look as those for tiles, below.)
template <std::size_t, bool InBlocks, class T, class Arch, std::size_t N, bool AreWeights, class At,
          class AtFour>
GIBBS_PART void add_up_columns(sums<T, Arch, N, AreWeights>& into, const lone_row<T, Arch>& row,
                               At at, AtFour) {
  using B = batch<T, Arch>;
  constexpr std::size_t step = lanes<T, Arch>;
  const std::size_t columns = row.columns();
  const column_order<InBlocks, T, Arch> order(columns);
  alignas(64) T of[N][longest_tile];
  for (std::size_t k = 0; k * step < columns; ++k) {
    terms<T, Arch, N> x = at(k);
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { write(of[i] + k * step, x.of[i]); });
  }
  std::size_t c = order.in_blocks();
  if constexpr (InBlocks) {
    if (c > 0) add_up_blocks(into, c, of);
  }
  for (; c + 4 <= columns; c += 4) {
    terms<T, Arch, N> first;
    terms<T, Arch, N> second;
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA {
      const T* x = of[i] + c;
      first.of[i] = B(x[0] + x[1]);
      second.of[i] = B(x[2] + x[3]);
    });
    into.add(first, second);
  }
  // Likewise; after as many in blocks it has been done.
  if (!InBlocks && c == longest_tile) into.settle();
  if (c == columns) return;
  add_four(into, c, columns, 1, [&](std::size_t k, std::size_t) GIBBS_PART_LAMBDA {
    terms<T, Arch, N> x;
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { x.of[i] = B(of[i][k]); });
    return x;
  });
}

/// Adds up at(c), the terms of register c of a tile, over its columns, AtATime of which are
/// rounded. Where takes_four<Arch> or is_several<Arch> it is four, in one order. at_four(into, c)
/// adds those of four columns, or refuses, where takes_four<Arch>. Where is_several<Arch> AtATime
/// tells how often at(), long code, is written out for four columns: four times, twice, or else not
/// at all, so that one by one is the only way. (Very long code is slower than a loop.)
template <std::size_t AtATime, bool InBlocks, class T, class Arch, std::size_t N, bool AreWeights,
          class At, class AtFour, std::size_t Longest>
GIBBS_PART void add_up_columns(sums<T, Arch, N, AreWeights>& into,
                               const tile<T, Arch, Longest>& over, At at,
                               [[maybe_unused]] AtFour at_four) {
  const std::size_t columns = over.columns();
  const column_order<InBlocks, T, Arch> order(columns);
  if constexpr (takes_four<Arch>) {
    add_up_groups(
        into, columns, 1,
        [&](auto& sum, std::size_t i) GIBBS_PART_LAMBDA { return at_four(sum, order.group(i)); },
        [&](std::size_t i, std::size_t) GIBBS_PART_LAMBDA { return at(order[i]); });
  } else if constexpr (AtATime == 4 || is_several<Arch>) {
    std::size_t i = 0;
    if constexpr (AtATime == 4 || AtATime == 2) {
      for (; i + 4 <= columns; i += 4) {
        const auto [c, apart] = order.group(i);
        if constexpr (AtATime == 4) {
          into.add(at(c) + at(c + apart), at(c + 2 * apart) + at(c + 3 * apart));
        } else {
          terms<T, Arch, N> first{};  // as in add_four()
          for (std::size_t k = 0; k < 4; k += 2) {
            auto pair = at(c + k * apart) + at(c + (k + 1) * apart);
            if (k == 0) {
              first = pair;
            } else {
              into.add(first, pair);
            }
          }
        }
      }
    }
    if (i == columns) return;
    if constexpr (is_several<Arch>) {
      while (i < columns) {
        add_four(into, i, columns, 1,
                 [&](std::size_t k, std::size_t) GIBBS_PART_LAMBDA { return at(order[k]); });
      }
      return;
    }
    add_four(into, i, columns, 1,
             [&](std::size_t k, std::size_t) GIBBS_PART_LAMBDA { return at(k); });
  } else {
    // Short code, for terms that are long code themselves.
    if (columns == 0) return;
    into.start(sum_in_turn(0, (std::min)(AtATime, columns), at));
    for (std::size_t i = AtATime; i < columns; i += AtATime) {
      into.add(sum_in_turn(i, (std::min)(i + AtATime, columns), at));
    }
  }
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_ROWS_HPP
