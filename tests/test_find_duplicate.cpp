// SPDX-License-Identifier: MIT
// Faults that this file catches: a walker of a chase that is reset wrongly; a part that is called
// overfull when it is not, or one place too wide or narrow; values skipped by a block or at its
// end; a counter or an index that does not fit; a value used before it is checked; a search without
// an end.
#include <doctest/doctest.h>

#if __has_include(<sys/mman.h>)
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <gibbs/find_duplicate.hpp>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using gibbs::duplicate_method;
using gibbs::find_duplicate;
using gibbs::find_duplicate_location;

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
// A release build; the others take the same way through fewer and shorter arrays.
#if defined(NDEBUG) && (defined(__OPTIMIZE__) || defined(_MSC_VER)) && !defined(SANITIZED)
constexpr bool fast_build = true;
#else
constexpr bool fast_build = false;
#endif

constexpr duplicate_method methods[] = {duplicate_method::automatic, duplicate_method::floyd,
                                        duplicate_method::brent, duplicate_method::counting};

std::string name_of(duplicate_method method) {
  const char* const names[] = {"automatic", "floyd", "brent", "counting"};
  return names[static_cast<int>(method)];
}

bool checks_all(duplicate_method method) {
  return method == duplicate_method::automatic || method == duplicate_method::counting;
}

// A small version of each pass, so that few values go through many of them.
using gibbs::detail::counting_limits;
constexpr counting_limits only_flags{.bits = 0, .flags = 32768, .parts = 512};
constexpr counting_limits tiny{.bits = 0, .flags = 1, .parts = 2};
constexpr counting_limits three_parts{.bits = 0, .flags = 2, .parts = 3};
constexpr counting_limits small_parts{.bits = 4, .flags = 16, .parts = 8};

template <class T>
using counting = T (*)(std::span<const T>);
template <class T>
constexpr counting<T> countings[] = {gibbs::detail::duplicate_by_counting<only_flags, T>,
                                     gibbs::detail::duplicate_by_counting<tiny, T>,
                                     gibbs::detail::duplicate_by_counting<three_parts, T>,
                                     gibbs::detail::duplicate_by_counting<small_parts, T>};

template <class T>
bool occurs_twice(std::span<const T> values, T value) {
  return std::count(values.begin(), values.end(), value) >= 2;
}

// Every method, and the counting of other sizes, against a plain count; and that the input stays. A
// chase through millions of values takes its time and is left to one test.
template <class T>
void check_all_methods(const std::vector<T>& values) {
  const std::vector<T> before = values;
  for (const duplicate_method method : methods) {
    if (values.size() > 200000 && method != duplicate_method::automatic) continue;
    CAPTURE(name_of(method));
    const T duplicate = find_duplicate(values, method);
    CHECK(occurs_twice<T>(values, duplicate));
  }
  if (values.size() <= 100000) {
    for (const auto count : countings<T>) CHECK(occurs_twice<T>(values, count(values)));
  }
  CHECK(values == before);
}

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

std::string outside(std::size_t index, const std::string& value, std::size_t n) {
  return "gibbs::find_duplicate: values[" + std::to_string(index) + "] is " + value +
         ", outside [1, " + std::to_string(n) + "]";
}

TEST_CASE("find_duplicate: every array with n up to 8") {
  // The last one has 134 million arrays.
  const int largest = fast_build ? 8 : 6;
  for (int n = 1; n <= largest; ++n) {
    const std::size_t size = static_cast<std::size_t>(n) + 1;
    std::vector<std::int8_t> values(size, 1);
    std::array<int, 10> count{};
    count[1] = n + 1;
    std::uint64_t wrong = 0;
    for (bool more = true; more;) {
      for (const duplicate_method method : methods) {
        // The automatic choice is one of the others; it need not have its turn at the most arrays.
        if (n == 8 && method == duplicate_method::automatic) continue;
        wrong += count[static_cast<std::size_t>(find_duplicate(values, method))] < 2;
      }
      if (n < 8) {
        for (const auto by_counting : countings<std::int8_t>) {
          wrong += count[static_cast<std::size_t>(by_counting(values))] < 2;
        }
      }
      std::size_t digit = 0;
      for (; digit < size; ++digit) {
        --count[static_cast<std::size_t>(values[digit])];
        if (values[digit] < n) {
          ++count[static_cast<std::size_t>(++values[digit])];
          break;
        }
        values[digit] = 1;
        ++count[1];
      }
      more = digit < size;
    }
    CAPTURE(n);
    CHECK(wrong == 0);
  }
}

