// SPDX-License-Identifier: MIT
// Every way to find a duplicate, over the number of integers: the methods of the library, and what
// others do, which takes O(n) extra space.
// Names: INPUT/N/METHOD. Prints nanoseconds an integer, the fastest of several runs;
// --benchmark_out writes all of them, and plot.py draws them. An input is several arrays, and every
// run goes through all of them: how long a chase takes depends on the array, and a single short one
// would be learnt by heart by the branch prediction. BENCH_DUPLICATES_LARGE=1 in the environment
// adds n = 10^8.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <gibbs/find_duplicate.hpp>
#include <iomanip>
#include <iterator>
#include <numeric>
#include <ostream>
#include <random>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "machine.hpp"

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

// Filled on first use, so that a filtered run does not pay for the others, and kept until the next.
const pool& pool_of(order which, std::size_t n) {
  static pool filled;
  static std::pair<order, std::size_t> of{order::shuffled, 0};
  if (of != std::pair{which, n}) {
    of = {which, n};
    filled.clear();
    std::mt19937_64 random(n);
    const std::size_t arrays = n >= 100000000 ? 1 : std::clamp<std::size_t>(40000 / n, 4, 4096);
    for (std::size_t i = 0; i < arrays; ++i) filled.push_back(make(which, n, random));
  }
  return filled;
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
  const value answer = m.find(arrays[0]);
  if (std::count(arrays[0].begin(), arrays[0].end(), answer) < 2) {
    std::fprintf(stderr, "%s: %u is not a duplicate\n", m.name, static_cast<unsigned>(answer));
    std::exit(1);
  }
  for (auto _ : state) {
    for (const values& v : arrays) benchmark::DoNotOptimize(m.find(v));
  }
  const auto elements = static_cast<double>(arrays.size() * (n + 1));
  state.counters["element"] = benchmark::Counter(
      elements, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

double fastest(const std::vector<double>& times) {
  return *std::min_element(times.begin(), times.end());
}

// A line for each input and n, a column for each method.
class table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override {
    PrintBasicContext(&GetErrorStream(), context);
    std::ostream& out = GetOutputStream();
    out << "ns an integer" << std::string(7, ' ');
    for (const method& m : methods) out << std::setw(14) << m.name;
    return true;
  }

  void ReportRuns(const std::vector<Run>& runs) override {
    std::ostream& out = GetOutputStream();
    for (const Run& run : runs) {
      const std::string name = run.run_name.function_name;
      const std::size_t slash = name.rfind('/');
      if (run.aggregate_name != "min") continue;
      if (name.substr(0, slash) != line_) {
        line_ = name.substr(0, slash);
        out << '\n' << std::left << std::setw(20) << line_ << std::right;
        column_ = 0;
      }
      while (column_ < std::size(methods) && name.substr(slash + 1) != methods[column_].name) {
        out << std::setw(14) << "";
        ++column_;
      }
      ++column_;
      out << std::setw(14) << std::fixed << std::setprecision(3)
          << run.counters.at("element").value * 1e9 << std::flush;
    }
  }

  void Finalize() override { GetOutputStream() << std::endl; }

 private:
  std::string line_;
  std::size_t column_ = 0;
};

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
            ->Repetitions(n < 1000000 ? 9 : 3)
            ->ComputeStatistics("min", fastest);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::AddCustomContext("processor", bench::processor_name());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  table reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
