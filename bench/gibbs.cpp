// SPDX-License-Identifier: MIT
// Every primitive of the registry, at every shape, in float and double, beside the scalar code.
// Names: primitive/type/rowsxcolumns/gibbs and .../scalar.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/registry.hpp"
#include "workload.hpp"

namespace {

using bench::shape;

// Filled on first use: a filtered run does not pay for the large shapes.
template <class T>
bench::workload<T>& workload_of(const shape& s) {
  static std::map<std::string, std::unique_ptr<bench::workload<T>>> filled;
  auto& entry = filled[s.name()];
  if (!entry) entry = std::make_unique<bench::workload<T>>(s);
  return *entry;
}

enum class implementation { gibbs, scalar };

template <class T>
void measure(benchmark::State& state, const gibbs_support::primitive<T>& f, const shape& s,
             implementation which) {
  auto& work = workload_of<T>(s);
  const auto in = work.arguments(f);
  const auto out = work.results(f);
  for (auto _ : state) {
    if (which == implementation::gibbs) {
      f.on_matrix(in, out);
    } else {
      f.baseline_on_matrix(in, out);
    }
    benchmark::ClobberMemory();
  }
  const auto times = static_cast<std::int64_t>(state.iterations());
  state.SetItemsProcessed(times * static_cast<std::int64_t>(work.elements()));
  state.SetBytesProcessed(times * static_cast<std::int64_t>(bench::least_traffic(f, s)));
}

template <class T>
void register_all() {
  for (const auto& f : gibbs_support::primitives<T>())
    for (const auto& s : bench::shapes)
      for (const auto which : {implementation::gibbs, implementation::scalar}) {
        const std::string name = std::string(f.name) + "/" +
                                 std::string(gibbs_support::type_name<T>()) + "/" + s.name() +
                                 (which == implementation::gibbs ? "/gibbs" : "/scalar");
        benchmark::RegisterBenchmark(
            name.c_str(), [&f, s, which](benchmark::State& state) { measure(state, f, s, which); });
      }
}

}  // namespace

int main(int argc, char** argv) {
  register_all<float>();
  register_all<double>();
  // A short default, since there are hundreds; what the user gives comes later and wins.
  std::string short_run = "--benchmark_min_time=0.05";
  std::vector<char*> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, short_run.data());
  int count = static_cast<int>(arguments.size());
  benchmark::AddCustomContext("architecture", std::string(gibbs_support::architecture_name()));
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
