// SPDX-License-Identifier: MIT
//
// The only loops over memory: groups of batches, single batches, tail. What is done to a batch
// comes in as a function; how far sums are to be trusted is decided here.
#ifndef GIBBS_DETAIL_SWEEP_HPP
#define GIBBS_DETAIL_SWEEP_HPP

#include <algorithm>
#include <cstddef>

#include "beside.hpp"
#include "simd.hpp"
#include "wide.hpp"

namespace gibbs::detail {

/// A row to be read, and what stands in for the elements after its end.
template <class T>
struct input {
  const T* data;
  T fill;
};

/// What a function of a batch adds to N sums.
template <class T, class Arch, std::size_t N>
struct terms {
  batch<T, Arch> of[N];

  friend GIBBS_PART terms operator+(terms a, const terms& b) {
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { a.of[i] += b.of[i]; });
    return a;
  }
};

/// The sums of what batches side by side add.
template <class T, class Several, std::size_t N>
GIBBS_PART terms<T, single_arch<Several>, N> in_one_batch(const terms<T, Several, N>& x) {
  terms<T, single_arch<Several>, N> result;
  unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { result.of[i] = in_one_batch(x.of[i]); });
  return result;
}

/// For the sum of weights in two parts, the first two terms: what a + b, the sum of first parts,
/// is rounded by is added to the sum of second ones. One weight may be nearly all of a sum, and the
/// others a digit of it.
template <class T, class Arch, std::size_t N>
GIBBS_PART void keep_rounded(terms<T, Arch, N>& sum, const batch<T, Arch>& a,
                             const batch<T, Arch>& b) {
  sum.of[1] += wide_batch<T, Arch>::sum(a, b).lo;
}
/// Likewise of what batches side by side add.
template <class T, class Several, std::size_t N>
GIBBS_PART void keep_rounded(terms<T, single_arch<Several>, N>& sum, const batch<T, Several>& x) {
  if constexpr (is_several<Several>) keep_rounded(sum, in_one_batch(x.left), in_one_batch(x.right));
}

/// Those of one half.
template <class T, class Left, class Right, std::size_t N>
GIBBS_PART terms<T, Left, N> left_of(const terms<T, beside<Left, Right>, N>& x) {
  terms<T, Left, N> result;
  unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { result.of[i] = x.of[i].left; });
  return result;
}
template <class T, class Left, class Right, std::size_t N>
GIBBS_PART terms<T, Right, N> right_of(const terms<T, beside<Left, Right>, N>& x) {
  terms<T, Right, N> result;
  unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { result.of[i] = x.of[i].right; });
  return result;
}

/// 0 and 1, as many as a batch has lanes of each.
template <class T, class Arch>
struct lane_marks {
  alignas(64) T of[2 * lanes<T, Arch>] = {};
  constexpr lane_marks() {
    for (std::size_t i = lanes<T, Arch>; i < 2 * lanes<T, Arch>; ++i) of[i] = 1;
  }
};
template <class T, class Arch>
inline constexpr lane_marks<T, Arch> marks_of_lanes;

/// 0 for all but the last `count` lanes: a row ends with a batch of which some has been added up
/// before, since a CPU takes much longer to read and write less than a batch.
template <class T, class Arch, std::size_t N>
GIBBS_PART terms<T, Arch, N> in_last_lanes(terms<T, Arch, N> x, std::size_t count) {
  auto chosen = read<T, Arch>(marks_of_lanes<T, Arch>.of + count) != batch<T, Arch>(T(0));
  unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { x.of[i] = zero_unless(chosen, x.of[i]); });
  return x;
}

