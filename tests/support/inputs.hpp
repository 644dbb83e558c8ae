// SPDX-License-Identifier: MIT
// Seeded inputs: the same numbers with every compiler and standard library (up to the last digit
// of std::log and the like), which std::normal_distribution and its kin do not promise.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace gibbs_support {

// SplitMix64.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }  // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(bits() % n); }
  double exponential() { return -std::log1p(-uniform()); }
  double normal() {  // Box-Muller; the second number is not kept, so that calls do not depend
    const double radius = std::sqrt(2 * exponential());
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
  // log of a gamma variate (Marsaglia and Tsang), which does not underflow for small shapes.
  double log_gamma_variate(double shape) {
    if (shape < 1) return log_gamma_variate(shape + 1) - exponential() / shape;
    const double d = shape - 1.0 / 3;
    for (;;) {
      const double x = normal();
      const double v = std::pow(1 + x / std::sqrt(9 * d), 3);
      if (!(v > 0)) continue;
      if (std::log1p(-uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
        return std::log(d * v);
      }
    }
  }

 private:
  std::uint64_t state_;
};

template <class T>
void shuffle(random_source& random, std::span<T> values) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

// Divides by the sum, in double.
template <class T>
void set_distribution(std::span<T> out, const std::vector<double>& weights) {
  double sum = 0;
  for (double weight : weights) sum += weight;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(weights[i] / sum);
}

template <class T>
void dirichlet(random_source& random, std::span<T> out, double concentration) {
  if (out.empty()) return;
  std::vector<double> weights(out.size());
  for (double& weight : weights) weight = random.log_gamma_variate(concentration);
  const double max = *std::max_element(weights.begin(), weights.end());
  for (double& weight : weights) weight = std::exp(weight - max);
  set_distribution(out, weights);
}

// Fills both rows, which have the same length; a primitive with one input takes the first. The
// second is an independent draw of the same family, but for the families of pairs, where it is a
// neighbour of the first.
template <class T>
struct family {
  std::string_view name;
  void (*fill)(random_source&, std::span<T> first, std::span<T> second);
};

namespace detail {

template <class T, class Draw>
void fill_each(random_source& random, std::span<T> first, std::span<T> second, Draw draw) {
  for (T& value : first) value = static_cast<T>(draw(random));
  for (T& value : second) value = static_cast<T>(draw(random));
}

template <class T>
void normal(random_source& random, std::span<T> first, std::span<T> second, double deviation) {
  fill_each(random, first, second, [=](random_source& r) { return deviation * r.normal(); });
}

template <class T>
void nearby_logits(random_source& random, std::span<T> first, std::span<T> second,
                   double distance) {
  for (std::size_t i = 0; i < first.size(); ++i) {
    const double value = 4 * random.normal();
    first[i] = static_cast<T>(value);
    second[i] = static_cast<T>(value + distance * random.normal());
  }
}

template <class T>
void nearby_distributions(random_source& random, std::span<T> first, std::span<T> second,
                          double distance) {
  dirichlet(random, first, 1);
  std::vector<double> weights(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    weights[i] = static_cast<double>(first[i]) * (1 + distance * random.uniform(-1, 1));
  }
  set_distribution(second, weights);
}

}  // namespace detail

template <class T>
std::span<const family<T>> logit_families() {
  using row = std::span<T>;
  using limits = std::numeric_limits<T>;
  using rng = random_source;
  static const std::array table{
      family<T>{"normal sd 1", [](rng& r, row x, row y) { detail::normal(r, x, y, 1); }},
      family<T>{"normal sd 4", [](rng& r, row x, row y) { detail::normal(r, x, y, 4); }},
      family<T>{"normal sd 20", [](rng& r, row x, row y) { detail::normal(r, x, y, 20); }},
      family<T>{"normal sd 1000", [](rng& r, row x, row y) { detail::normal(r, x, y, 1000); }},
      family<T>{"uniform +-1000",
                [](rng& r, row x, row y) {
                  detail::fill_each(r, x, y, [](rng& s) { return s.uniform(-1000, 1000); });
                }},
      family<T>{"all equal",
                [](rng& r, row x, row y) {
                  const T a = static_cast<T>(r.uniform(-100, 100));
                  const T b = static_cast<T>(r.uniform(-100, 100));
                  std::fill(x.begin(), x.end(), a);
                  std::fill(y.begin(), y.end(), b);
                }},
      family<T>{"one dominant",
                [](rng& r, row x, row y) {
                  detail::normal(r, x, y, 1);
                  if (x.empty()) return;
                  // The rest weighs from exp(-10) to exp(-80): the losses that 1 - p loses.
                  x[r.below(x.size())] = static_cast<T>(r.uniform(15, 80));
                  y[r.below(y.size())] = static_cast<T>(r.uniform(15, 80));
                }},
      family<T>{"ascending",
                [](rng& r, row x, row y) {
                  detail::normal(r, x, y, 20);
                  std::sort(x.begin(), x.end());
                  std::sort(y.begin(), y.end());
                }},
      family<T>{"descending",
                [](rng& r, row x, row y) {
                  detail::normal(r, x, y, 20);
                  std::sort(x.begin(), x.end(), [](T a, T b) { return a > b; });
                  std::sort(y.begin(), y.end(), [](T a, T b) { return a > b; });
                }},
      family<T>{"steep ascent",  // every few elements leave the range of the sum so far
                [](rng& r, row x, row y) {
                  const double step = r.uniform(0.5, 50);
                  for (std::size_t i = 0; i < x.size(); ++i) {
                    x[i] = static_cast<T>(step * static_cast<double>(i) + r.normal());
                  }
                  for (std::size_t i = 0; i < y.size(); ++i) y[i] = x[i];
                  shuffle(r, y);
                }},
      family<T>{"ties",
                [](rng& r, row x, row y) {
                  detail::fill_each(r, x, y, [](rng& s) { return std::floor(s.uniform(-3, 4)); });
                }},
      family<T>{"huge",
                [](rng& r, row x, row y) {
                  detail::fill_each(r, x, y, [](rng& s) {
                    return static_cast<double>((limits::max)()) * s.uniform(-1, 1);
                  });
                }},
      family<T>{"huge steps",  // k * 2^20 apart: huge, with ties and near ties
                [](rng& r, row x, row y) {
                  detail::fill_each(r, x, y, [](rng& s) {
                    return std::floor(s.uniform(-9, 9)) * 0x1p20 + std::floor(s.uniform(0, 16));
                  });
                }},
      family<T>{"tiny",
                [](rng& r, row x, row y) {
                  const double scale = std::exp(r.uniform(-80, -2));
                  detail::fill_each(r, x, y, [=](rng& s) { return scale * s.normal(); });
                }},
      family<T>{"subnormal",
                [](rng& r, row x, row y) {
                  detail::fill_each(r, x, y, [](rng& s) {
                    const double steps = std::floor(s.uniform(-1e6, 1e6));
                    return steps * static_cast<double>(limits::denorm_min());
                  });
                }},
      family<T>{"subnormal results",
                [](rng& r, row x, row y) {
                  const double low = static_cast<double>(limits::min_exponent) - limits::digits - 4;
                  detail::fill_each(r, x, y, [=](rng& s) {
                    return s.uniform(low, low + limits::digits + 8) * std::numbers::ln2;
                  });
                  if (!x.empty()) x[r.below(x.size())] = 0;
                  if (!y.empty()) y[r.below(y.size())] = 0;
                }},
      family<T>{"largest subnormal results",
                [](rng& r, row x, row y) {
                  const double most =
                      static_cast<double>(limits::min_exponent - 1) * std::numbers::ln2;
                  for (const row& target : {x, y}) {
                    if (target.empty()) continue;
                    target[0] = 0;
                    const double other = target.size() > 1 ? r.uniform(-5, 0) : -1000;
                    const double sum = 1 + std::exp(other);
                    for (std::size_t i = 2; i < target.size(); ++i) {
                      target[i] = static_cast<T>(most + std::log(sum) - r.uniform(0, 0.1));
                    }
                    if (target.size() > 1) target[1] = static_cast<T>(other);
                  }
                }},
      family<T>{"below all numbers",  // many weights that count, of which none would alone
                [](rng& r, row x, row y) {
                  const double least = static_cast<double>(limits::min_exponent - limits::digits) *
                                       std::numbers::ln2;
                  detail::fill_each(r, x, y, [=](rng& s) { return least - s.uniform(0.8, 12); });
                  if (!x.empty()) x[r.below(x.size())] = 0;
                  if (!y.empty()) y[r.below(y.size())] = 0;
                }},
      family<T>{"last digits",  // of the sum of all weights but the largest
                [](rng& r, row x, row y) {
                  const double digits = limits::digits * std::numbers::ln2;
                  for (const row& target : {x, y}) {
                    const double largest =
                        r.uniform() < 0.5 ? 0 : r.uniform(-1, 1) * std::exp(r.uniform(-15, 1));
                    const double second = largest - r.uniform(0, 12);
                    for (T& value : target) {
                      value = static_cast<T>(second - digits + r.uniform(-0.7, 0.4));
                    }
                    if (target.empty()) continue;
                    target[r.below(target.size())] = static_cast<T>(second);
                    target[r.below(target.size())] = static_cast<T>(largest);
                  }
                }},
      family<T>{"masks",
                [](rng& r, row x, row y) {
                  detail::normal(r, x, y, 4);
                  for (std::size_t i = 0; i < x.size(); ++i) {
                    if (r.uniform() < 0.4) {
                      x[i] = -limits::infinity();
                      if (r.uniform() < 0.5) y[i] = -limits::infinity();
                    }
                  }
                  if (!x.empty()) {
                    const std::size_t kept = r.below(x.size());
                    x[kept] = 1;
                    y[kept] = 2;
                  }
                }},
      family<T>{"pair 1e-1", [](rng& r, row x, row y) { detail::nearby_logits(r, x, y, 1e-1); }},
      family<T>{"pair 1e-3", [](rng& r, row x, row y) { detail::nearby_logits(r, x, y, 1e-3); }},
      family<T>{"pair 1e-5", [](rng& r, row x, row y) { detail::nearby_logits(r, x, y, 1e-5); }},
      family<T>{"pair 1e-7", [](rng& r, row x, row y) { detail::nearby_logits(r, x, y, 1e-7); }},
      family<T>{"pair shifted",
                [](rng& r, row x, row y) {
                  const double shift = r.uniform(-50, 50);
                  for (std::size_t i = 0; i < x.size(); ++i) {
                    x[i] = static_cast<T>(4 * r.normal());
                    y[i] = static_cast<T>(static_cast<double>(x[i]) + shift);
                  }
                }},
      family<T>{"pair shifted exactly",
                [](rng& r, row x, row y) {
                  const double shift = std::floor(r.uniform(-50, 50));
                  for (std::size_t i = 0; i < x.size(); ++i) {
                    x[i] = static_cast<T>(std::floor(r.uniform(-512, 512)) / 64);
                    y[i] = static_cast<T>(static_cast<double>(x[i]) + shift);
                  }
                }},
      family<T>{"pair equal",
                [](rng& r, row x, row y) {
                  for (std::size_t i = 0; i < x.size(); ++i) {
                    x[i] = static_cast<T>(8 * r.normal());
                    y[i] = x[i];
                  }
                }},
  };
  return table;
}

template <class T>
std::span<const family<T>> distribution_families() {
  using row = std::span<T>;
  using limits = std::numeric_limits<T>;
  using rng = random_source;
  static const std::array table{
      family<T>{"dirichlet 1",
                [](rng& r, row p, row q) {
                  dirichlet(r, p, 1);
                  dirichlet(r, q, 1);
                }},
      family<T>{"dirichlet 0.03",
                [](rng& r, row p, row q) {
                  dirichlet(r, p, 0.03);
                  dirichlet(r, q, 0.03);
                }},
      family<T>{"dirichlet 0.3",
                [](rng& r, row p, row q) {
                  dirichlet(r, p, 0.3);
                  dirichlet(r, q, 0.3);
                }},
      family<T>{"dirichlet 100",
                [](rng& r, row p, row q) {
                  dirichlet(r, p, 100);
                  dirichlet(r, q, 100);
                }},
      family<T>{"near 1e-1",
                [](rng& r, row p, row q) { detail::nearby_distributions(r, p, q, 1e-1); }},
      family<T>{"near 1e-2",
                [](rng& r, row p, row q) { detail::nearby_distributions(r, p, q, 1e-2); }},
      family<T>{"near 1e-3",
                [](rng& r, row p, row q) { detail::nearby_distributions(r, p, q, 1e-3); }},
      family<T>{"near 1e-4",
                [](rng& r, row p, row q) { detail::nearby_distributions(r, p, q, 1e-4); }},
      family<T>{"near 1e-5",
                [](rng& r, row p, row q) { detail::nearby_distributions(r, p, q, 1e-5); }},
      family<T>{"near 1e-6",
                [](rng& r, row p, row q) { detail::nearby_distributions(r, p, q, 1e-6); }},
      family<T>{"near 1e-7",
                [](rng& r, row p, row q) { detail::nearby_distributions(r, p, q, 1e-7); }},
      family<T>{"last bits",
                [](rng& r, row p, row q) {
                  dirichlet(r, p, 1);
                  for (std::size_t i = 0; i < q.size(); ++i) {
                    q[i] = p[i];
                    for (std::size_t step = r.below(4); step > 0; --step) {
                      q[i] = std::nextafter(q[i], r.uniform() < 0.5 ? T(0) : T(1));
                    }
                  }
                }},
      family<T>{"equal",
                [](rng& r, row p, row q) {
                  dirichlet(r, p, 1);
                  std::copy(p.begin(), p.end(), q.begin());
                }},
      family<T>{"one-hot",
                [](rng& r, row p, row q) {
                  if (p.empty()) return;
                  const std::size_t hot = r.below(p.size());
                  for (std::size_t i = 0; i < p.size(); ++i) p[i] = i == hot ? T(1) : T(0);
                  dirichlet(r, q, 1);
                }},
      family<T>{"almost one-hot",  // log of numbers just below 1
                [](rng& r, row p, row q) {
                  if (p.empty()) return;
                  const double scale = std::exp(r.uniform(-40, -3));
                  for (const row& target : {p, q}) {
                    std::vector<double> weights(p.size());
                    for (double& weight : weights) weight = scale * r.exponential();
                    weights[r.below(p.size())] = 1;
                    set_distribution(target, weights);
                  }
                }},
      family<T>{"sparse",
                [](rng& r, row p, row q) {
                  if (p.empty()) return;
                  dirichlet(r, q, 1);
                  std::vector<double> weights(p.size());
                  for (double& weight : weights) weight = r.uniform() < 0.1 ? r.exponential() : 0.0;
                  weights[r.below(p.size())] = 1;
                  set_distribution(p, weights);
                }},
      family<T>{"zeros in both",
                [](rng& r, row p, row q) {
                  if (p.empty()) return;
                  std::vector<double> weights(p.size());
                  for (double& weight : weights) weight = r.uniform() < 0.5 ? r.exponential() : 0.0;
                  weights[0] = 1;
                  set_distribution(p, weights);
                  for (double& weight : weights) weight *= r.uniform(0.5, 2);
                  set_distribution(q, weights);
                }},
      family<T>{"tiny",  // sums of subnormal terms
                [](rng& r, row p, row q) {
                  const double most = std::exp2(r.uniform(0, 30));
                  for (std::size_t i = 0; i < p.size(); ++i) {
                    const double steps = std::floor(r.uniform(1, most + 1));
                    p[i] = static_cast<T>(steps * static_cast<double>(limits::denorm_min()));
                    q[i] = r.uniform() < 0.5 ? std::nextafter(p[i], T(1)) : 2 * p[i];
                  }
                }},
      family<T>{"steep",  // probabilities down to the subnormal numbers
                [](rng& r, row p, row q) {
                  const double low = limits::min_exponent - limits::digits - 2;
                  for (const row& target : {p, q}) {
                    std::vector<double> weights(target.size());
                    for (double& weight : weights) weight = std::exp2(r.uniform(low, 0));
                    set_distribution(target, weights);
                    // No zeros: with q = 0 somewhere the divergence is just infinite.
                    for (T& value : target) value = (std::max)(value, limits::denorm_min());
                  }
                }},
  };
  return table;
}

// From the smallest subnormal number to the largest, and both limits. 1e-39 and 1e38 are extreme
// for float alone.
inline constexpr std::array<double, 16> temperatures{
    1,      0.7,
    1.3,    0.01,
    100,    2,
    1e-39,  0x1p-126,
    1e38,   0x1.fffffep127,
    5e-324, 1e-308,
    1e300,  std::numeric_limits<double>::max(),
    0,      std::numeric_limits<double>::infinity()};

// Those among them at which results are ordinary numbers for ordinary logits.
inline constexpr std::array<double, 5> ordinary_temperatures{1, 0.7, 1.3, 0.01, 100};

}  // namespace gibbs_support