TEST_CASE("find_duplicate: every array with n up to 4 and values from 0 to n + 1") {
  // Whatever the array: a duplicate, or an error that is true.
  for (int n = 1; n <= 4; ++n) {
    const std::size_t size = static_cast<std::size_t>(n) + 1;
    std::vector<int> values(size, 0);
    for (bool more = true; more;) {
      const auto bad =
          std::find_if(values.begin(), values.end(), [&](int v) { return v < 1 || v > n; });
      const auto first = static_cast<std::size_t>(bad - values.begin());
      for (const duplicate_method method : methods) {
        try {
          const int duplicate = find_duplicate(values, method);
          const bool right =
              occurs_twice<int>(values, duplicate) && (bad == values.end() || !checks_all(method));
          if (!right) FAIL(name_of(method));
        } catch (const std::invalid_argument& error) {
          const std::string text = error.what();
          bool right = bad != values.end();
          if (checks_all(method)) {
            right =
                right && text == outside(first, std::to_string(*bad), static_cast<std::size_t>(n));
          } else {
            bool some = false;
            for (std::size_t i = 0; i < size; ++i) {
              some |= (values[i] < 1 || values[i] > n) &&
                      text == outside(i, std::to_string(values[i]), static_cast<std::size_t>(n));
            }
            right = right && some;
          }
          if (!right) FAIL(text);
        }
      }
      for (const auto by_counting : countings<int>) {
        const std::string text = message_of([&] { by_counting(values); });
        const bool right = bad == values.end() ? text == "no error"
                                               : text == outside(first, std::to_string(*bad),
                                                                 static_cast<std::size_t>(n));
        if (!right) FAIL(text);
      }
      std::size_t digit = 0;
      while (digit < size && ++values[digit] > n + 1) values[digit++] = 0;
      more = digit < size;
    }
  }
}

// Sizes around the limits of the passes, and large ones.
std::vector<std::size_t> sizes() {
  std::vector<std::size_t> result;
  for (std::size_t n = 1; n <= 130; ++n) result.push_back(n);
  for (const std::size_t n :
       {300u, 1000u, 4095u, 10000u, 32767u, 32768u, 32769u, 65535u, 65536u, 100000u, 131072u}) {
    result.push_back(n);
  }
  if (fast_build) {
    // From 512 x 32768 on, counting takes a third pass.
    for (const std::size_t n : {1000000u, 10000000u, 16777217u}) result.push_back(n);
  }
  return result;
}

template <class T>
std::vector<T> ordered(std::size_t n) {  // 1, 2, ..., n, and room for one more
  std::vector<T> values(n + 1);
  std::iota(values.begin(), values.end(), T{1});
  return values;
}

TEST_CASE("find_duplicate: shuffled and random, to 10^7") {
  std::mt19937_64 random(20240229);
  for (const std::size_t n : sizes()) {
    CAPTURE(n);
    const auto draw = [&] { return static_cast<std::uint32_t>(1 + random() % n); };
    const int rounds = n <= 130 ? 30 : n <= 200000 ? 3 : 1;
    for (int round = 0; round < rounds; ++round) {
      // One value twice.
      auto values = ordered<std::uint32_t>(n);
      values[n] = draw();
      const std::uint32_t duplicate = values[n];
      std::shuffle(values.begin(), values.end(), random);
      check_all_methods(values);
      for (const duplicate_method method : methods) {
        if (n <= 1000000 || n == 10000000) CHECK(find_duplicate(values, method) == duplicate);
      }
      // Any values: most duplicates occur more than twice.
      std::generate(values.begin(), values.end(), draw);
      check_all_methods(values);
      // Few values, crowded into some place of [1, n].
      const std::uint32_t from = draw();
      const auto width = static_cast<std::uint32_t>(1 + random() % (n - from + 1) % 40000);
      for (auto& v : values) v = static_cast<std::uint32_t>(from + random() % width);
      check_all_methods(values);
      // One alone.
      std::fill(values.begin(), values.end(), from);
      check_all_methods(values);
    }
  }
}

