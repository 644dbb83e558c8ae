// SPDX-License-Identifier: MIT
// What the machine can do at most: multiply-adds a second, bytes a second; and a way to empty
// caches.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>
#include <xsimd/xsimd.hpp>

#include "timing.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace bench {

/// Elements a second through the multiply-add pipes, one operation an element, with the widest
/// vectors that this file was compiled for.
template <class T>
double multiply_add_throughput() {
  using batch = xsimd::batch<T>;
  constexpr std::size_t chains = 12;  // enough to hide the latency, few enough for 16 registers
  constexpr std::size_t steps = 20000;
  double best = 0;
  for (int repeat = 0; repeat < 25; ++repeat) {
    // Volatile and all different: what the compiler can see to be equal it computes once.
    volatile T source = T(0.001);
    const batch factor(T(1) - source);
    const batch term(static_cast<T>(source));
    batch sum[chains];
    for (std::size_t i = 0; i < chains; ++i) sum[i] = batch(static_cast<T>(i) * source);
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < steps; ++i)
      for (auto& s : sum) s = xsimd::fma(s, factor, term);
    batch total = sum[0];
    for (std::size_t i = 1; i < chains; ++i) total = total + sum[i];
    T lanes[batch::size];
    total.store_unaligned(lanes);
    volatile T sink = lanes[0];
    static_cast<void>(sink);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = (std::max)(best, static_cast<double>(chains * steps * batch::size) / took.count());
  }
  return best;
}

/// Removes memory from every cache.
inline void evict(const void* data, std::size_t bytes) {
#if defined(__x86_64__) || defined(_M_X64)
  const char* p = static_cast<const char*>(data);
  for (std::size_t i = 0; i < bytes; i += 64) _mm_clflush(p + i);
  if (bytes != 0) _mm_clflush(p + bytes - 1);
  _mm_mfence();
#else
  // Whatever is read last stays: read more than any cache holds.
  static_cast<void>(data);
  static_cast<void>(bytes);
  static std::vector<char> other(std::size_t{128} << 20, 1);
  volatile char sink = 0;
  for (std::size_t i = 0; i < other.size(); i += 64) sink = static_cast<char>(sink + other[i]);
#endif
}

inline std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

}  // namespace bench
