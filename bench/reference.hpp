// SPDX-License-Identifier: MIT
// How far results are from the exact ones. The reference is long double, in the forms that do not
// cancel; where long double is no wider than double, errors of double results are not measured.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "peers/peer.hpp"

namespace bench {

using real = long double;

template <class T>
inline constexpr bool can_measure_error =
    std::numeric_limits<real>::digits >= std::numeric_limits<T>::digits + 8;

/// One unit in the last place of a T next to `value`.
template <class T>
real unit_in_last_place(real value) {
  using limits = std::numeric_limits<T>;
  value = std::fabs(value);
  if (!(value >= static_cast<real>(limits::min()))) return limits::denorm_min();
  return std::ldexp(real(1), std::ilogb(value) - (limits::digits - 1));
}

/// Neumaier's sum: rows of 16 million elements would cost long double its last digits.
class exact_sum {
 public:
  void add(real x) {
    const real t = sum_ + x;
    rest_ += std::fabs(sum_) >= std::fabs(x) ? (sum_ - t) + x : (x - t) + sum_;
    sum_ = t;
  }
  real value() const { return sum_ + rest_; }

 private:
  real sum_ = 0;
  real rest_ = 0;
};

/// A row's log-sum-exp as maximum and log of the scaled sum, which is log1p of all but the maximum.
struct log_sum {
  real max;
  real log;
  real value() const { return max + log; }
};

template <class T>
log_sum reference_log_sum_exp(std::span<const T> x) {
  std::size_t top = 0;
  for (std::size_t i = 1; i < x.size(); ++i)
    if (x[i] > x[top]) top = i;
  exact_sum rest;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (i != top) rest.add(std::exp(real(x[i]) - real(x[top])));
  return {real(x[top]), std::log1p(rest.value())};
}

/// p log(p / q) - p + q without cancellation: with s = (p - q) / (p + q) it is
/// (p - q) s + 2 p (s^3 / 3 + s^5 / 5 + ...).
inline real reference_kl_term(real p, real q) {
  if (p == 0) return q;
  const real s = (p - q) / (p + q);
  if (std::fabs(s) > real(0.1)) return p * std::log(p / q) - p + q;
  real tail = 0;
  for (int n = 25; n >= 3; n -= 2) tail = tail * s * s + real(1) / n;
  return (p - q) * s + 2 * p * s * s * s * tail;
}

/// d - 1 + exp(-d), likewise.
inline real reference_exp_excess(real d) {
  if (std::fabs(d) > real(0.5)) return d + std::expm1(-d);
  real sum = 0;
  // Horner of the sum of (-d)^(n-2) / n!
  for (int n = 22; n >= 2; --n) sum = (real(1) - sum * d) / n;
  return sum * d * d;
}

/// The worst error of each library in units in the last place, over the first `rows` rows.
/// outputs[k] starts with what library k wrote for those rows.
template <class T>
std::vector<double> worst_errors(const problem<T>& p, std::size_t rows,
                                 const std::vector<std::vector<T>>& outputs) {
  std::vector<double> worst(outputs.size(), 0);
  const std::size_t n = p.columns;

  const auto compare = [&](std::size_t index, real expected, real scale) {
    const real unit = unit_in_last_place<T>(scale);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const real error = std::fabs(real(outputs[k][index]) - expected) / unit;
      // A NaN must not pass for a small error.
      if (!(error <= real(worst[k]))) worst[k] = static_cast<double>(error);
    }
  };

  for (std::size_t r = 0; r < rows; ++r) {
    const std::span<const T> x(p.a + r * n, n);
    const std::span<const T> y(p.b ? p.b + r * n : p.a, n);
    exact_sum sum;
    if (p.primitive == "softmax" || p.primitive == "softmax_with_log_sum_exp" ||
        p.primitive == "log_softmax") {
      const log_sum lse = reference_log_sum_exp(x);
      for (std::size_t i = 0; i < n; ++i) {
        const real log_p = (real(x[i]) - lse.max) - lse.log;
        const real expected = p.primitive == "log_softmax" ? log_p : std::exp(log_p);
        compare(r * n + i, expected, expected);
      }
    } else if (p.primitive == "log_sum_exp") {
      const log_sum lse = reference_log_sum_exp(x);
      compare(r, lse.value(), (std::max)(std::fabs(lse.max), std::fabs(lse.log)));
    } else if (p.primitive == "cross_entropy_from_logits") {
      const log_sum lse = reference_log_sum_exp(x);
      const real expected = (lse.max - real(x[static_cast<std::size_t>(p.labels[r])])) + lse.log;
      compare(r, expected, expected);
    } else {
      if (p.primitive == "entropy") {
        for (const T v : x)
          if (v > 0) sum.add(-real(v) * std::log(real(v)));
      } else if (p.primitive == "cross_entropy") {
        for (std::size_t i = 0; i < n; ++i)
          if (x[i] > 0) sum.add(-real(x[i]) * std::log(real(y[i])));
      } else if (p.primitive == "kl_divergence") {
        for (std::size_t i = 0; i < n; ++i) sum.add(reference_kl_term(x[i], y[i]));
      } else if (p.primitive == "entropy_from_logits") {
        const log_sum lse = reference_log_sum_exp(x);
        for (std::size_t i = 0; i < n; ++i) {
          const real below = lse.max - real(x[i]);
          sum.add(std::exp(-below - lse.log) * below);
        }
        sum.add(lse.log);
      } else if (p.primitive == "cross_entropy_from_logits_and_target") {
        const log_sum lse = reference_log_sum_exp(x);
        for (std::size_t i = 0; i < n; ++i)
          sum.add(real(y[i]) * ((lse.max - real(x[i])) + lse.log));
      } else if (p.primitive == "kl_divergence_from_logits") {
        const log_sum lse_x = reference_log_sum_exp(x);
        const log_sum lse_y = reference_log_sum_exp(y);
        const real shift = (lse_x.max - lse_y.max) + (lse_x.log - lse_y.log);
        for (std::size_t i = 0; i < n; ++i) {
          const real p_i = std::exp((real(x[i]) - lse_x.max) - lse_x.log);
          sum.add(p_i * reference_exp_excess((real(x[i]) - real(y[i])) - shift));
        }
      } else {
        return std::vector<double>(outputs.size(), std::numeric_limits<double>::quiet_NaN());
      }
      compare(r, sum.value(), sum.value());
    }
  }
  return worst;
}

}  // namespace bench
