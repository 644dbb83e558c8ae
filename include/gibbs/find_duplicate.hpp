// SPDX-License-Identifier: MIT
//
// n + 1 integers, each in [1, n]: at least one of them occurs again. find_duplicate finds one
// without changing the input and with a fixed amount of extra space.
#ifndef GIBBS_FIND_DUPLICATE_HPP
#define GIBBS_FIND_DUPLICATE_HPP

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <ranges>
#include <span>
#include <type_traits>

#include "cycle.hpp"
#include "detail/target.hpp"
#include "error.hpp"

namespace gibbs {

enum class duplicate_method {
  automatic,  ///< The fastest method that checks every value: counting, at every size.
  floyd,      ///< The cycle of 0 -> values[0] -> values[values[0]] -> ..., by tortoise and hare.
  brent,      ///< The same cycle by Brent's algorithm.
  counting,   ///< Looks for a part of [1, n] that holds more values than it has places; 1 to 3
              ///< passes.
};

/// Any contiguous sized range of a built-in integer type, const or not.
template <class Range>
concept integer_range =
    std::ranges::contiguous_range<const Range> && std::ranges::sized_range<const Range> &&
    std::integral<std::ranges::range_value_t<const Range>> &&
    !std::same_as<std::ranges::range_value_t<const Range>, bool>;

template <class T>
struct duplicate_location {
  T value;
  std::size_t first;   ///< index of its first occurrence
  std::size_t second;  ///< index of its second occurrence
};

inline namespace GIBBS_TARGET {

/// A value that occurs more than once among n + 1 values in [1, n]; if several do, any one of them.
/// n + 1 need not fit the element type: 256 values of type std::uint8_t are fine.
///
/// Throws std::invalid_argument for fewer than two values, and for a value outside [1, n], naming
/// its index.
/// - automatic and counting check every value and report the first that is outside. They take 33 kB
///   of stack.
/// - floyd and brent check the values on their path and report the one that they meet. If they meet
///   none, the result is a duplicate, whatever is elsewhere. The path is short where most values
///   occur several times: about 2 sqrt(n) values if they are random.
template <integer_range Range>
std::ranges::range_value_t<const Range> find_duplicate(
    const Range& values, duplicate_method method = duplicate_method::automatic);

/// The same, and where it occurs: one more pass, up to the second occurrence.
template <integer_range Range>
duplicate_location<std::ranges::range_value_t<const Range>> find_duplicate_location(
    const Range& values, duplicate_method method = duplicate_method::automatic);

}  // namespace GIBBS_TARGET

// ---------------------------------------------------------------------------------------------------

namespace detail {
inline namespace GIBBS_TARGET {

/// The `size` consecutive integers from `first` on.
template <class T>
struct value_part {
  using difference = std::make_unsigned_t<T>;
  T first;
  difference size;

  constexpr difference offset(T value) const {
    return static_cast<difference>(static_cast<difference>(value) - static_cast<difference>(first));
  }
  constexpr bool contains(T value) const { return offset(value) < size; }

  /// Is any of N values in the part? Without branches, so that compilers vectorize it.
  template <std::size_t N>
  bool contains_any(const T* values) const {
    if constexpr (sizeof(T) == 8) {
      // SSE2 has no 64-bit comparison, but the sign of a difference tells the same: the values are
      // valid by now, so that neither they nor the size come near 2^63.
      difference outside = ~difference{0};
      for (std::size_t i = 0; i < N; ++i) {
        outside &= offset(values[i]) | (size - 1 - offset(values[i]));
      }
      return outside >> 63 == 0;
    } else {
      difference inside = 0;
      for (std::size_t i = 0; i < N; ++i) {
        inside = static_cast<difference>(inside | difference{contains(values[i])});
      }
      return inside != 0;
    }
  }
};

/// The values that may occur: 1 to n, or to the largest that the type has.
template <class T>
value_part<T> valid_values(std::span<const T> values) {
  using difference = typename value_part<T>::difference;
  constexpr auto max = static_cast<difference>((std::numeric_limits<T>::max)());
  const std::size_t n = values.size() - 1;
  return {1, n < max ? static_cast<difference>(n) : max};
}

template <class T>
[[noreturn]] GIBBS_COLD void report_outside(std::span<const T> values, std::size_t i) {
  fail("find_duplicate", "values[", i, "] is ", values[i], ", outside [1, ", values.size() - 1,
       "]");
}

/// More values than places and yet no duplicate: somebody else writes to the memory.
[[noreturn]] GIBBS_COLD inline void report_changed() {
  fail("find_duplicate", "values changed during the call");
}

/// values[i], if it is valid.
template <class T>
T checked(std::span<const T> values, std::size_t i, value_part<T> valid) {
  const T value = values[i];
  if (!valid.contains(value)) report_outside(values, i);
  return value;
}

// --- the chase ---

template <class T>
T duplicate_by_chase(std::span<const T> values, duplicate_method method) {
  const value_part<T> valid = valid_values(values);
  const auto next = [=](std::size_t i) {
    return static_cast<std::size_t>(checked(values, i, valid));
  };
  stepper walk(next, (std::numeric_limits<std::uint64_t>::max)());
  // Nothing leads to 0, so the walk begins in a tail, and its end and the cycle's end hold the same
  // value.
  constexpr std::size_t start = 0;
  cycle<std::size_t> result{.entry = start};
  const bool found = method == duplicate_method::floyd ? floyd_entry(walk, start, result)
                                                       : brent(walk, start, result);
  if (!found) report_changed();
  return static_cast<T>(result.entry);
}

// --- counting ---

/// What fits on the stack. Tests make it tiny, to get many passes out of few values.
struct counting_limits {
  std::size_t bits = 64;      ///< up to so many places: one bit each
  std::size_t flags = 32768;  ///< up to so many places: one byte each
  std::size_t parts = 512;    ///< more places are counted in so many parts first
};

/// One pass, all in a register.
template <class T>
T duplicate_by_bits(std::span<const T> values, value_part<T> valid) {
  std::uint64_t seen = 0;
  T duplicate = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = checked(values, i, valid);
    const std::uint64_t bit = std::uint64_t{1} << valid.offset(value);
    duplicate = (seen & bit) != 0 ? value : duplicate;
    seen |= bit;
  }
  return duplicate;
}

/// A byte rather than a bit for each place: no flag has to wait for the one stored just before.
template <std::size_t Places, class T>
class flags {
 public:
  explicit flags(value_part<T> part) : part_(part) {
    std::memset(set_, 0, static_cast<std::size_t>(part.size));
  }
  /// false if it was set before.
  bool set(T value) {
    unsigned char& flag = set_[static_cast<std::size_t>(part_.offset(value))];
    const bool first = flag == 0;
    flag = 1;
    return first;
  }