/// N sums, each with the rounding errors of its additions beside it (D. E. Knuth's two-sum), so
/// that their error does not grow with the length of the row: pairs are added in a tree of four,
/// then with their errors. If AreWeights, the first two are of the two parts of weights, and the
/// last one is of integers, which have no errors.
template <class T, class Arch, std::size_t N, bool AreWeights = false>
class sums {
  using B = batch<T, Arch>;
  /// The second parts are so small that their sum needs no errors either.
  static constexpr bool has_small_rests = AreWeights && has_look_up<Arch>;
  GIBBS_INLINE static constexpr bool has_error(std::size_t i) {
    return !AreWeights || (i + 1 < N && !(has_small_rests && i == 1));
  }

 public:
  GIBBS_PART sums() {
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { sum_[i] = error_[i] = B(T(0)); });
  }

  /// add() where nothing has been added up before.
  GIBBS_PART void start(const terms<T, Arch, N>& x) {
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA { sum_[i] = x.of[i]; });
  }

  GIBBS_PART void add(const terms<T, Arch, N>& x) {
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA {
      if (!has_error(i)) {
        sum_[i] += x.of[i];
        return;
      }
      auto sum = wide_batch<T, Arch>::sum(sum_[i], x.of[i]);
      sum_[i] = sum.hi;
      error_[i] += sum.lo;
    });
  }

  /// The sum of two terms.
  GIBBS_PART void add(const terms<T, Arch, N>& a, const terms<T, Arch, N>& b) {
    terms<T, Arch, N> sum = a + b;
    if constexpr (AreWeights) keep_rounded(sum, a.of[0], b.of[0]);
    add(sum);
  }

  /// The sum of what batches side by side add.
  template <class Several>
  GIBBS_PART static terms<T, Arch, N> sum_of(const terms<T, Several, N>& x) {
    terms<T, Arch, N> result = in_one_batch(x);
    if constexpr (AreWeights) keep_rounded(result, x.of[0]);
    return result;
  }

  /// The sum of up to six batches side by side, or of each four of eight.
  template <class Several>
  GIBBS_PART void add_groups(const terms<T, Several, N>& x) {
    if constexpr (abreast<Several> == 8) {
      add_groups(left_of(x));
      add_groups(right_of(x));
    } else {
      add(sum_of(x));
    }
  }

  /// To be called after every `settle_after` additions, in a loop without end: the errors are only
  /// added up with errors of their own.
  GIBBS_PART void settle() {
    if constexpr (has_small_rests) {
      error_[0] += sum_[1];
      sum_[1] = sum_[1] - sum_[1];  // 0, or the NaN that it has to stay
    }
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA {
      if (!has_error(i)) return;
      auto both = wide_batch<T, Arch>::ordered_sum(sum_[i], error_[i]);
      // A sum that became infinite left a NaN in its error, and stays infinite.
      sum_[i] = choose(error_[i] == error_[i], both.hi, sum_[i]);
      error_[i] = both.lo;
    });
  }

  /// Sums `first`, first + 1, ... become what is in the first `count` lanes of x, if there are so
  /// many.
  GIBBS_PART void set_some(std::size_t first, std::size_t count, const wide_batch<T, Arch>& x) {
    alignas(64) T sum[lanes<T, Arch>];
    alignas(64) T error[lanes<T, Arch>];
    x.hi.store_aligned(sum);
    x.lo.store_aligned(error);
    unroll<N>([&](std::size_t i) GIBBS_PART_LAMBDA {
      if (i < first || i - first >= count) return;
      sum_[i] = B(sum[i - first]);
      error_[i] = has_error(i) ? B(error[i - first]) : B(T(0));
    });
  }

  GIBBS_PART wide_batch<T, Arch> total_of_lanes(std::size_t i) const {
    return {sum_[i], error_[i]};
  }

  wide<T> total(std::size_t i) const {
    alignas(64) T sum[lanes<T, Arch>];
    alignas(64) T error[lanes<T, Arch>];
    sum_[i].store_aligned(sum);
    error_[i].store_aligned(error);
    wide<T> total = sum[0];
    double plain_total = static_cast<double>(sum[0]);
    T errors = error[0];
    for (std::size_t lane = 1; lane < lanes<T, Arch>; ++lane) {
      total = total + wide<T>(sum[lane]);
      plain_total += static_cast<double>(sum[lane]);
      errors += error[lane];
    }
    // A sum that became infinite left a NaN in its error.
    if (!is_finite(plain_total)) return wide<T>(plain_total);
    return total + wide<T>(errors);
  }

 private:
  B sum_[N];
  B error_[N];
};

