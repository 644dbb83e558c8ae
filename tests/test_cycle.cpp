// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstdint>
#include <gibbs/cycle.hpp>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using gibbs::cycle_algorithm;
using gibbs::find_cycle;

constexpr cycle_algorithm algorithms[] = {cycle_algorithm::floyd, cycle_algorithm::brent};

/// By remembering everything: the reference.
template <class Next>
gibbs::cycle<std::uint64_t> plain_cycle(std::uint64_t x, Next next) {
  std::map<std::uint64_t, std::uint64_t> seen;
  while (seen.emplace(x, seen.size()).second) x = next(x);
  return {.found = true,
          .tail_length = seen[x],
          .cycle_length = seen.size() - seen[x],
          .entry = x,
          .calls = seen.size()};
}

/// 0, 1, ..., tail + length - 1, and then again from tail.
struct rho {
  std::uint64_t tail;
  std::uint64_t length;
  std::uint64_t operator()(std::uint64_t x) const { return x + 1 < tail + length ? x + 1 : tail; }
};

/// What Brent's algorithm takes as he published it: the second part begins at the start.
std::uint64_t calls_of_plain_brent(rho next) {
  std::uint64_t saved = 0, hare = next(0), power = 1, length = 1, calls = 1;
  while (saved != hare) {
    if (power == length) {
      saved = hare;
      power *= 2;
      length = 0;
    }
    hare = next(hare);
    ++length;
    ++calls;
  }
  return calls + next.length + 2 * next.tail;
}

// Catches a wrong meeting condition, an off-by-one in either length, and a walker that is reset too
// much or too little.
TEST_CASE("cycle: every function on up to 6 values, from every start") {
  for (std::size_t n = 1; n <= 6; ++n) {
    std::vector<std::uint64_t> f(n, 0);
    for (bool more = true; more;) {
      for (std::uint64_t start = 0; start < n; ++start) {
        const auto expected =
            plain_cycle(start, [&](std::uint64_t x) { return f[static_cast<std::size_t>(x)]; });
        for (const auto algorithm : algorithms) {
          std::uint64_t calls = 0;
          const auto counted = [&](std::uint64_t x) {
            ++calls;
            return f[static_cast<std::size_t>(x)];
          };
          const auto c = find_cycle(start, counted, {.algorithm = algorithm});
          const bool right = c.found && c.tail_length == expected.tail_length &&
                             c.cycle_length == expected.cycle_length && c.entry == expected.entry &&
                             c.calls == calls;
          if (!right) FAIL("n = " << n << ", start = " << start);
        }
      }
      std::size_t digit = 0;
      while (digit < n && ++f[digit] == n) f[digit++] = 0;
      more = digit < n;
    }
  }
}

TEST_CASE("cycle: every tail and cycle length up to 70, and how often next is called") {
  for (std::uint64_t tail = 0; tail <= 70; ++tail) {
    for (std::uint64_t length = 1; length <= 70; ++length) {
      const rho next{tail, length};
      for (const auto algorithm : algorithms) {
        CAPTURE(tail);
        CAPTURE(length);
        const auto c = find_cycle(std::uint64_t{0}, next, {.algorithm = algorithm});
        REQUIRE(c.found);
        REQUIRE(c.tail_length == tail);
        REQUIRE(c.cycle_length == length);
        REQUIRE(c.entry == tail);
        if (algorithm == cycle_algorithm::floyd) {
          REQUIRE(c.calls <= 5 * (tail + length));
        } else {
          REQUIRE(c.calls <= 3 * (tail + length));
          REQUIRE(c.calls <= calls_of_plain_brent(next));
        }
      }
    }
  }
}

