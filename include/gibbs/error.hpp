// SPDX-License-Identifier: MIT
//
// What happens to an argument that breaks a contract: one function, fail(), ends the call with a
// message that names the argument and its value. It throws std::invalid_argument; where exceptions
// are switched off it prints the message to stderr and aborts.
#ifndef GIBBS_ERROR_HPP
#define GIBBS_ERROR_HPP

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "detail/target.hpp"

// Keeps the building of messages out of the functions that are fast.
#if defined(_MSC_VER) && !defined(__clang__)
#define GIBBS_COLD __declspec(noinline)
#else
#define GIBBS_COLD __attribute__((noinline, cold))
#endif

namespace gibbs::detail {
inline namespace GIBBS_TARGET {

/// fail("softmax", "out.size() is ", 3, ", logits.size() is ", 4) reports
/// "gibbs::softmax: out.size() is 3, logits.size() is 4". Parts are text, integers and
/// floating-point numbers; the latter are printed with as many digits as it takes to read them
/// back.
template <class... Parts>
[[noreturn]] void fail(std::string_view function, Parts... parts);

/// Ends the call with this message, as it is.
[[noreturn]] void invalid_argument(const char* text);

// ---------------------------------------------------------------------------------------------------

/// A line of text in a fixed buffer: no allocation, no locale. What does not fit is cut off.
class message {
 public:
  void add(std::string_view text) {
    const std::size_t n = (std::min)(text.size(), room());
    std::copy_n(text.data(), n, text_ + size_);
    size_ += n;
  }

  template <std::integral T>
  void add(T value) {
    if constexpr (sizeof(T) > sizeof(long long)) {
      add_number(value);
    } else if constexpr (std::numeric_limits<T>::is_signed) {
      add_number(static_cast<long long>(value));
    } else {
      add_number(static_cast<unsigned long long>(value));
    }
  }

  template <std::floating_point T>
  void add(T value) {
    add_number(value);
  }

  const char* c_str() {
    text_[size_] = '\0';
    return text_;
  }

 private:
  std::size_t room() const { return sizeof text_ - 1 - size_; }

  template <class T>
  void add_number(T value) {
    const auto [end, error] = std::to_chars(text_ + size_, text_ + size_ + room(), value);
    if (error == std::errc()) size_ = static_cast<std::size_t>(end - text_);
  }

  char text_[512];
  std::size_t size_ = 0;
};

[[noreturn]] GIBBS_COLD inline void invalid_argument(const char* text) {
#if defined(__cpp_exceptions)
  throw std::invalid_argument(text);
#else
  std::fputs(text, stderr);
  std::fputc('\n', stderr);
  std::abort();
#endif
}

template <class... Parts>
[[noreturn]] GIBBS_COLD void fail(std::string_view function, Parts... parts) {
  message text;
  text.add("gibbs::");
  text.add(function);
  text.add(": ");
  (text.add(parts), ...);
  invalid_argument(text.c_str());
}

}  // namespace GIBBS_TARGET
}  // namespace gibbs::detail

#endif  // GIBBS_ERROR_HPP