TEST_CASE("find_duplicate: adversarial") {
  std::mt19937_64 random(4);
  for (const std::size_t n : sizes()) {
    if (n > 1000000) continue;
    CAPTURE(n);
    const auto last = static_cast<int>(n);
    for (const int extra : {1, (last + 1) / 2, last}) {
      CAPTURE(extra);
      // In order, with the duplicate at the end, at the beginning, beside the original; reversed.
      auto values = ordered<int>(n);
      values[n] = extra;
      check_all_methods(values);
      std::rotate(values.begin(), values.end() - 1, values.end());
      check_all_methods(values);
      std::sort(values.begin(), values.end());
      check_all_methods(values);
      std::reverse(values.begin(), values.end());
      check_all_methods(values);
      CHECK(find_duplicate(values) == extra);
      // One value alone.
      std::fill(values.begin(), values.end(), extra);
      check_all_methods(values);
      // Each value of the upper half twice, in an order that no branch prediction knows.
      for (std::size_t i = 0; i <= n; ++i) values[i] = last - static_cast<int>(i / 2);
      std::shuffle(values.begin(), values.end(), random);
      check_all_methods(values);
    }
    // 0 -> 1 -> 2 -> ... -> n -> back to entry: the longest tail has a cycle of one, the longest
    // cycle a tail of one.
    for (const int entry : {last, last / 2 + 1, 1}) {
      CAPTURE(entry);
      auto values = ordered<int>(n);
      values[n] = entry;
      check_all_methods(values);
      CHECK(find_duplicate(values, duplicate_method::floyd) == entry);
      // The same in another order of the places, to have a path that jumps.
      std::vector<int> path(n);
      std::iota(path.begin(), path.end(), 1);
      std::shuffle(path.begin(), path.end(), random);
      int at = 0;
      for (const int next : path) {
        values[static_cast<std::size_t>(at)] = next;
        at = next;
      }
      values[static_cast<std::size_t>(at)] = path[static_cast<std::size_t>(entry - 1)];
      check_all_methods(values);
      CHECK(find_duplicate(values) == path[static_cast<std::size_t>(entry - 1)]);
    }
  }
}

TEST_CASE_TEMPLATE("find_duplicate: every integer type", T, char, signed char, unsigned char, short,
                   unsigned short, int, unsigned, long, unsigned long, long long,
                   unsigned long long, wchar_t, char8_t, char16_t, char32_t) {
  constexpr auto max = static_cast<unsigned long long>((std::numeric_limits<T>::max)());
  const std::size_t most = static_cast<std::size_t>((std::min)(max, 100000ull));
  std::mt19937 random(7);
  // The last size is the largest for which all values fit the type; the array's own size need not.
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{126}, most - 1, most}) {
    CAPTURE(n);
    for (const std::size_t extra : {std::size_t{1}, n / 2 + 1, n}) {
      auto values = ordered<T>(n);
      values[n] = static_cast<T>(extra);
      std::shuffle(values.begin(), values.end(), random);
      check_all_methods(values);
      CHECK(find_duplicate(values) == static_cast<T>(extra));
    }
    // The errors print numbers, for characters too.
    auto values = ordered<T>(n);
    values[n] = T{1};
    values[n / 2] = T{0};
    CHECK(message_of([&] { find_duplicate(values); }) == outside(n / 2, "0", n));
    if constexpr (std::is_signed_v<T>) {
      for (const T bad : {T{-1}, (std::numeric_limits<T>::min)()}) {
        values[n / 2] = bad;
        const std::string text = std::to_string(static_cast<long long>(bad));
        CHECK(message_of([&] { find_duplicate(values); }) == outside(n / 2, text, n));
      }
    }
    if (n < max) {
      for (const T bad : {static_cast<T>(n + 1), (std::numeric_limits<T>::max)()}) {
        values[n / 2] = bad;
        const std::string text = std::to_string(static_cast<unsigned long long>(bad));
        CHECK(message_of([&] { find_duplicate(values); }) == outside(n / 2, text, n));
      }
    }
  }
  // Far more values than the type has.
  std::vector<T> many(300000, T{1});
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<T>(1 + i % most);
  check_all_methods(many);
}