inline constexpr std::size_t settle_after = 64;

/// Rows longer than this are taken in pieces that stay in the cache between a look for the maximum
/// and the sums. So much is looked at of shorter rows, too, before they are added up.
inline constexpr std::size_t long_row = 1 << 15;

/// How many batches a loop takes at a time: several where it has to be fast; one after the other
/// where what is done to each is long code already; one where it is seldom run, and then each is
/// added up with its rounding error.
enum class pace { fast, steady, compact };

/// at(first) + ... + at(end - 1), in turn.
template <class At>
GIBBS_PART auto sum_in_turn(std::size_t first, std::size_t end, At at) {
  auto sum = at(first);
  for (std::size_t i = first + 1; i < end; ++i) sum = sum + at(i);
  return sum;
}

/// Adds the terms of up to four batches, from i on, which moves on behind them. at_first(i, count)
/// has those of one.
template <class Sums, class AtFirst>
GIBBS_PART void add_four(Sums& into, std::size_t& i, std::size_t n, std::size_t step,
                         AtFirst at_first) {
  // Zeros, since compilers add before they know whether to.
  decltype(at_first(i, step)) first{};
  decltype(first) pair{};
  for (int k = 0; k < 4 && i < n; ++k, i += step) {
    auto added = at_first(i, (std::min)(step, n - i));
    if (k == 2) first = pair;
    pair = k % 2 == 0 ? added : pair + added;
  }
  into.add(first, pair);
}

/// Adds up at(i), the terms of the batch of elements from i on, and at_first(i, count), those of a
/// batch that is not full, over n elements.
template <pace Pace, class T, class Arch, std::size_t N, bool AreWeights, class At, class AtFirst>
GIBBS_PART void add_up_batches(sums<T, Arch, N, AreWeights>& into, std::size_t n, At at,
                               AtFirst at_first) {
  constexpr std::size_t step = lanes<T, Arch>;
  std::size_t i = 0;
  if constexpr (Pace == pace::steady) {
    const auto at_any = [&](std::size_t k) GIBBS_PART_LAMBDA {
      return k + step <= n ? at(k) : at_first(k, n - k);
    };
    for (std::size_t groups = 1; i < n; ++groups) {
      const std::size_t end = (std::min)(i + 3 * step, n);
      auto sum = at_any(i);
      for (i += step; i < end; i += step) sum = sum + at_any(i);
      into.add(sum);
      if (groups % settle_after == 0) into.settle();
    }
    return;
  }
  if constexpr (Pace == pace::fast) {
    for (std::size_t groups = n / (4 * step); groups > 0;) {
      const std::size_t block = (std::min)(groups, settle_after);
      for (std::size_t k = 0; k < block; ++k, i += 4 * step) {
        into.add(at(i) + at(i + step), at(i + 2 * step) + at(i + 3 * step));
      }
      groups -= block;
      if (groups > 0) into.settle();
    }
  }
  if (i == n) return;
  if constexpr (Pace == pace::fast) {
    add_four(into, i, n, step, at_first);
  } else {
    for (std::size_t k = 1; i < n; i += step, ++k) {
      into.add(at_first(i, (std::min)(step, n - i)));
      if (k % settle_after == 0) into.settle();
    }
  }
}

/// Likewise where takes_four<Arch>. at_several(into, i) adds the terms of so many batches, or
/// refuses, and then they are taken one by one, as those behind the last ones are. step is the
/// number of elements in a batch. The result is the same for four and eight.
template <std::size_t Several = 4, class T, class Arch, std::size_t N, bool AreWeights,
          class AtSeveral, class AtFirst>
