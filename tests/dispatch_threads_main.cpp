// SPDX-License-Identifier: MIT
// For the thread sanitizer: eight threads at once ask for the architecture that gibbs::dispatch
// chooses, here among tables without functions, which take no time to compile. A fault that it
// catches: a choice that is made twice or seen half made.
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <gibbs/dispatch_unit.hpp>
#include <thread>
#include <vector>

GIBBS_DISPATCH_SELECT();

namespace gibbs::detail {
const dispatch_table dispatch_base{"base", {}, {}};
const dispatch_table dispatch_avx2{"avx2", {}, {}};
const dispatch_table dispatch_avx512{"avx512", {}, {}};
}  // namespace gibbs::detail

int main() {
  constexpr std::size_t count = 8;
  std::atomic<std::size_t> ready = 0;
  std::vector<const char*> chosen(count);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < count) {
      }
      chosen[i] = gibbs::detail::dispatched().name;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const char* name : chosen) {
    if (name != chosen[0]) return 1;
  }
  std::puts(chosen[0]);
}