TEST_CASE("find_duplicate: ranges") {
  const int array[] = {3, 1, 3, 4, 2};
  CHECK(find_duplicate(array) == 3);
  const std::array<short, 3> fixed{1, 2, 2};
  CHECK(find_duplicate(fixed, duplicate_method::brent) == 2);
  std::vector<unsigned> vector{1, 2, 1};
  CHECK(find_duplicate(vector) == 1);
  CHECK(find_duplicate(std::span(vector)) == 1);
  CHECK(find_duplicate(std::span<const unsigned>(vector)) == 1);
  CHECK(find_duplicate(std::vector<long>{1, 1}) == 1);
  const std::string text("\1\3\2\3", 4);
  CHECK(find_duplicate(text) == '\3');

  static_assert(gibbs::integer_range<std::vector<std::uint64_t>>);
  static_assert(!gibbs::integer_range<std::vector<float>>);
  static_assert(!gibbs::integer_range<std::array<bool, 3>>);
  static_assert(std::is_same_v<decltype(find_duplicate(fixed)), short>);
}

TEST_CASE("find_duplicate_location: the first two occurrences") {
  for (const duplicate_method method : methods) {
    const std::vector<int> twice{3, 1, 3, 4, 2};
    const auto at = find_duplicate_location(twice, method);
    CHECK(at.value == 3);
    CHECK(at.first == 0);
    CHECK(at.second == 2);
    const std::vector<int> often{5, 2, 4, 4, 1, 4};
    const auto three = find_duplicate_location(often, method);
    CHECK(three.value == 4);
    CHECK(three.first == 2);
    CHECK(three.second == 3);
  }
  std::mt19937_64 random(1);
  for (const std::size_t n : {10u, 100u, 1000u, 40000u}) {
    std::vector<std::uint16_t> values(n + 1);
    for (auto& v : values) v = static_cast<std::uint16_t>(1 + random() % n);
    for (const duplicate_method method : methods) {
      const auto at = find_duplicate_location(values, method);
      std::vector<std::size_t> places;
      for (std::size_t i = 0; i <= n; ++i) {
        if (values[i] == at.value) places.push_back(i);
      }
      REQUIRE(places.size() >= 2);
      CHECK(at.first == places[0]);
      CHECK(at.second == places[1]);
    }
  }
}

TEST_CASE("find_duplicate: too few values") {
  for (const duplicate_method method : methods) {
    const std::vector<int> one{1};
    CHECK(message_of([&] { find_duplicate(std::vector<int>{}, method); }) ==
          "gibbs::find_duplicate: values.size() is 0, fewer than 2");
    CHECK(message_of([&] { find_duplicate(one, method); }) ==
          "gibbs::find_duplicate: values.size() is 1, fewer than 2");
    CHECK_THROWS_AS(find_duplicate_location(one, method), std::invalid_argument);
  }
}

