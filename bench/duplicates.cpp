// SPDX-License-Identifier: MIT
// Every way to find a duplicate, over the number of integers: the methods of the library, and what
// others do, which takes O(n) extra space.
// Names: INPUT/N/METHOD. An input is several arrays, and every iteration goes through all of them:
// how long a chase takes depends on the array, and a single short one would be learnt by heart by
// the branch prediction.
// Each benchmark runs several times, all in random order, and reports the fastest of them.
// BENCH_DUPLICATES_LARGE=1 in the environment adds n = 10^8.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <gibbs/find_duplicate.hpp>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

using value = std::uint32_t;
using values = std::vector<value>;

// --- inputs --------------------------------------------------------------------------------------

enum class order { shuffled, ordered, single };

struct input {
  const char* name;
  order which;
};
constexpr input inputs[] = {
    {"shuffled", order::shuffled}, {"ordered", order::ordered}, {"single", order::single}};

// 1 to n, one of them once more, anywhere; or one value alone.
values make(order which, std::size_t n, std::mt19937_64& random) {
  const auto any = static_cast<value>(1 + random() % n);
  if (which == order::single) return values(n + 1, any);
  values v(n + 1);
  std::iota(v.begin(), v.end() - 1, value{1});
  v.back() = any;
  if (which == order::shuffled) {
    std::shuffle(v.begin(), v.end(), random);
  } else {
    std::sort(v.begin(), v.end());
  }
  return v;
}

using pool = std::vector<values>;

// Filled on first use: a filtered run does not pay for the large ones. Only one is kept at a time
// of those that are large, for the memory.
const pool& pool_of(order which, std::size_t n) {
  static std::map<std::pair<order, std::size_t>, std::unique_ptr<pool>> filled;
  auto& entry = filled[{which, n}];
  if (!entry) {
    std::mt19937_64 random(n);
    entry = std::make_unique<pool>();
    const std::size_t arrays = n >= 100000000 ? 1 : std::clamp<std::size_t>(40000 / n, 4, 4096);
    for (std::size_t i = 0; i < arrays; ++i) entry->push_back(make(which, n, random));
  }
  return *entry;
}

// --- methods -------------------------------------------------------------------------------------

template <gibbs::duplicate_method Method>
value by_gibbs(const values& v) {
  return gibbs::find_duplicate(v, Method);
}

value by_sorting(const values& v) {
  values copy = v;
  std::sort(copy.begin(), copy.end());
  return *std::adjacent_find(copy.begin(), copy.end());
}

value by_hashing(const values& v) {
  std::unordered_set<value> seen;
  for (const value x : v) {
    if (!seen.insert(x).second) return x;
  }
  return 0;
}

// As careful as the library: a value out of range is not an index.
value by_bitset(const values& v) {
  const std::size_t n = v.size() - 1;
  std::vector<bool> seen(n);
  for (const value x : v) {
    const std::size_t place = std::size_t{x} - 1;
    if (place >= n) return 0;
    if (seen[place]) return x;
    seen[place] = true;
  }
  return 0;
}

struct method {
  const char* name;
  value (*find)(const values&);
};
constexpr method methods[] = {
    {"automatic", by_gibbs<gibbs::duplicate_method::automatic>},
    {"counting", by_gibbs<gibbs::duplicate_method::counting>},
    {"floyd", by_gibbs<gibbs::duplicate_method::floyd>},
    {"brent", by_gibbs<gibbs::duplicate_method::brent>},
    {"bitset", by_bitset},
    {"sort", by_sorting},
    {"unordered_set", by_hashing},
};

// --- measurement ---------------------------------------------------------------------------------

void measure(benchmark::State& state, order which, std::size_t n, const method& m) {
  const pool& arrays = pool_of(which, n);
  for (const values& v : arrays) {
    const value answer = m.find(v);
    if (std::count(v.begin(), v.end(), answer) < 2) {
      state.SkipWithError("not a duplicate");
      return;
    }
  }
  for (auto _ : state) {
    for (const values& v : arrays) benchmark::DoNotOptimize(m.find(v));
  }
  const auto elements = static_cast<double>(arrays.size() * (n + 1));
  state.counters["element"] =
      benchmark::Counter(elements, benchmark::Counter::kIsIterationInvariantRate |
                                       benchmark::Counter::kInvert);
}

double fastest(const std::vector<double>& times) { return *std::min_element(times.begin(), times.end()); }

void register_all() {
  std::vector<std::size_t> sizes;
  for (std::size_t power = 10; power <= 10000000; power *= 10) {
    sizes.push_back(power);
    if (power < 10000000) sizes.push_back(3 * power);
  }
  if (std::getenv("BENCH_DUPLICATES_LARGE") != nullptr) sizes.push_back(100000000);
  for (const input& in : inputs) {
    for (const std::size_t n : sizes) {
      for (const method& m : methods) {
        const std::string name = std::string(in.name) + "/" + std::to_string(n) + "/" + m.name;
        benchmark::RegisterBenchmark(
            name.c_str(),
            [which = in.which, n, &m](benchmark::State& state) { measure(state, which, n, m); })
            ->MinTime(0.01)
            ->Repetitions(n < 10000000 ? 7 : 3)
            ->ReportAggregatesOnly()
            ->ComputeStatistics("min", fastest);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
