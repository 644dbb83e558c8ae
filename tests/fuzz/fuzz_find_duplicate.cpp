// SPDX-License-Identifier: MIT
// Any array of any integer type: find_duplicate's answer is a value that occurs twice, or it is an
// error that names a value which is really outside, as a plain count has it. The array is allocated
// to its exact size, so that the sanitizers see what is read beyond it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gibbs/find_duplicate.hpp>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "wrong: %s\n", what);
  std::abort();
}

template <class T>
struct expectation {
  std::span<const T> values;
  std::size_t bad;  // index of the first value outside, or size()

  explicit expectation(std::span<const T> v) : values(v), bad(0) {
    while (bad < v.size() && inside(v[bad])) ++bad;
  }
  bool inside(T value) const {
    return value >= 1 && static_cast<std::uintmax_t>(value) <= values.size() - 1;
  }
  std::string message(std::size_t i) const {
    return "gibbs::find_duplicate: values[" + std::to_string(i) + "] is " +
           std::to_string(values[i]) + ", outside [1, " + std::to_string(values.size() - 1) + "]";
  }
};

template <class T, class Find>
void check(const expectation<T>& expected, bool sees_all, Find find) {
  const std::span<const T> values = expected.values;
  try {
    const T answer = find();
    require(values.size() >= 2, "too few values accepted");
    require(std::count(values.begin(), values.end(), answer) >= 2, "not a duplicate");
    require(!sees_all || expected.bad == values.size(), "a value outside was not reported");
  } catch (const std::invalid_argument& error) {
    const std::string text = error.what();
    if (values.size() < 2) {
      require(text.find("values.size() is ") != std::string::npos, "message of too few values");
      return;
    }
    require(expected.bad < values.size(), "an error for a good array");
    std::size_t i = expected.bad;
    if (!sees_all) {
      while (i < values.size() && (expected.inside(values[i]) || text != expected.message(i))) ++i;
    }
    require(i < values.size() && text == expected.message(i), text.c_str());
  }
}

constexpr gibbs::detail::counting_limits small{.bits = 2, .flags = 4, .parts = 3};

// mode 0 and 1: the bytes as they are; else the values are folded into [1, n], and n itself too, so
// that most arrays are good; in mode 3 all but one.
template <class T>
void run(unsigned mode, const std::uint8_t* data, std::size_t bytes) {
  const std::size_t size = bytes / sizeof(T);
  const std::unique_ptr<T[]> memory(new T[size]);
  if (size != 0) std::memcpy(memory.get(), data, size * sizeof(T));
  const T odd = size != 0 ? memory[size / 2] : T{};
  if (mode >= 2 && size >= 2) {
    const auto n = (std::min)(static_cast<std::uintmax_t>(size - 1),
                              static_cast<std::uintmax_t>((std::numeric_limits<T>::max)()));
    for (T& v : std::span(memory.get(), size)) {
      v = static_cast<T>(1 + static_cast<std::uintmax_t>(v) % n);
    }
    if (mode == 3) memory[static_cast<std::uintmax_t>(odd) % size] = odd;
  }
  const std::span<const T> values(memory.get(), size);
  const expectation<T> expected(values);
  using gibbs::duplicate_method;
  for (const auto method : {duplicate_method::automatic, duplicate_method::counting,
                            duplicate_method::floyd, duplicate_method::brent}) {
    const bool all = method == duplicate_method::automatic || method == duplicate_method::counting;
    check<T>(expected, all, [&] { return gibbs::find_duplicate(values, method); });
    check<T>(expected, all, [&] {
      const auto at = gibbs::find_duplicate_location(values, method);
      const T* const first = std::find(values.data(), values.data() + size, at.value);
      const T* const second = std::find(first + 1, values.data() + size, at.value);
      require(at.first == static_cast<std::size_t>(first - values.data()), "first occurrence");
      require(at.second == static_cast<std::size_t>(second - values.data()), "second occurrence");
      return at.value;
    });
  }
  // Inputs are short: with these limits they go through every pass.
  if (size >= 2) {
    check<T>(expected, true, [&] { return gibbs::detail::duplicate_by_counting<small>(values); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned mode = data[0] >> 4 & 3;
  const std::uint8_t* const rest = data + 1;
  switch (data[0] & 7) {
    case 0:
      run<std::int8_t>(mode, rest, size - 1);
      break;
    case 1:
      run<std::uint8_t>(mode, rest, size - 1);
      break;
    case 2:
      run<std::int16_t>(mode, rest, size - 1);
      break;
    case 3:
      run<std::uint16_t>(mode, rest, size - 1);
      break;
    case 4:
      run<std::int32_t>(mode, rest, size - 1);
      break;
    case 5:
      run<std::uint32_t>(mode, rest, size - 1);
      break;
    case 6:
      run<std::int64_t>(mode, rest, size - 1);
      break;
    default:
      run<std::uint64_t>(mode, rest, size - 1);
      break;
  }
  return 0;
}