 private:
  value_part<T> part_;
  unsigned char set_[Places];
};

/// How many values are in each of up to `Parts` equal parts of `whole`.
template <std::size_t Parts, class T>
class histogram {
 public:
  /// Equal values in a row would wait for each other's counter: neighbours take different lanes.
  static constexpr std::size_t lanes = 4;

  explicit histogram(value_part<T> whole) : whole_(whole) {
    while ((size() - 1) >> shift_ >= Parts) ++shift_;
  }

  void add(T value, std::size_t lane) {
    ++counts_[lane][static_cast<std::size_t>(whole_.offset(value)) >> shift_];
  }

  /// A part that holds more values than it has places.
  value_part<T> overfull_part() const {
    for (std::size_t i = 0, begin = 0; begin < size(); ++i, begin += std::size_t{1} << shift_) {
      const std::size_t places = (std::min)(std::size_t{1} << shift_, size() - begin);
      std::size_t count = 0;
      for (const auto& lane : counts_) count += lane[i];
      if (count > places) {
        return {static_cast<T>(static_cast<std::size_t>(whole_.first) + begin),
                static_cast<typename value_part<T>::difference>(places)};
      }
    }
    report_changed();
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(whole_.size); }

  value_part<T> whole_;
  int shift_ = 0;
  // The padding keeps the lanes off each other's cache sets.
  std::size_t counts_[lanes][Parts + 8] = {};
};

/// Calls visit(value) for the values in the part, until it returns true: then so does this. Made
/// for parts that hold few of the values.
template <class T, class Visit>
bool visit_part(std::span<const T> values, value_part<T> part, Visit visit) {
  constexpr std::size_t block = 32;
  std::size_t i = 0;
  while (i < values.size()) {
    std::size_t end = values.size();
    if (end - i >= block) {
      end = i + block;
      if (!part.template contains_any<block>(&values[i])) {
        i = end;
        continue;
      }
    }
    for (; i < end; ++i) {
      const T value = values[i];
      if (part.contains(value) && visit(value)) return true;
    }
  }
  return false;
}

template <counting_limits Limits, class T>
T duplicate_by_flags(std::span<const T> values, value_part<T> valid) {
  flags<Limits.flags, T> seen(valid);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = checked(values, i, valid);
    if (!seen.set(value)) {
      while (++i < values.size()) checked(values, i, valid);
      return value;
    }
  }
  report_changed();
}

template <counting_limits Limits, class T>
value_part<T> count_all(std::span<const T> values, value_part<T> valid) {
  histogram<Limits.parts, T> count(valid);
  std::size_t i = 0;
  for (; values.size() - i >= 4; i += 4) {
    count.add(checked(values, i, valid), 0);
    count.add(checked(values, i + 1, valid), 1);
    count.add(checked(values, i + 2, valid), 2);
    count.add(checked(values, i + 3, valid), 3);
  }
  for (; i < values.size(); ++i) count.add(checked(values, i, valid), 0);
  return count.overfull_part();
}

template <counting_limits Limits, class T>
value_part<T> count_part(std::span<const T> values, value_part<T> part) {
  histogram<Limits.parts, T> count(part);
  std::size_t lane = 0;
  visit_part(values, part, [&](T value) {
    count.add(value, lane++ % count.lanes);
    return false;
  });
  return count.overfull_part();
}

template <counting_limits Limits, class T>
T duplicate_in_part(std::span<const T> values, value_part<T> part) {
  flags<Limits.flags, T> seen(part);
  T duplicate = 0;
  const bool found = visit_part(values, part, [&](T value) {
    duplicate = value;
    return !seen.set(value);
  });
  if (!found) report_changed();
  return duplicate;
}

template <counting_limits Limits = counting_limits{}, class T>
T duplicate_by_counting(std::span<const T> values) {
  const value_part<T> valid = valid_values(values);
  if (valid.size <= Limits.bits) return duplicate_by_bits(values, valid);
  if (valid.size <= Limits.flags) return duplicate_by_flags<Limits>(values, valid);
  value_part<T> part = count_all<Limits>(values, valid);
  while (part.size > Limits.flags) part = count_part<Limits>(values, part);
  return duplicate_in_part<Limits>(values, part);
}

}  // namespace GIBBS_TARGET
}  // namespace detail

