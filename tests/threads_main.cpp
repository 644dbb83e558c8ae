// SPDX-License-Identifier: MIT
// For tools that watch memory and threads: the memory sanitizer (clang), the thread sanitizer,
// valgrind. They want a program without libraries that they do not see into, hence no doctest and
// no MPFR. Each thread runs every primitive of the registry on rows of many lengths, on memory of
// exactly that size, and folds all results into one number; all threads must come to the same.
// Faults that it catches: a lane that was never set and has a part in a result, state that threads
// share.
//
// usage: threads [THREADS]
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "support/registry.hpp"

namespace {

using namespace gibbs_support;

// Numbers that need no library function.
class numbers {
 public:
  explicit numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() { return state_ = state_ * 6364136223846793005u + 1442695040888963407u; }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

// From the heap, uninitialised, with nothing before or behind it.
template <class T>
std::unique_ptr<T[]> memory(std::size_t n) {
  return std::unique_ptr<T[]>(new T[n]);
}

template <class T>
void fold(std::uint64_t& into, T result) {
  // A branch, which is what the memory sanitizer looks at.
  if (std::isnan(result)) std::abort();
  into = (into ^
          static_cast<std::uint64_t>(std::bit_cast<std::uint64_t>(static_cast<double>(result)))) *
         0x100000001b3u;
}

template <class T>
void run_all(std::uint64_t& digest) {
  for (std::size_t columns : {1u, 2u, 3u, 5u, 8u, 10u, 15u, 16u, 17u, 31u, 64u, 67u, 130u, 301u}) {
    for (std::size_t rows : {1u, 2u, 7u, 18u}) {
      for (double temperature : {1.0, 0.3, 1e-30, 1e30}) {
        numbers random(1000 * columns + rows);
        const std::size_t n = rows * columns;
        const auto x = memory<T>(n), y = memory<T>(n), p = memory<T>(n), q = memory<T>(n);
        const auto labels = memory<label_type>(rows);
        for (std::size_t i = 0; i < n; ++i) {
          x[i] = static_cast<T>(20 * random.uniform() - 10);
          y[i] = static_cast<T>(20 * random.uniform() - 10);
          p[i] = static_cast<T>(random.uniform() + 0.001);
          q[i] = static_cast<T>(random.uniform() + 0.001);
        }
        for (std::size_t i = 0; i < rows; ++i) {
          labels[i] = static_cast<label_type>(random.bits() % columns);
        }
        for (const primitive<T>& f : primitives<T>()) {
          const T* second = f.second_is_logits() ? y.get() : q.get();
          const auto out = memory<T>(n);
          const auto scalars = memory<T>(rows);
          f.on_matrix({.first = {f.first_is_logits() ? x.get() : p.get(), rows, columns},
                       .second = {second, rows, columns},
                       .labels = {labels.get(), rows},
                       .temperature = temperature},
                      {.rows = {out.get(), rows, columns}, .scalars = {scalars.get(), rows}});
          for (std::size_t i = 0; f.writes_row() && i < n; ++i) fold(digest, out[i]);
          for (std::size_t i = 0; f.gives_scalar() && i < rows; ++i) fold(digest, scalars[i]);
        }
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : 1;
  std::vector<std::uint64_t> digests(count, 0xcbf29ce484222325u);
  std::atomic<std::size_t> ready = 0;
  const auto work = [&](std::size_t i) {
    // All at once, so that they meet at the first call.
    ++ready;
    while (ready < count) {
    }
    std::uint64_t digest = digests[i];
    run_all<float>(digest);
    run_all<double>(digest);
    digests[i] = digest;
  };
  if (count == 1) {
    work(0);
  } else {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
  }
  for (std::uint64_t digest : digests) {
    if (digest != digests[0]) {
      std::puts("threads came to different results");
      return 1;
    }
  }
  std::printf("%zu threads, digest %016llx\n", count, static_cast<unsigned long long>(digests[0]));
}
