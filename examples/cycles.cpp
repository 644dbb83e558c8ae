// SPDX-License-Identifier: MIT
// What find_cycle is good for, besides duplicates: a list that bites its own tail, the period of a
// random number generator, and the factors of a number (Pollard's rho).
#include <cstdint>
#include <cstdio>
#include <gibbs/cycle.hpp>
#include <numeric>
#include <vector>

using number = std::uint64_t;

unsigned long long printable(number x) { return x; }

// --- a linked list -------------------------------------------------------------------------------

struct node {
  const node* next = nullptr;
};

void linked_list() {
  std::vector<node> nodes(10);
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) nodes[i].next = &nodes[i + 1];

  // A list that ends stays at the null pointer: a cycle of one.
  const auto next = [](const node* at) { return at != nullptr ? at->next : nullptr; };
  const auto sound = gibbs::find_cycle(&nodes.front(), next);
  std::printf("list: %s\n", sound.entry == nullptr ? "ends" : "does not end");

  nodes.back().next = &nodes[3];
  const auto broken = gibbs::find_cycle(&nodes.front(), next);
  std::printf("list: %s, node %td begins a cycle of %llu\n",
              broken.entry == nullptr ? "ends" : "does not end", broken.entry - nodes.data(),
              printable(broken.cycle_length));
}

// --- the period of a generator -------------------------------------------------------------------

void generators() {
  // Von Neumann's: square, and take the four digits in the middle.
  const auto middle_square = [](unsigned x) { return x * x / 100 % 10000; };
  const auto poor = gibbs::find_cycle(1234u, middle_square);
  std::printf("middle square: %llu values, then a cycle of %llu from %u\n",
              printable(poor.tail_length), printable(poor.cycle_length), poor.entry);

  const auto xorshift16 = [](std::uint16_t x) {
    x = static_cast<std::uint16_t>(x ^ (x << 7));
    x = static_cast<std::uint16_t>(x ^ (x >> 9));
    return static_cast<std::uint16_t>(x ^ (x << 8));
  };
  const auto good = gibbs::find_cycle(std::uint16_t{1}, xorshift16);
  std::printf("xorshift: %llu values, then a cycle of %llu\n", printable(good.tail_length),
              printable(good.cycle_length));

  // This one has a period of 2^64: give up in time.
  const auto splitmix = [](number x) { return x + 0x9e3779b97f4a7c15u; };
  const auto better = gibbs::find_cycle(number{0}, splitmix, {.max_steps = 1000000});
  std::printf("splitmix: %s in %llu steps\n", better.found ? "a cycle" : "no cycle",
              printable(better.calls));
}

// --- Pollard's rho -------------------------------------------------------------------------------

// For n below 2^63.
number product(number a, number b, number n) {
  number result = 0;
  for (; b != 0; b >>= 1, a = a * 2 % n) {
    if ((b & 1) != 0) result = (result + a) % n;
  }
  return result;
}

constexpr number composite = (number{1} << 59) - 1;

// Equal if equal modulo a factor of the composite number: nobody needs to know the factor for that.
struct residue {
  number value = 0;

  number common_factor(const residue& other) const {
    return std::gcd(value > other.value ? value - other.value : other.value - value, composite);
  }
  bool operator==(const residue& other) const { return common_factor(other) != 1; }
};

void pollards_rho() {
  const auto next = [](residue x) {
    return residue{(product(x.value, x.value, composite) + 1) % composite};
  };
  // Modulo a factor p the sequence repeats itself after about sqrt(p) values.
  const auto rho = gibbs::find_cycle(residue{2}, next, {.max_steps = 1000000});
  if (!rho.found) {
    std::printf("rho: no factor in %llu steps\n", printable(rho.calls));
    return;
  }
  residue ahead = rho.entry;
  for (number i = 0; i < rho.cycle_length; ++i) ahead = next(ahead);
  const number factor = rho.entry.common_factor(ahead);
  std::printf("rho: %llu = %llu x %llu, in %llu steps\n", printable(composite), printable(factor),
              printable(composite / factor), printable(rho.calls));
}

int main() {
  linked_list();
  generators();
  pollards_rho();
}