// Catches: a pass that checks only as far as it has to for its answer, or that reports a later
// value.
TEST_CASE("find_duplicate: one value outside, anywhere") {
  std::mt19937_64 random(11);
  for (const std::size_t n : {1u, 2u, 5u, 40u, 64u, 65u, 100u, 1000u, 32768u, 32769u, 100000u}) {
    CAPTURE(n);
    std::vector<std::size_t> places{0, 1, n / 2, n - 1, n};
    for (int i = 0; i < 40; ++i) places.push_back(static_cast<std::size_t>(random() % (n + 1)));
    auto values = ordered<std::int64_t>(n);
    values[n] = 1;
    std::shuffle(values.begin(), values.end(), random);
    for (const std::size_t at : places) {
      CAPTURE(at);
      const std::int64_t good = values[at];
      for (const std::int64_t bad :
           {std::int64_t{0}, std::int64_t{-1}, static_cast<std::int64_t>(n) + 1,
            (std::numeric_limits<std::int64_t>::min)(),
            (std::numeric_limits<std::int64_t>::max)()}) {
        values[at] = bad;
        const std::string text = outside(at, std::to_string(bad), n);
        CHECK(message_of([&] { find_duplicate(values); }) == text);
        CHECK(message_of([&] { find_duplicate(values, duplicate_method::counting); }) == text);
        for (const auto by_counting : countings<std::int64_t>) {
          CHECK(message_of([&] { by_counting(values); }) == text);
        }
        // A chase sees it, or has a true answer.
        for (const auto method : {duplicate_method::floyd, duplicate_method::brent}) {
          const std::string met = message_of([&] {
            const auto duplicate = find_duplicate(values, method);
            if (!occurs_twice<std::int64_t>(values, duplicate))
              throw std::invalid_argument("wrong");
          });
          CHECK((met == text || met == "no error"));
        }
        // A second one, later, is not the one that is reported.
        if (at < n) {
          const std::int64_t other = values[n];
          values[n] = -7;
          CHECK(message_of([&] { find_duplicate(values); }) == text);
          values[n] = other;
        }
      }
      values[at] = good;
    }
  }
  // The first value of all is where every chase begins.
  const std::vector<int> values{9, 1, 2, 1};
  for (const duplicate_method method : methods) {
    CHECK(message_of([&] { find_duplicate(values, method); }) == outside(0, "9", 3));
  }
}

TEST_CASE("find_duplicate: a chase checks its path, and no more") {
  const std::vector<int> values{1, 1, 7, 0, -3};
  CHECK(find_duplicate(values, duplicate_method::floyd) == 1);
  CHECK(find_duplicate(values, duplicate_method::brent) == 1);
  CHECK(message_of([&] { find_duplicate(values); }) == outside(2, "7", 4));
}

#if __has_include(<sys/mman.h>)

// Pages of memory between two that must not be touched.
class guarded_pages {
 public:
  explicit guarded_pages(std::size_t bytes)
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        size_((bytes + page_ - 1) / page_ * page_) {
    void* const all =
        mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(all != MAP_FAILED);
    all_ = static_cast<char*>(all);
    REQUIRE(mprotect(begin(), size_, PROT_READ | PROT_WRITE) == 0);
  }
  guarded_pages(const guarded_pages&) = delete;
  guarded_pages& operator=(const guarded_pages&) = delete;
  ~guarded_pages() { munmap(all_, size_ + 2 * page_); }

  char* begin() { return all_ + page_; }
  char* end() { return begin() + size_; }
  void make_read_only() { REQUIRE(mprotect(begin(), size_, PROT_READ) == 0); }

 private:
  std::size_t page_;
  std::size_t size_;
  char* all_;
};

// Catches: a write to the input, and one byte read before or after it.
TEST_CASE_TEMPLATE("find_duplicate: read-only memory between guard pages", T, std::uint8_t,
                   std::int16_t, std::uint32_t, std::int64_t) {
  std::mt19937 random(3);
  for (const std::size_t n :
       {1u, 2u, 3u, 7u, 31u, 63u, 64u, 65u, 127u, 255u, 1000u, 32767u, 100003u}) {
    if (n > (std::numeric_limits<T>::max)()) continue;
    CAPTURE(n);
    for (const bool at_end : {false, true}) {
      guarded_pages pages((n + 1) * sizeof(T));
      T* const data =
          reinterpret_cast<T*>(at_end ? pages.end() - (n + 1) * sizeof(T) : pages.begin());
      const std::span<T> values(data, n + 1);
      std::iota(values.begin(), values.end() - 1, T{1});
      values[n] = static_cast<T>(n / 3 + 1);
      std::shuffle(values.begin(), values.end(), random);
      const T bad_place = values[n / 2];
      pages.make_read_only();
      for (const duplicate_method method : methods) {
        CHECK(find_duplicate(values, method) == static_cast<T>(n / 3 + 1));
        CHECK(find_duplicate_location(values, method).value == static_cast<T>(n / 3 + 1));
      }
      for (const auto by_counting : countings<T>) {
        CHECK(by_counting(values) == static_cast<T>(n / 3 + 1));
      }
      CHECK(values[n / 2] == bad_place);
    }
  }
}

