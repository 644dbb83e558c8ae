// SPDX-License-Identifier: MIT
// What tests compare results and messages with.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iomanip>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace gibbs_support {

// A list of lengths to loop over.
using sizes = std::initializer_list<std::size_t>;

// Parts are anything that streams take, and functions that return such, called only here.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  out << std::setprecision(17);
  const auto add = [&out](const auto& part) {
    if constexpr (std::is_invocable_v<decltype(part)>) {
      out << part();
    } else {
      out << part;
    }
  };
  (add(parts), ...);
  return out.str();
}

// The message of the std::invalid_argument that f throws; empty if it throws none.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

// The same number, -0 apart from +0; any NaN is as good as another.
template <class T>
bool same_bits(T a, T b) {
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<bits>(a) == std::bit_cast<bits>(b);
}

// More lanes than any vector has, in elements of T.
template <class T>
inline constexpr std::size_t widest_vector = 64 / sizeof(T);

// A value that no primitive gives, to see writes where none belong.
template <class T>
inline constexpr T sentinel = T(-7.25e30);

}  // namespace gibbs_support