// A search that goes on after its calls are used up would not end for a sequence without a cycle.
TEST_CASE("cycle: max_steps is never exceeded") {
  for (const auto algorithm : algorithms) {
    for (const rho next : {rho{0, 1}, rho{5, 3}, rho{2, 9}, rho{20, 1}}) {
      const std::uint64_t needed = find_cycle(std::uint64_t{0}, next, {algorithm}).calls;
      for (std::uint64_t max_steps = 0; max_steps <= needed + 2; ++max_steps) {
        std::uint64_t calls = 0;
        const auto counted = [&](std::uint64_t x) {
          ++calls;
          return next(x);
        };
        const auto c =
            find_cycle(std::uint64_t{0}, counted, {.algorithm = algorithm, .max_steps = max_steps});
        CHECK(c.calls == calls);
        CHECK(c.calls == (std::min)(max_steps, needed));
        CHECK(c.found == (max_steps >= needed));
        CHECK(c.tail_length == (c.found ? next.tail : 0));
        CHECK(c.cycle_length == (c.found ? next.length : 0));
        CHECK(c.entry == (c.found ? next.tail : 0));
      }
    }
    const auto endless = find_cycle(std::uint64_t{7}, [](std::uint64_t x) { return x + 1; },
                                    {.algorithm = algorithm, .max_steps = 1000});
    CHECK_FALSE(endless.found);
    CHECK(endless.calls == 1000);
    CHECK(endless.entry == 7);
  }
}

TEST_CASE("cycle: at compile time") {
  constexpr auto c = find_cycle(3, [](int x) { return (x * x + 1) % 255; });
  static_assert(c.found && c.tail_length == 2 && c.cycle_length == 6 && c.entry == 101);
}

TEST_CASE("cycle: long cycles of a generator") {
  const auto step = [](std::uint32_t x) { return (x * 1664525u + 1013904223u) & 0xfffffu; };
  for (const auto algorithm : algorithms) {
    const auto c = find_cycle(1u, step, {.algorithm = algorithm});
    CHECK(c.cycle_length == 0x100000);
    CHECK(c.tail_length == 0);
    CHECK(c.entry == 1);
  }
}

struct node {
  node* next;
};

TEST_CASE("cycle: any regular value and any callable") {
  for (const auto algorithm : algorithms) {
    const gibbs::cycle_options options{.algorithm = algorithm};

    node list[5] = {{&list[1]}, {&list[2]}, {&list[3]}, {&list[4]}, {&list[2]}};
    const auto in_list = find_cycle(&list[0], &node::next, options);
    CHECK(in_list.entry == &list[2]);
    CHECK(in_list.cycle_length == 3);

    const auto in_const_list = find_cycle(
        &list[0], [](const node* at) -> const node* { return at->next; }, options);
    CHECK(in_const_list.entry == &list[2]);

    // A list that ends: at the null pointer, if the callable stays there.
    list[4].next = nullptr;
    const auto ended = find_cycle(
        &list[0], [](const node* at) { return at ? at->next : nullptr; }, options);
    CHECK(ended.entry == nullptr);
    CHECK(ended.tail_length == 5);
    CHECK(ended.cycle_length == 1);

    const auto text = find_cycle(
        "", [](const std::string& s) { return s.size() < 4 ? s + 'a' : s.substr(2); }, options);
    CHECK(text.entry == "aa");
    CHECK(text.tail_length == 2);
    CHECK(text.cycle_length == 3);

    using pair = std::pair<unsigned, unsigned>;
    const auto fibonacci = find_cycle(
        pair{0, 1},
        [](const pair& p) {
          return pair{p.second, (p.first + p.second) % 1000};
        },
        options);
    CHECK(fibonacci.tail_length == 0);
    CHECK(fibonacci.cycle_length == 1500);  // Pisano's period

    // The values have the type that next returns: the start is converted, not the sequence cut.
    const auto wide = find_cycle(1, [](std::uint64_t x) { return x * 6364136223846793005u + 1; },
                                 {.algorithm = algorithm, .max_steps = 1000});
    static_assert(std::is_same_v<decltype(wide.entry), std::uint64_t>);
    CHECK_FALSE(wide.found);

    const auto move_only = find_cycle(
        8, [p = std::make_unique<int>(10)](int x) { return (x + 3) % *p; }, options);
    CHECK(move_only.cycle_length == 10);

    CHECK_THROWS_AS(
        find_cycle(
            0, [](int x) { return x < 5 ? x + 1 : throw std::runtime_error("end"); }, options),
        std::runtime_error);
  }
}

}  // namespace
