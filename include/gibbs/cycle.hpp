// SPDX-License-Identifier: MIT
//
// Cycle detection: the sequence start, next(start), next(next(start)), ... over a finite set of
// values ends in a cycle. find_cycle says where the cycle begins and how long it is, and keeps a
// handful of values, whatever the length of the sequence.
#ifndef GIBBS_CYCLE_HPP
#define GIBBS_CYCLE_HPP

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>

#include "detail/target.hpp"

namespace gibbs {

enum class cycle_algorithm {
  floyd,  ///< Tortoise and hare. Up to 5 calls of next for each value before the first repetition.
  brent,  ///< Jumps to powers of two. Up to 3: the choice where next is expensive.
};

struct cycle_options {
  cycle_algorithm algorithm = cycle_algorithm::brent;
  /// The search gives up rather than call next more often than this.
  std::uint64_t max_steps = (std::numeric_limits<std::uint64_t>::max)();
};

/// With x[0] = start and x[i + 1] = next(x[i]): x[i] == x[i + cycle_length] for every i >=
/// tail_length, and both lengths are the smallest for which this is true.
template <class T>
struct cycle {
  bool found = false;              ///< false if max_steps ran out; then both lengths are 0
  std::uint64_t tail_length = 0;   ///< how many values come before the cycle ("mu")
  std::uint64_t cycle_length = 0;  ///< how many values are in the cycle ("lambda"), at least 1
  T entry;                         ///< x[tail_length]; if nothing was found, start
  std::uint64_t calls = 0;         ///< how often next was called
};

/// The value type of a sequence: what next returns, without const and reference.
template <class Start, class Next>
using cycle_value = std::remove_cvref_t<std::invoke_result_t<Next&, const Start&>>;

/// Can be called with the start and with the values that it returns, and these can be compared.
template <class Next, class Start>
concept cycle_function =
    std::copyable<cycle_value<Start, Next>> && std::equality_comparable<cycle_value<Start, Next>> &&
    std::convertible_to<Start, cycle_value<Start, Next>> &&
    std::is_invocable_r_v<cycle_value<Start, Next>, Next&, const cycle_value<Start, Next>&>;

inline namespace GIBBS_TARGET {

/// Finds the cycle of start, next(start), next(next(start)), ...
/// next is anything that can be called with a const value and returns the next one, the same one
/// each time. Values need a copy and ==, nothing else: integers, pointers, structs, strings. The
/// memory used is that of a few values. If the values are not from a finite set, limit the search
/// with max_steps.
template <class Start, cycle_function<Start> Next>
constexpr cycle<cycle_value<Start, Next>> find_cycle(Start start, Next next,
                                                     cycle_options options = {});

}  // namespace GIBBS_TARGET

// ---------------------------------------------------------------------------------------------------

namespace detail {
inline namespace GIBBS_TARGET {

/// Moves a value along the sequence, as long as there are calls left.
template <class Next>
class stepper {
 public:
  constexpr stepper(Next& next, std::uint64_t max_steps) : next_(next), left_(max_steps) {}

  template <class T>
  [[nodiscard]] constexpr bool step(T& x) {
    if (left_ == 0) return false;
    --left_;
    x = std::invoke(next_, std::as_const(x));
    return true;
  }

  template <class T>
  [[nodiscard]] constexpr bool step(T& x, std::uint64_t times) {
    for (; times != 0; --times) {
      if (!step(x)) return false;
    }
    return true;
  }

  constexpr std::uint64_t left() const { return left_; }

 private:
  Next& next_;
  std::uint64_t left_;
};

/// `behind` is a value of the tail, or the entry, and `ahead` is a multiple of the cycle length
/// further on: walking both at the same speed, they meet at the entry.
template <class T, class Next>
constexpr bool walk_to_entry(stepper<Next>& walk, T& behind, T& ahead, cycle<T>& result) {
  while (behind != ahead) {
    if (!walk.step(behind) || !walk.step(ahead)) return false;
    ++result.tail_length;
  }
  result.entry = behind;
  return true;
}

/// Sets tail_length and entry only: find_duplicate does not need the cycle's length, which costs
/// one more round. false if the calls ran out.
template <class T, class Next>
constexpr bool floyd_entry(stepper<Next>& walk, const T& start, cycle<T>& result) {
  T slow = start;
  T fast = start;
  do {
    if (!walk.step(slow) || !walk.step(fast) || !walk.step(fast)) return false;
  } while (slow != fast);
  slow = start;
  return walk_to_entry(walk, slow, fast, result);
}

template <class T, class Next>
constexpr bool floyd(stepper<Next>& walk, const T& start, cycle<T>& result) {
  if (!floyd_entry(walk, start, result)) return false;
  T x = result.entry;
  do {
    if (!walk.step(x)) return false;
    ++result.cycle_length;
  } while (x != result.entry);
  return true;
}

/// The hare runs 1, 2, 4, ... steps from a saved value, which is then replaced by where the hare
/// is. The saved value before that is kept too, for it spares calls in the second part.
template <class T, class Next>
constexpr bool brent(stepper<Next>& walk, const T& start, cycle<T>& result) {
  T before = start;
  T saved = start;
  T hare = start;
  std::uint64_t before_at = 0;
  std::uint64_t saved_at = 0;
  std::uint64_t length = 0;
  std::uint64_t limit = 1;
  do {
    if (length == limit) {
      before = saved;
      before_at = saved_at;
      saved = hare;
      saved_at += length;
      length = 0;
      limit *= 2;
    }
    if (!walk.step(hare)) return false;
    ++length;
  } while (hare != saved);

  if (length <= saved_at - before_at) {
    // The hare ran from `before` to `saved`, a whole cycle or more, without coming back to
    // `before`: so `before` is in the tail.
    result.tail_length = before_at;
    hare = before;
    if (!walk.step(hare, length)) return false;
  } else {
    hare = length >= saved_at ? saved : before;
    if (!walk.step(hare, length - (length >= saved_at ? saved_at : before_at))) return false;
    before = start;
  }
  result.cycle_length = length;
  return walk_to_entry(walk, before, hare, result);
}

}  // namespace GIBBS_TARGET
}  // namespace detail

inline namespace GIBBS_TARGET {

template <class Start, cycle_function<Start> Next>
constexpr cycle<cycle_value<Start, Next>> find_cycle(Start start, Next next,
                                                     cycle_options options) {
  using T = cycle_value<Start, Next>;
  const T first = static_cast<T>(std::move(start));
  cycle<T> result{.entry = first};
  detail::stepper<Next> walk(next, options.max_steps);
  result.found = options.algorithm == cycle_algorithm::floyd ? detail::floyd(walk, first, result)
                                                             : detail::brent(walk, first, result);
  if (!result.found) result = {.entry = first};
  result.calls = options.max_steps - walk.left();
  return result;
}

}  // namespace GIBBS_TARGET
}  // namespace gibbs

#endif  // GIBBS_CYCLE_HPP