#if defined(__linux__) && SIZE_MAX > 0xffffffff

// The same few pages again and again: an array of any length that takes no memory.
template <class T>
class repeated_pages {
 public:
  repeated_pages(std::size_t size, const std::vector<T>& pattern) : size_(size) {
    const std::size_t bytes = pattern.size() * sizeof(T);
    const int file = memfd_create("find_duplicate", 0);
    REQUIRE(file >= 0);
    REQUIRE(write(file, pattern.data(), bytes) == static_cast<ssize_t>(bytes));
    void* const all = mmap(nullptr, size * sizeof(T), PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(all != MAP_FAILED);
    data_ = static_cast<T*>(all);
    for (std::size_t i = 0; i < size; i += pattern.size()) {
      const std::size_t part = (std::min)(bytes, (size - i) * sizeof(T));
      REQUIRE(mmap(data_ + i, part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0) !=
              MAP_FAILED);
    }
    close(file);
  }
  repeated_pages(const repeated_pages&) = delete;
  repeated_pages& operator=(const repeated_pages&) = delete;
  ~repeated_pages() { munmap(data_, size_ * sizeof(T)); }

  std::span<T> values() { return {data_, size_}; }

 private:
  std::size_t size_;
  T* data_;
};

// Catches: an index, a count or a size of 32 bits.
TEST_CASE("find_duplicate: more than 2^31 and 2^32 elements" * doctest::skip(!fast_build)) {
  constexpr std::size_t pattern_size = std::size_t{1} << 20;
  {
    constexpr std::size_t n = (std::size_t{1} << 32) + 4096;
    repeated_pages<std::uint8_t> pages(n + 1, std::vector<std::uint8_t>(pattern_size, 200));
    const std::span<std::uint8_t> values = pages.values();
    CHECK(find_duplicate(values, duplicate_method::floyd) == 200);
    CHECK(find_duplicate(values, duplicate_method::brent) == 200);
    values[n] = 0;
    CHECK(message_of([&] { find_duplicate(values); }) == outside(n, "0", n));
    std::fill_n(values.begin(), 10, std::uint8_t{7});
    const auto at = find_duplicate_location(values.subspan(9), duplicate_method::floyd);
    CHECK(at.value == 200);
    CHECK(at.first == 1);
  }
  {
    // Values beyond 2^31 and the chase through them; one part of [1, n] holds all.
    constexpr std::size_t n = (std::size_t{1} << 31) + 100;
    std::vector<std::uint32_t> pattern(pattern_size);
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      pattern[i] = static_cast<std::uint32_t>(n - i % 64);
    }
    repeated_pages<std::uint32_t> pages(n + 1, pattern);
    const std::span<std::uint32_t> values = pages.values();
    for (const duplicate_method method : methods) {
      if (method != duplicate_method::counting) CHECK(find_duplicate(values, method) > n - 64);
    }
    values[n - 1] = static_cast<std::uint32_t>(n + 1);
    CHECK(message_of([&] { find_duplicate(values); }) == outside(n - 1, std::to_string(n + 1), n));
  }
  {
    // More int values than int has: those up to its largest are valid.
    constexpr std::size_t n = (std::size_t{1} << 31) + 100;
    repeated_pages<std::int32_t> pages(n + 1, std::vector<std::int32_t>(pattern_size, 2147483647));
    CHECK(find_duplicate(pages.values(), duplicate_method::brent) == 2147483647);
    pages.values()[n] = -2147483647;
    CHECK(message_of([&] { find_duplicate(pages.values()); }) == outside(n, "-2147483647", n));
  }
}

#endif
#endif

}  // namespace
