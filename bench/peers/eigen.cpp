// SPDX-License-Identifier: MIT
// Eigen: what a user of its array expressions writes, row by row; temporaries are allocated once.
#include <Eigen/Core>
#include <cmath>
#include <limits>

#include "peer.hpp"

namespace bench {
namespace {

template <class T>
job prepare(const problem<T>& p) {
  using row = Eigen::Array<T, 1, Eigen::Dynamic>;
  using in = Eigen::Map<const row>;
  using out = Eigen::Map<row>;
  const auto n = static_cast<Eigen::Index>(p.columns);

  const auto each_row = [p, n](auto body) -> job {
    return [p, n, body]() mutable {
      for (std::size_t r = 0; r < p.rows; ++r)
        body(r, in(p.a + r * p.columns, n), p.b ? in(p.b + r * p.columns, n) : in(p.a, n));
    };
  };
  // Keeps 0 log 0 from being NaN; a select would keep Eigen from vectorizing.
  static constexpr T tiny = std::numeric_limits<T>::min();
  const auto write = [p, n](std::size_t r) { return out(p.out + r * p.columns, n); };
  T* const result = p.out;
  const std::int32_t* const labels = p.labels;

  if (p.primitive == "softmax")
    return each_row([write](std::size_t r, const in& x, const in&) {
      auto o = write(r);
      o = (x - x.maxCoeff()).exp();
      o *= 1 / o.sum();
    });
  if (p.primitive == "log_softmax")
    return each_row([write](std::size_t r, const in& x, const in&) {
      const T m = x.maxCoeff();
      const T lse = m + std::log((x - m).exp().sum());
      write(r) = x - lse;
    });
  if (p.primitive == "log_sum_exp")
    return each_row([result](std::size_t r, const in& x, const in&) {
      const T m = x.maxCoeff();
      result[r] = m + std::log((x - m).exp().sum());
    });
  if (p.primitive == "entropy")
    return each_row([result](std::size_t r, const in& x, const in&) {
      result[r] = -(x * x.max(tiny).log()).sum();
    });
  if (p.primitive == "cross_entropy")
    return each_row([result](std::size_t r, const in& x, const in& y) {
      result[r] = -(x * y.max(tiny).log()).sum();
    });
  if (p.primitive == "kl_divergence")
    return each_row([result](std::size_t r, const in& x, const in& y) {
      result[r] = (x * (x.max(tiny) / y).log()).sum();
    });
  if (p.primitive == "cross_entropy_from_logits")
    return each_row([result, labels](std::size_t r, const in& x, const in&) {
      const T m = x.maxCoeff();
      result[r] = m + std::log((x - m).exp().sum()) - x[labels[r]];
    });
  if (p.primitive == "cross_entropy_from_logits_and_target")
    return each_row([result](std::size_t r, const in& x, const in& y) {
      const T m = x.maxCoeff();
      const T lse = m + std::log((x - m).exp().sum());
      result[r] = (y * (lse - x)).sum();
    });
  if (p.primitive == "entropy_from_logits")
    return each_row([result, e = row(n)](std::size_t r, const in& x, const in&) mutable {
      const T m = x.maxCoeff();
      e = (x - m).exp();
      const T sum = e.sum();
      result[r] = std::log(sum) - (e * (x - m)).sum() / sum;
    });
  if (p.primitive == "kl_divergence_from_logits")
    return each_row([result, e = row(n)](std::size_t r, const in& x, const in& y) mutable {
      const T m = x.maxCoeff();
      const T k = y.maxCoeff();
      e = (x - m).exp();
      const T sum = e.sum();
      const T difference = (m + std::log(sum)) - (k + std::log((y - k).exp().sum()));
      result[r] = (e * (x - y)).sum() / sum - difference;
    });
  return {};
}

}  // namespace

peer eigen() { return {"Eigen", prepare<float>, prepare<double>}; }

}  // namespace bench