GIBBS_PART void add_up_groups(sums<T, Arch, N, AreWeights>& into, std::size_t n, std::size_t step,
                              AtSeveral at_several, AtFirst at_first) {
  constexpr std::size_t additions_of_each = Several / 4;
  static_assert(settle_after % additions_of_each == 0);
  std::size_t additions = 0;
  for (std::size_t i = 0; i < n;) {
    const std::size_t left = (n - i) / (Several * step) * additions_of_each;
    const std::size_t end = (std::min)(additions + left, settle_after);
    while (additions < end && at_several(into, i)) {
      i += Several * step;
      additions += additions_of_each;
    }
    if (additions >= settle_after) {
      into.settle();
      additions = 0;
      continue;
    }
    if (i == n) return;
    // In the same order, since lanes may belong to rows of which only one is the reason.
    add_four(into, i, n, step, at_first);
    ++additions;
  }
}

/// Adds up term(batch...) over n elements of each input. If the pace is not compact, term must also
/// have add_up_several(sums, batches side by side...), which may refuse, and fetches_ahead: whether
/// elements of the first input are looked at for a maximum next, which would have to wait for
/// memory.
template <pace Pace, class T, class Arch, std::size_t N, bool AreWeights, class Term,
          class... Inputs>
GIBBS_PART void sweep_sums(sums<T, Arch, N, AreWeights>& into, std::size_t n, Term term,
                           input<T> first, Inputs... others) {
  constexpr std::size_t step = lanes<T, Arch>;
  if (n < step) {
    if (n == 0) return;
    into.add(term(read_first<T, Arch>(first.data, n, first.fill),
                  read_first<T, Arch>(others.data, n, others.fill)...));
    return;
  }
  const auto at_first = [&](std::size_t i, std::size_t count) GIBBS_PART_LAMBDA {
    const std::size_t at = (std::min)(i, n - step);
    return in_last_lanes(term(read<T, Arch>(first.data + at), read<T, Arch>(others.data + at)...),
                         count);
  };
  if constexpr (takes_four<Arch> && Pace != pace::compact) {
    using several = typename Term::several;
    add_up_groups<abreast<several>>(
        into, n, step,
        [&](auto& sum, std::size_t i) GIBBS_PART_LAMBDA {
          if constexpr (Term::fetches_ahead) {
            fetch<lanes<T, several>, T, Arch>(first.data + i, long_row);
          }
          return term.add_up_several(sum, read<T, several>(first.data + i),
                                     read<T, several>(others.data + i)...);
        },
        at_first);
  } else {
    add_up_batches<Pace>(
        into, n,
        [&](std::size_t i) GIBBS_PART_LAMBDA {
          return term(read<T, Arch>(first.data + i), read<T, Arch>(others.data + i)...);
        },
        at_first);
  }
}

/// The same at a fast pace, where term also returns, through its first argument, a batch for out,
/// which may be in. It must do for batches side by side, too.
template <class T, class Arch, std::size_t N, bool AreWeights, class Term>
GIBBS_PART void sweep_sums_and_store(sums<T, Arch, N, AreWeights>& into, std::size_t n, T* out,
                                     Term term, input<T> in) {
  constexpr std::size_t step = lanes<T, Arch>;
  batch<T, Arch> result;
  if (n < step) {
    if (n == 0) return;
    into.add(term(result, read_first<T, Arch>(in.data, n, in.fill)));
    write_first(out, result, n);
    return;
  }
  // Before anything is written.
  batch<T, Arch> last = read<T, Arch>(in.data + n - step);
  const auto at_first = [&](std::size_t i, std::size_t count) GIBBS_PART_LAMBDA {
    const bool is_last = count < step;
    auto added = term(result, is_last ? last : read<T, Arch>(in.data + i));
    write(out + (is_last ? n - step : i), result);
    return in_last_lanes(added, count);
  };
  if constexpr (takes_four<Arch>) {
    using several = typename Term::several;
    add_up_groups<abreast<several>>(
        into, n, step,
        [&](auto& sum, std::size_t i) GIBBS_PART_LAMBDA {
          batch<T, several> results;
          sum.add_groups(term(results, read<T, several>(in.data + i)));
          write(out + i, results);
          return true;
        },
        at_first);
  } else {
    add_up_batches<pace::fast>(
        into, n,
        [&](std::size_t i) GIBBS_PART_LAMBDA {
          auto added = term(result, read<T, Arch>(in.data + i));
          write(out + i, result);
          return added;
        },
        at_first);
  }
}

