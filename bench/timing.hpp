// SPDX-License-Identifier: MIT
// Interleaved timing: the contestants take turns, so that a change of clock rate or a neighbour on
// the machine meets them all alike.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace bench {

struct contestant {
  std::function<void()> run;
  std::function<void()> before = {};  // untimed, before every timed call; then one call a sample
};

/// Seconds a call; one entry a round, so that entry i of two contestants were neighbours in time.
using samples = std::vector<double>;

struct timing_options {
  double sample_seconds =
      150e-6;                   // how long one sample lasts at least: calls are repeated to fill it
  double total_seconds = 0.15;  // for all contestants together
  std::size_t least_rounds = 5;
  std::size_t most_rounds = 41;
};

inline double quantile(samples s, double q) {
  if (s.empty()) return 0;
  const auto index = static_cast<std::size_t>(q * static_cast<double>(s.size() - 1) + 0.5);
  std::nth_element(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(index), s.end());
  return s[index];
}

inline double median(const samples& s) { return quantile(s, 0.5); }
inline double fastest(const samples& s) { return quantile(s, 0); }

/// Median of a[i] / b[i].
inline double paired_ratio(const samples& a, const samples& b) {
  samples ratio(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) ratio[i] = a[i] / b[i];
  return median(ratio);
}

/// Processor time of this process, all threads together: what others on the machine take from us
/// does not count, and a library that starts threads of its own gains nothing by it.
inline double now() {
#if defined(CLOCK_PROCESS_CPUTIME_ID)
  timespec t{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0)
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
#endif
  const auto elapsed = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(elapsed).count();
}

inline double seconds_of(const contestant& c, std::size_t calls) {
  const double start = now();
  for (std::size_t i = 0; i < calls; ++i) c.run();
  return now() - start;
}

/// All samples of all contestants, round by round.
inline std::vector<samples> interleave(std::span<const contestant> contestants,
                                       const timing_options& options = {}) {
  std::vector<std::size_t> calls(contestants.size(), 1);
  double round_seconds = 0;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    const auto& c = contestants[i];
    if (c.before) c.before();
    double once = seconds_of(c, 1);
    if (!c.before) {
      // The first call pays for page faults and cold code; the second tells how often to repeat.
      once = seconds_of(c, 1);
      if (once < options.sample_seconds) {
        const auto trial = std::max<std::size_t>(
            1, static_cast<std::size_t>(options.sample_seconds / 8 / std::max(once, 1e-8)));
        once = seconds_of(c, trial) / static_cast<double>(trial);
        calls[i] = 1 + static_cast<std::size_t>(options.sample_seconds / std::max(once, 1e-9));
      }
    }
    round_seconds += once * static_cast<double>(calls[i]);
  }
  const auto wanted = static_cast<std::size_t>(options.total_seconds / round_seconds);
  const std::size_t rounds = std::clamp(wanted, options.least_rounds, options.most_rounds);

  std::vector<samples> result(contestants.size());
  // In another order each time, so that what one leaves behind does not always meet the same other.
  std::vector<std::size_t> order(contestants.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::minstd_rand random;
  for (std::size_t r = 0; r < rounds; ++r) {
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t i : order) {
      if (contestants[i].before) {
        contestants[i].before();
      } else if (calls[i] == 1) {
        // What another one has left in caches and page tables is not its own. (After a library that
        // gives its memory back the next pass over a long row may take 16 times as long.)
        contestants[i].run();
      }
      result[i].push_back(seconds_of(contestants[i], calls[i]) / static_cast<double>(calls[i]));
    }
  }
  return result;
}

}  // namespace bench
