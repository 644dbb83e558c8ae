// SPDX-License-Identifier: MIT
// n + 1 integers in [1, n]: one of them must occur twice. Which? By sorting, by hashing, by
// marking, by following the cycle that the array makes as a function i -> values[i], and by
// counting.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <gibbs/gibbs.hpp>
#include <numeric>
#include <unordered_set>
#include <utility>
#include <vector>

using values = std::vector<std::uint32_t>;

values shuffled(std::size_t n) {
  values v(n);
  std::iota(v.begin(), v.end(), 1u);
  std::uint64_t state = 1;
  const auto below = [&state](std::size_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % limit;
  };
  for (std::size_t i = n - 1; i > 0; --i) std::swap(v[i], v[below(i + 1)]);
  v.push_back(v[below(n)]);  // at the end, so that no method is lucky
  return v;
}

std::uint32_t by_sorting(values v) {  // a copy, or the input would lose its order
  std::sort(v.begin(), v.end());
  return *std::adjacent_find(v.begin(), v.end());
}

std::uint32_t by_hashing(const values& v) {
  std::unordered_set<std::uint32_t> seen;
  for (const std::uint32_t x : v) {
    if (!seen.insert(x).second) return x;
  }
  return 0;
}

std::uint32_t by_marking(const values& v) {
  std::vector<bool> seen(v.size());
  for (const std::uint32_t x : v) {
    if (seen[x]) return x;
    seen[x] = true;
  }
  return 0;
}

int main(int argc, char** argv) {
  std::size_t n = 1000000;
  const char* end = argc == 2 ? argv[1] + std::strlen(argv[1]) : nullptr;
  if (argc > 2 || (argc == 2 && std::from_chars(argv[1], end, n).ptr != end) || n < 1 ||
      n > 100000000) {
    std::fprintf(stderr, "usage: %s [N]\nN: 1 to 100000000, how many different integers\n",
                 argv[0]);
    return 2;
  }
  const values v = shuffled(n);
  std::printf("%zu integers in [1, %zu]\n", v.size(), n);
  std::printf("method    duplicate  ns an integer  extra memory  time grows as\n");
  const auto run = [&v](const char* name, const char* memory, const char* growth, auto method) {
    std::uint32_t duplicate = 0;
    double nanoseconds = 1e300;  // the best of three
    for (int repetition = 0; repetition < 3; ++repetition) {
      const auto start = std::chrono::steady_clock::now();
      duplicate = method(v);
      const auto time = std::chrono::steady_clock::now() - start;
      nanoseconds = (std::min)(nanoseconds, std::chrono::duration<double, std::nano>(time).count());
    }
    std::printf("%-8s  %9u  %13.2f  %12s  %s\n", name, static_cast<unsigned>(duplicate),
                nanoseconds / static_cast<double>(v.size()), memory, growth);
    return duplicate;
  };
  using gibbs::duplicate_method;
  const std::uint32_t answers[] = {
      run("sorting", "4 n bytes", "n log n", by_sorting),
      run("hashing", "~ 24 n bytes", "n, at random", by_hashing),
      run("marking", "n / 8 bytes", "n, at random", by_marking),
      run("floyd", "none", "n, at random",
          [](const values& x) { return gibbs::find_duplicate(x, duplicate_method::floyd); }),
      run("brent", "none", "n, at random",
          [](const values& x) { return gibbs::find_duplicate(x, duplicate_method::brent); }),
      run("counting", "fixed", "n, in order",
          [](const values& x) { return gibbs::find_duplicate(x, duplicate_method::counting); }),
  };
  for (const std::uint32_t answer : answers) {
    if (answer != answers[0]) {
      std::fprintf(stderr, "%s: the methods disagree\n", argv[0]);
      return 1;
    }
  }
}