/// out = f(in), element by element; out may be in.
template <pace Pace, class T, class Arch, class Map>
GIBBS_PART void sweep_map(std::size_t n, input<T> from, T* out, Map f) {
  const T* in = from.data;
  constexpr std::size_t step = lanes<T, Arch>;
  if (n < step) {
    write_first(out, f(read_first<T, Arch>(in, n, from.fill)), n);
    return;
  }
  // Before anything is written.
  batch<T, Arch> last = read<T, Arch>(in + n - step);
  const auto at = [&](std::size_t k)
                      GIBBS_PART_LAMBDA { write(out + k, f(read<T, Arch>(in + k))); };
  std::size_t i = 0;
  if constexpr (Pace == pace::fast) {
    for (; i + 4 * step <= n; i += 4 * step) {
      at(i);
      at(i + step);
      at(i + 2 * step);
      at(i + 3 * step);
    }
  }
  for (; i + step <= n; i += step) at(i);
  if (i < n) write(out + n - step, f(last));
}

/// The largest and, if wanted, the smallest of those that are not less than some floor, lane by
/// lane; NaN is left aside.
template <class T, class Arch>
struct extremes {
  using B = batch<T, Arch>;
  B largest = B(-infinity<T>);
  B smallest = B(infinity<T>);

  template <bool WithSmallest>
  GIBBS_PART void look_at(const B& x, T floor) {
    largest = max_or_second(x, largest);
    if constexpr (WithSmallest) smallest = min_from(B(floor), x, smallest);
  }
  GIBBS_PART void look_at(const extremes& other) {
    largest = max_or_second(other.largest, largest);
    smallest = min_or_second(other.smallest, smallest);
  }
  /// All lanes get those of all.
  GIBBS_PART void bring_together() {
    largest = B(largest_lane(largest));
    smallest = -B(largest_lane(-smallest));
  }
};

/// Of the elements of a row, still apart by lanes.
template <bool WithSmallest, class T, class Arch>
GIBBS_PART extremes<T, Arch> sweep_extremes(std::size_t n, const T* in, T floor = -infinity<T>) {
  constexpr std::size_t step = lanes<T, Arch>;
  extremes<T, Arch> of[4];
  std::size_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step) {
    unroll<4>([&](std::size_t k) GIBBS_PART_LAMBDA {
      of[k].template look_at<WithSmallest>(read<T, Arch>(in + i + k * step), floor);
    });
  }
  for (; i + step <= n; i += step) {
    of[0].template look_at<WithSmallest>(read<T, Arch>(in + i), floor);
  }
  if (i < n) {
    // What fills up the lanes are elements: none that is larger or smaller than all.
    of[0].template look_at<WithSmallest>(
        n < step ? read_first<T, Arch>(in, n, in[0]) : read<T, Arch>(in + n - step), floor);
  }
  unroll<3>([&](std::size_t k) GIBBS_PART_LAMBDA { of[0].look_at(of[k + 1]); });
  return of[0];
}

template <class T, class Arch>
GIBBS_PART T sweep_max(std::size_t n, const T* in) {
  return largest_lane(sweep_extremes<false, T, Arch>(n, in).largest);
}

/// Whether one of n elements is NaN.
template <class T, class Arch>
inline bool has_nan(std::size_t n, const T* in) {
  for (std::size_t i = 0; i < n; ++i) {
    if (in[i] != in[i]) return true;
  }
  return false;
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_SWEEP_HPP