inline namespace GIBBS_TARGET {

template <integer_range Range>
std::ranges::range_value_t<const Range> find_duplicate(const Range& values,
                                                       duplicate_method method) {
  using T = std::ranges::range_value_t<const Range>;
  const std::span<const T> all(std::ranges::data(values),
                               static_cast<std::size_t>(std::ranges::size(values)));
  if (all.size() < 2) {
    detail::fail("find_duplicate", "values.size() is ", all.size(), ", fewer than 2");
  }
  if (method == duplicate_method::floyd || method == duplicate_method::brent) {
    return detail::duplicate_by_chase(all, method);
  }
  return detail::duplicate_by_counting(all);
}

template <integer_range Range>
duplicate_location<std::ranges::range_value_t<const Range>> find_duplicate_location(
    const Range& values, duplicate_method method) {
  const auto value = find_duplicate(values, method);
  const auto* const begin = std::ranges::data(values);
  const auto* const end = begin + std::ranges::size(values);
  const auto* const first = std::find(begin, end, value);
  const auto* const second = std::find(first + 1, end, value);
  return {value, static_cast<std::size_t>(first - begin), static_cast<std::size_t>(second - begin)};
}

}  // namespace GIBBS_TARGET
}  // namespace gibbs

#endif  // GIBBS_FIND_DUPLICATE_HPP
