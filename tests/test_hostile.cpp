// SPDX-License-Identifier: MIT
// Faults that this file catches: an offset that overflows for a huge row stride, so that a wrong
// matrix passes the checks; arithmetic on a null pointer where there is nothing to read; rows that
// overlap or repeat and are read as others; rounding modes and flushing of subnormal numbers, set
// by the caller, that break more than README.md says.
#include <doctest/doctest.h>

#include <cfenv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "support/check.hpp"
#include "support/reference.hpp"
#include "support/sample.hpp"

namespace {

using namespace gibbs_support;
using gibbs::matrix_view;

constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

}  // namespace

TEST_CASE_TEMPLATE("row strides beyond any memory are refused", T, float, double) {
  fault_log log;
  std::vector<T> x(64, T(0.25)), y(64, T(0.25)), out(64), scalars(3);
  const std::vector<label_type> labels(3, 0);
  for (const primitive<T>& f : primitives<T>()) {
    // The last ones would be a few elements if their products were taken modulo the address space.
    for (std::size_t stride : {all, all / 2, all / sizeof(T), all / (2 * sizeof(T)) + 1,
                               all / sizeof(T) + 1, (all / sizeof(T) + 1) / 2, all / 2 + 1}) {
      const auto refused = [&](std::size_t a, std::size_t b, std::size_t c) {
        const std::string message = message_of([&] {
          f.on_matrix({{x.data(), 3, 4, a}, {y.data(), 3, 4, b}, labels},
                      {{out.data(), 3, 4, c}, scalars});
        });
        return message.find("more than any memory holds") != std::string::npos;
      };
      log.expect(refused(stride, 4, 4), f.name, " first, stride ", stride);
      if (f.has_second()) log.expect(refused(4, stride, 4), f.name, " second, stride ", stride);
      if (f.writes_row()) log.expect(refused(4, 4, stride), f.name, " out, stride ", stride);
      // One row has no next one.
      const std::string message = message_of([&] {
        f.on_matrix({{x.data(), 1, 4, stride}, {y.data(), 1, 4, stride}, {labels.data(), 1}},
                    {{out.data(), 1, 4, stride}, {scalars.data(), 1}});
      });
      log.expect(message.empty(), f.name, " one row, stride ", stride, ": ", message);
    }
  }
}

TEST_CASE_TEMPLATE("null pointers where there is nothing", T, float, double) {
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    f.on_matrix({{nullptr, 0, 0}, {nullptr, 0, 0}}, {{nullptr, 0, 0}, {}});
    f.on_matrix({{nullptr, 0, 7}, {nullptr, 0, 7}}, {{nullptr, 0, 7}, {}});
    if (!allows_empty(f)) continue;
    f.on_row({}, {});
    // Rows of no columns, said to be far apart.
    std::vector<T> scalars(3, sentinel<T>);
    f.on_matrix({{nullptr, 3, 0, all}, {nullptr, 3, 0, 5}},
                {{nullptr, 3, 0, 9},
                 f.gives_scalar() ? std::span<T>(scalars) : std::span<T>(scalars).first(0)});
    log.expect(!f.gives_scalar() || scalars[2] != sentinel<T>, f.name, " wrote no result");
  }
}

TEST_CASE_TEMPLATE("input rows that overlap or repeat", T, float, double) {
  fault_log log;
  std::vector<T> x(40), y(40);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<T>(1 + i * i % 11) / 16;
    y[i] = static_cast<T>(1 + i * i % 13) / 16;
  }
  const std::size_t rows = 5, columns = 19;
  const std::vector<label_type> labels(rows, 3);
  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t stride : sizes{0, 1, 5}) {
      std::vector<T> out(rows * columns), scalars(rows), wanted(columns);
      f.on_matrix({{x.data(), rows, columns, stride}, {y.data(), rows, columns, stride}, labels},
                  {{out.data(), rows, columns}, scalars});
      for (std::size_t i = 0; i < rows; ++i) {
        const T scalar = f.on_row({.first = {x.data() + i * stride, columns},
                                   .second = {y.data() + i * stride, columns},
                                   .label = 3},
                                  {wanted.data(), f.writes_row() ? columns : 0});
        bool good = !f.gives_scalar() || same_bits(scalar, scalars[i]);
        for (std::size_t j = 0; f.writes_row() && j < columns; ++j) {
          good = good && same_bits(wanted[j], out[i * columns + j]);
        }
        log.expect(good, f.name, " stride ", stride, " row ", i);
      }
    }
  }
}

// README.md: functions of probabilities stay within twice their bounds, functions of logits lose
// half of their digits and no more; nothing is left behind.
TEST_CASE_TEMPLATE("rounding modes other than to-nearest", T, float, double) {
  fault_log log;
  constexpr double tolerance = sizeof(T) == 4 ? 0x1p-14 : 0x1p-34;
  const auto is_off = [&](T got, const exact& wanted, double scale) {
    const double right = wanted.to_double();
    if (std::isnan(right)) return !std::isnan(got);
    // Beyond the largest number the mode says whether that or infinity is the result.
    const double most = static_cast<double>((std::numeric_limits<T>::max)());
    if (right >= most) return !(static_cast<double>(got) >= most);
    if (right <= -most) return !(static_cast<double>(got) <= -most);
    const double least = static_cast<double>((std::numeric_limits<T>::min)());
    const double error = std::abs(static_cast<double>(got) - right);
    return !(error <= tolerance * (std::max)(std::abs(right), scale) + least);
  };
  reference<T> exact_result;
  for (const primitive<T>& f : primitives<T>()) {
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
      for (std::size_t seed = 1; seed < 60; ++seed) {
        random_source random(seed);
        const auto families = families_of(f);
        const double temperature = std::exp2(random.uniform(-4, 4));
        const sample<T> x = draw(f, families[random.below(families.size())], random,
                                 1 + random.below(90), temperature);
        std::vector<T> out(f.writes_row() ? x.first.size() : 0), before = out, after = out;
        const T scalar_before = f.on_row(x.arguments(), before);
        std::fesetround(mode);
        const T scalar = f.on_row(x.arguments(), out);
        const bool kept = std::fegetround() == mode;
        std::fesetround(FE_TONEAREST);
        const T scalar_after = f.on_row(x.arguments(), after);
        bool same = same_bits(scalar_before, scalar_after);
        for (std::size_t i = 0; i < after.size(); ++i)
          same = same && same_bits(before[i], after[i]);
        log.expect(kept && same, f.name, " changed the mode, or its results afterwards, seed ",
                   seed);
        exact_result.assign(x.arguments());
        if (f.first_is_logits()) {
          double largest = 1;
          for (const std::vector<T>* logits : {&x.first, &x.second}) {
            if (logits == &x.second && !f.second_is_logits()) continue;
            for (const T v : *logits) {
              const double over_t = std::abs(static_cast<double>(v)) / temperature;
              if (std::isfinite(v)) largest = (std::max)(largest, over_t);
            }
          }
          const row_reference<T>& wanted = exact_result(f.id);
          bool off = f.gives_scalar() && is_off(scalar, wanted.scalar, largest);
          const bool relative =
              f.id == primitive_id::softmax || f.id == primitive_id::softmax_with_log_sum_exp;
          for (std::size_t i = 0; i < out.size(); ++i) {
            off = off || is_off(out[i], wanted.row[i], relative ? 0 : largest);
          }
          log.expect(!off, f.name, " mode ", mode, " seed ", seed);
          continue;
        }
        const verdict v = judge<T>(f, exact_result(f.id), out, scalar);
        log.expect(v.error <= 2 * v.allowed, f.name, " mode ", mode, " seed ", seed, ": ", v.error,
                   " ulp, allowed ", 2 * v.allowed);
      }
    }
  }
}

#if defined(__SSE2__) || defined(__aarch64__)
// While it lives, subnormal numbers are 0, read or written.
class flush_subnormals {
 public:
  flush_subnormals() : before_(get()) { set(before_ | flush); }
  ~flush_subnormals() { set(before_); }
  flush_subnormals(const flush_subnormals&) = delete;
  flush_subnormals& operator=(const flush_subnormals&) = delete;

 private:
#if defined(__SSE2__)
  using control = unsigned;
  static constexpr control flush = 0x8040;  // FTZ, DAZ
  static control get() { return _mm_getcsr(); }
  static void set(control value) { _mm_setcsr(value); }
#else
  using control = unsigned long;
  static constexpr control flush = 1ul << 24;  // FZ
  static control get() {
    control value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value) : : "memory");
    return value;
  }
  static void set(control value) { __asm__ volatile("msr fpcr, %0" : : "r"(value) : "memory"); }
#endif

  control before_;
};

// README.md: subnormal inputs then count as 0 and subnormal results become 0; where there are none,
// nothing changes.
TEST_CASE_TEMPLATE("subnormal numbers that the caller has flushed", T, float, double) {
  constexpr T least = std::numeric_limits<T>::min();
  fault_log log;
  const auto flushed = [&](const primitive<T>& f, const sample<T>& x, std::vector<T>& out) {
    const flush_subnormals flushing;
    return f.on_row(x.arguments(), out);
  };
  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t seed = 1; seed < 200; ++seed) {
      random_source random(seed);
      const std::size_t n = 1 + random.below(400);
      sample<T> x = draw_ordinary(f, random, n, seed % 3 == 0 ? 0.7 : 1);
      if (!f.first_is_logits()) {
        for (T& v : x.first) v = v < T(1e-6) ? T(1e-6) : v;
        if (seed % 2 == 0) x.first[random.below(n)] = 0;
      }
      if (!f.second_is_logits()) {
        for (T& v : x.second) v = v < T(1e-6) ? T(1e-6) : v;
      }
      std::vector<T> wanted(f.writes_row() ? n : 0), out = wanted;
      const T scalar = f.on_row(x.arguments(), wanted);
      const T got = flushed(f, x, out);
      log.expect(same_bits(scalar, got), f.name, " seed ", seed, ": ", got, " instead of ", scalar);
      for (std::size_t i = 0; i < out.size(); ++i) {
        log.expect(same_bits(out[i], wanted[i]), f.name, " seed ", seed, " at ", i);
      }
    }
  }
  // The results here are subnormal.
  std::vector<T> x(40, std::log(least) - T(3)), out(40);
  x[7] = 0;
  for (const primitive<T>& f : primitives<T>()) {
    if (f.id != primitive_id::softmax) continue;
    flushed(f, {.first = x, .second = {}, .label = 0, .temperature = 1}, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      log.expect(out[i] == (i == 7 ? T(1) : T(0)), f.name, " subnormal at ", i, ": ", out[i]);
    }
  }
  // Subnormal inputs are 0.
  for (std::size_t n : {2u, 20u, 100u, 1000u}) {
    std::vector<T> p(n, least / 4), zeros(n), q(n, T(0.5));
    p[1] = zeros[1] = 1;
    for (const primitive<T>& f : primitives<T>()) {
      if (f.input != input_kind::p && f.input != input_kind::p_and_q) continue;
      std::vector<T> none;
      const T wanted = f.on_row({.first = zeros, .second = q}, {});
      const T got = flushed(f, {.first = p, .second = q, .label = 0, .temperature = 1}, none);
      log.expect(same_bits(got, wanted), f.name, " of ", n, " subnormal p: ", got,
                 ", of 0: ", wanted);
    }
  }
}
#endif
