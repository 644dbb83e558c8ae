// SPDX-License-Identifier: MIT
// Faults that this file catches, without a reference: a result that depends on the order or on a
// shift of the logits, probabilities that do not sum to 1, a divergence that is negative or 0 where
// it must not be, primitives that contradict each other, a temperature that is applied twice or not
// at all, an overload that goes another way.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <gibbs/gibbs.hpp>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

#include "support/check.hpp"
#include "support/sample.hpp"

namespace {

using namespace gibbs_support;

constexpr std::size_t rows_per_family = 40;

// The spacing of T at x.
template <class T>
double ulp(double x) {
  using limits = std::numeric_limits<T>;
  const double magnitude = (std::max)(std::abs(x), static_cast<double>((limits::min)()));
  return std::ldexp(1.0, std::ilogb(magnitude) - limits::digits + 1);
}

template <class T>
bool within(double ulps, T a, T b, double scale) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::abs(static_cast<double>(a) - static_cast<double>(b)) <= ulps * ulp<T>(scale);
}

template <class T>
bool within(double ulps, T a, T b) {
  return within(ulps, a, b, static_cast<double>((std::max)(std::abs(a), std::abs(b))));
}

// Without its own rounding getting in the way, also in double.
template <class Range>
double exact_sum(const Range& values) {
  double sum = 0;
  double rest = 0;
  for (auto value : values) {
    const double x = static_cast<double>(value);
    const double next = sum + x;
    rest += std::abs(sum) >= std::abs(x) ? (sum - next) + x : (x - next) + sum;
    sum = next;
  }
  return sum + rest;
}

template <class T>
std::vector<T> softmax(const std::vector<T>& x, double temperature = 1) {
  std::vector<T> out(x.size());
  gibbs::softmax(x, out, {.temperature = temperature});
  return out;
}

template <class T>
std::vector<T> log_softmax(const std::vector<T>& x, double temperature = 1) {
  std::vector<T> out(x.size());
  gibbs::log_softmax(x, out, {.temperature = temperature});
  return out;
}

// Calls f(x, y, family, seed) for rows of every length up to a few vectors, and some longer.
template <class T, class F>
void for_rows(std::span<const family<T>> families, F f) {
  for (const family<T>& from : families) {
    for (std::size_t seed = 1; seed <= rows_per_family; ++seed) {
      random_source random(seed);
      const std::size_t n = seed % 5 == 0 ? 100 + random.below(900) : 1 + random.below(70);
      std::vector<T> x(n);
      std::vector<T> y(n);
      from.fill(random, x, y);
      f(x, y, from.name, seed);
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("probabilities sum to 1", T, float, double) {
  fault_log log;
  const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
  for_rows<T>(logit_families<T>(), [&](const auto& x, const auto&, auto name, auto seed) {
    for (double temperature : ordinary_temperatures) {
      const std::vector<T> p = softmax(x, temperature);
      const double sum = exact_sum(p);
      log.expect(std::abs(sum - 1) <= gibbs::accuracy::softmax<T> * epsilon, type_name<T>(), " ",
                 name, " seed ", seed, " length ", x.size(), " T = ", temperature, ": sum ", sum);
      log.expect(std::all_of(p.begin(), p.end(), [](T v) { return v >= 0 && v <= 1; }), name,
                 " seed ", seed, ": a probability outside of [0, 1]");
    }
  });
}

TEST_CASE_TEMPLATE("log_softmax is never positive and is the logarithm of softmax", T, float,
                   double) {
  fault_log log;
  for_rows<T>(logit_families<T>(), [&](const auto& x, const auto&, auto name, auto seed) {
    const std::vector<T> p = softmax(x);
    const std::vector<T> log_p = log_softmax(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double l = static_cast<double>(log_p[i]);
      if (std::isinf(l)) {
        log.expect(l < 0 && p[i] == 0, type_name<T>(), " ", name, " seed ", seed, " [", i,
                   "] softmax ", p[i], " log_softmax ", log_p[i]);
        continue;
      }
      const double expected = std::exp(l);
      // A relative error of l is an absolute one of its logarithm.
      const double allowed = gibbs::accuracy::softmax<T> * ulp<T>(expected) +
                             gibbs::accuracy::log_softmax<T> * ulp<T>(l) * expected +
                             4 * std::numeric_limits<double>::epsilon() * expected;
      log.expect(l <= 0 && std::abs(static_cast<double>(p[i]) - expected) <= allowed,
                 type_name<T>(), " ", name, " seed ", seed, " [", i, "] softmax ", p[i],
                 " log_softmax ", log_p[i]);
    }
  });
}

TEST_CASE_TEMPLATE("a shift of all logits changes nothing but log_sum_exp", T, float, double) {
  fault_log log;
  for (std::size_t seed = 1; seed <= 400; ++seed) {
    // Numbers that a shift moves exactly.
    random_source random(seed);
    const std::size_t n = 1 + random.below(150);
    std::vector<T> x(n);
    std::vector<T> shifted(n);
    const T shift = static_cast<T>(std::floor(random.uniform(-2000, 2000)));
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = static_cast<T>(std::floor(random.uniform(-2000, 2000)) / 64);
      shifted[i] = x[i] + shift;
    }
    const std::vector<T> p = softmax(x);
    const std::vector<T> q = softmax(shifted);
    const std::vector<T> log_p = log_softmax(x);
    const std::vector<T> log_q = log_softmax(shifted);
    const auto where = [&] {
      return text(type_name<T>(), " seed ", seed, " length ", n, " shift ", shift, ": ");
    };
    for (std::size_t i = 0; i < n; ++i) {
      log.expect(within(2 * gibbs::accuracy::softmax<T>, p[i], q[i]), where, "softmax ", p[i],
                 " and ", q[i]);
      log.expect(within(2 * gibbs::accuracy::log_softmax<T>, log_p[i], log_q[i]), where,
                 "log_softmax ", log_p[i], " and ", log_q[i]);
    }
    const T h = gibbs::entropy_from_logits(x);
    const T shifted_h = gibbs::entropy_from_logits(shifted);
    log.expect(within(2 * gibbs::accuracy::entropy_from_logits<T>, h, shifted_h), where, "entropy ",
               h, " and ", shifted_h);
    const T loss = gibbs::cross_entropy_from_logits(x, n / 2);
    const T shifted_loss = gibbs::cross_entropy_from_logits(shifted, n / 2);
    log.expect(within(2 * gibbs::accuracy::cross_entropy_from_logits<T>, loss, shifted_loss), where,
               "loss ", loss, " and ", shifted_loss);
    const double moved = static_cast<double>(gibbs::log_sum_exp(shifted)) -
                         static_cast<double>(gibbs::log_sum_exp(x));
    log.expect(std::abs(moved - static_cast<double>(shift)) <=
                   gibbs::accuracy::log_sum_exp<T> * 2 * ulp<T>(4100),
               where, "log_sum_exp moved by ", moved);
  }
}

TEST_CASE_TEMPLATE("the order of the logits does not matter", T, float, double) {
  fault_log log;
  for_rows<T>(logit_families<T>(), [&](const auto& x, const auto& y, auto name, auto seed) {
    const std::size_t n = x.size();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t(0));
    random_source random(seed);
    shuffle<std::size_t>(random, order);
    std::vector<T> moved(n);
    std::vector<T> moved_y(n);
    for (std::size_t i = 0; i < n; ++i) {
      moved[i] = x[order[i]];
      moved_y[i] = y[order[i]];
    }
    const auto where = [&] {
      return text(type_name<T>(), " ", name, " seed ", seed, " length ", n, ": ");
    };
    const std::vector<T> p = softmax(x);
    const std::vector<T> moved_p = softmax(moved);
    const std::vector<T> log_p = log_softmax(x);
    const std::vector<T> moved_log_p = log_softmax(moved);
    for (std::size_t i = 0; i < n; ++i) {
      log.expect(within(2 * gibbs::accuracy::softmax<T>, p[order[i]], moved_p[i]), where,
                 "softmax ", p[order[i]], " and ", moved_p[i]);
      log.expect(within(2 * gibbs::accuracy::log_softmax<T>, log_p[order[i]], moved_log_p[i]),
                 where, "log_softmax ", log_p[order[i]], " and ", moved_log_p[i]);
    }
    const T h = gibbs::entropy_from_logits(x);
    log.expect(
        within(2 * gibbs::accuracy::entropy_from_logits<T>, h, gibbs::entropy_from_logits(moved)),
        where, "entropy ", h, " and ", gibbs::entropy_from_logits(moved));
    const T lse = gibbs::log_sum_exp(x);
    const double largest = static_cast<double>(*std::max_element(x.begin(), x.end()));
    const double scale =
        (std::max)(std::abs(largest), std::abs(static_cast<double>(lse) - largest));
    log.expect(within(2 * gibbs::accuracy::log_sum_exp<T>, lse, gibbs::log_sum_exp(moved), scale),
               where, "log_sum_exp ", lse, " and ", gibbs::log_sum_exp(moved));
  });
}

TEST_CASE_TEMPLATE("temperature: applied once, to all that takes it", T, float, double) {
  fault_log log;
  for_rows<T>(logit_families<T>(), [&](const auto& x, const auto& y, auto name, auto seed) {
    if (name == "subnormal" || name == "subnormal results" || name == "huge") return;
    // Division by a power of two is exact.
    for (double temperature : {0.25, 2.0, 1024.0}) {
      std::vector<T> divided = x;
      std::vector<T> divided_y = y;
      for (T& value : divided) value = static_cast<T>(value / temperature);
      for (T& value : divided_y) value = static_cast<T>(value / temperature);
      const gibbs::logit_options options{.temperature = temperature};
      const auto where = [&] {
        return text(type_name<T>(), " ", name, " seed ", seed, " length ", x.size(),
                    " T = ", temperature, ": ");
      };
      const std::vector<T> p = softmax(x, temperature);
      const std::vector<T> q = softmax(divided);
      const std::vector<T> log_p = log_softmax(x, temperature);
      const std::vector<T> log_q = log_softmax(divided);
      for (std::size_t i = 0; i < x.size(); ++i) {
        log.expect(within(2 * gibbs::accuracy::softmax<T>, p[i], q[i]), where, "softmax ", p[i],
                   " and ", q[i]);
        log.expect(within(2 * gibbs::accuracy::log_softmax<T>, log_p[i], log_q[i]), where,
                   "log_softmax ", log_p[i], " and ", log_q[i]);
      }
      const T h = gibbs::entropy_from_logits(x, options);
      log.expect(within(2 * gibbs::accuracy::entropy_from_logits<T>, h,
                        gibbs::entropy_from_logits(divided)),
                 where, "entropy ", h, " and ", gibbs::entropy_from_logits(divided));
      const std::size_t label = seed % x.size();
      const T loss = gibbs::cross_entropy_from_logits(x, label, options);
      log.expect(within(2 * gibbs::accuracy::cross_entropy_from_logits<T>, loss,
                        gibbs::cross_entropy_from_logits(divided, label)),
                 where, "loss ", loss, " and ", gibbs::cross_entropy_from_logits(divided, label));
      const T lse = gibbs::log_sum_exp(x, options);
      const double largest = static_cast<double>(*std::max_element(divided.begin(), divided.end()));
      const double scale =
          (std::max)(std::abs(largest), std::abs(static_cast<double>(lse) - largest));
      log.expect(
          within(2 * gibbs::accuracy::log_sum_exp<T>, lse, gibbs::log_sum_exp(divided), scale),
          where, "log_sum_exp ", lse, " and ", gibbs::log_sum_exp(divided));
      const T kl = gibbs::kl_divergence_from_logits(x, y, options);
      const T divided_kl = gibbs::kl_divergence_from_logits(divided, divided_y);
      // Its bound depends on the input: the same to a hundredth is what tells T from T^2 and 1.
      const bool near_zero = std::abs(kl) < 1e-3 && std::abs(divided_kl) < 1e-3;
      log.expect(near_zero || within(1, kl, divided_kl) ||
                     std::abs(kl - divided_kl) <= 0.01 * std::abs(kl),
                 where, "KL ", kl, " and ", divided_kl);
    }
  });
}

TEST_CASE_TEMPLATE("softmax_with_log_sum_exp is both at once", T, float, double) {
  fault_log log;
  for_rows<T>(logit_families<T>(), [&](const auto& x, const auto&, auto name, auto seed) {
    for (double temperature : ordinary_temperatures) {
      std::vector<T> out(x.size());
      const T both = gibbs::softmax_with_log_sum_exp(x, out, {.temperature = temperature});
      const T lse = gibbs::log_sum_exp(x, {.temperature = temperature});
      const std::vector<T> p = softmax(x, temperature);
      const auto where = [&] {
        return text(type_name<T>(), " ", name, " seed ", seed, " length ", x.size(),
                    " T = ", temperature, ": ");
      };
      log.expect(same_bits(both, lse), where, "log_sum_exp ", lse, ", with softmax ", both);
      log.expect(std::equal(p.begin(), p.end(), out.begin(), same_bits<T>), where,
                 "other probabilities than softmax");
    }
  });
}

TEST_CASE_TEMPLATE("KL divergence is not negative, and 0 where p == q and only there", T, float,
                   double) {
  fault_log log;
  for_rows<T>(distribution_families<T>(), [&](const auto& p, const auto& q, auto name, auto seed) {
    const T kl = gibbs::kl_divergence(p, q);
    const auto where = [&] {
      return text(type_name<T>(), " ", name, " seed ", seed, " length ", p.size(), ": ");
    };
    log.expect(kl >= 0, where, "KL ", kl);
    log.expect(same_bits(gibbs::kl_divergence(p, p), T(0)), where,
               "KL(p, p) = ", gibbs::kl_divergence(p, p));
    log.expect(same_bits(gibbs::kl_divergence(q, q), T(0)), where,
               "KL(q, q) = ", gibbs::kl_divergence(q, q));
    // One step of one probability is seen, unless its square is too small for any number.
    std::vector<T> r = p;
    const std::size_t at = seed % p.size();
    r[at] = std::nextafter(r[at], T(2));
    const bool visible = p[at] > T(1e-20);
    log.expect(!visible || (gibbs::kl_divergence(p, r) > 0 && gibbs::kl_divergence(r, p) > 0),
               where, "one step of ", p[at], " is not seen");
  });
  for_rows<T>(logit_families<T>(), [&](const auto& x, const auto& y, auto name, auto seed) {
    for (double temperature : ordinary_temperatures) {
      const gibbs::logit_options options{.temperature = temperature};
      const T kl = gibbs::kl_divergence_from_logits(x, y, options);
      const T self = gibbs::kl_divergence_from_logits(x, x, options);
      const auto where = [&] {
        return text(type_name<T>(), " ", name, " seed ", seed, " length ", x.size(),
                    " T = ", temperature, ": ");
      };
      log.expect(kl >= 0, where, "KL from logits ", kl);
      log.expect(same_bits(self, T(0)), where, "KL(x, x) = ", self);
    }
  });
}

TEST_CASE_TEMPLATE("KL = cross-entropy - entropy for distributions", T, float, double) {
  fault_log log;
  for_rows<T>(distribution_families<T>(), [&](const auto& p, const auto& q, auto name, auto seed) {
    const double kl = static_cast<double>(gibbs::kl_divergence(p, q));
    const double ce = static_cast<double>(gibbs::cross_entropy(p, q));
    const double h = static_cast<double>(gibbs::entropy(p));
    const auto where = [&] {
      return text(type_name<T>(), " ", name, " seed ", seed, " length ", p.size(), ": KL ", kl,
                  ", cross-entropy ", ce, ", entropy ", h);
    };
    if (std::isinf(kl) || std::isinf(ce)) {
      log.expect(kl == ce, where);
      return;
    }
    // The sums of p and q are not quite 1, and the divergence has - p + q in it.
    const double expected = ce - h - exact_sum(p) + exact_sum(q);
    const double allowed = gibbs::accuracy::kl_divergence<T> * ulp<T>(kl) +
                           gibbs::accuracy::cross_entropy<T> * ulp<T>(ce) +
                           gibbs::accuracy::entropy<T> * ulp<T>(h) + 1e-15;
    log.expect(std::abs(kl - expected) <= allowed, where);
  });
}

TEST_CASE_TEMPLATE("from logits is what comes of softmax", T, float, double) {
  // Loose: rounding the probabilities costs digits. What is tested is that the two forms mean the
  // same.
  fault_log log;
  const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::size_t seed = 1; seed <= 300; ++seed) {
    random_source random(seed);
    const std::size_t n = 1 + random.below(100);
    std::vector<T> x(n);
    std::vector<T> y(n);
    logit_families<T>()[seed % 2].fill(random, x, y);
    const double temperature = ordinary_temperatures[seed % 3];
    const gibbs::logit_options options{.temperature = temperature};
    const std::vector<T> p = softmax(x, temperature);
    const std::vector<T> q = softmax(y, temperature);
    const auto where = [&] {
      return text(type_name<T>(), " seed ", seed, " length ", n, " T = ", temperature, ": ");
    };
    const auto near = [&](T a, T b) {
      return std::abs(static_cast<double>(a) - static_cast<double>(b)) <=
             200 * epsilon * (1 + std::abs(static_cast<double>(a)));
    };
    log.expect(near(gibbs::entropy(p), gibbs::entropy_from_logits(x, options)), where, "entropy");
    log.expect(near(gibbs::cross_entropy(p, q), gibbs::cross_entropy_from_logits(y, p, options)),
               where, "cross-entropy ", gibbs::cross_entropy(p, q), " and ",
               gibbs::cross_entropy_from_logits(y, p, options));
    log.expect(near(gibbs::kl_divergence(p, q), gibbs::kl_divergence_from_logits(x, y, options)),
               where, "KL ", gibbs::kl_divergence(p, q), " and ",
               gibbs::kl_divergence_from_logits(x, y, options));

    // A label is a target with all its mass in one place, and a loss is a negative log-probability.
    const std::size_t label = random.below(n);
    std::vector<T> one_hot(n, T(0));
    one_hot[label] = 1;
    const T loss = gibbs::cross_entropy_from_logits(x, label, options);
    log.expect(within(2 * gibbs::accuracy::cross_entropy_from_logits<T>, loss,
                      gibbs::cross_entropy_from_logits(x, one_hot, options)),
               where, "loss of a label and of its target differ");
    log.expect(
        within(gibbs::accuracy::cross_entropy_from_logits<T> + gibbs::accuracy::log_softmax<T>,
               loss, -log_softmax(x, temperature)[label]),
        where, "loss and log_softmax differ");
  }
}

TEST_CASE_TEMPLATE("entropy is between 0 and the logarithm of the number of classes", T, float,
                   double) {
  fault_log log;
  for (std::size_t n : sizes{1, 2, 3, 4, 7, 8, 16, 17, 100, 1000, 4096}) {
    const double most = std::log(static_cast<double>(n));
    const std::vector<T> equal(n, T(3));
    const T h = gibbs::entropy_from_logits(equal);
    log.expect(within(gibbs::accuracy::entropy_from_logits<T>, h, static_cast<T>(most)), "uniform ",
               n, ": ", h);
    for (std::size_t seed = 1; seed <= 20; ++seed) {
      random_source random(seed);
      std::vector<T> p(n);
      dirichlet<T>(random, p, 0.5);
      const T value = gibbs::entropy(p);
      log.expect(value >= 0 && static_cast<double>(value) <=
                                   most + gibbs::accuracy::entropy<T> * ulp<T>(most) +
                                       static_cast<double>(std::numeric_limits<T>::epsilon()),
                 type_name<T>(), " entropy of ", n, " classes, seed ", seed, ": ", value);
    }
  }
}

TEST_CASE_TEMPLATE("to_bits", T, float, double) {
  CHECK(gibbs::to_bits(static_cast<T>(std::numbers::ln2)) == 1);
  CHECK(gibbs::to_bits(T(0)) == 0);
  CHECK(gibbs::to_bits(std::numeric_limits<T>::infinity()) == std::numeric_limits<T>::infinity());
  CHECK(std::isnan(gibbs::to_bits(std::numeric_limits<T>::quiet_NaN())));
  CHECK(within(2, gibbs::to_bits(std::log(T(8))), T(3)));
  static_assert(std::is_same_v<decltype(gibbs::to_bits(T(1))), T>);
}

TEST_CASE_TEMPLATE("every kind of range, and one result", T, float, double) {
  std::vector<T> vector{1, 2, 3, 4};
  const std::vector<T> constant = vector;
  std::array<T, 4> array{1, 2, 3, 4};
  const std::array<T, 4> constant_array = array;
  T plain[4] = {1, 2, 3, 4};
  const std::span<const T> span(constant);
  const T expected = gibbs::log_sum_exp(constant);
  CHECK(gibbs::log_sum_exp(vector) == expected);
  CHECK(gibbs::log_sum_exp(array) == expected);
  CHECK(gibbs::log_sum_exp(constant_array) == expected);
  CHECK(gibbs::log_sum_exp(plain) == expected);
  CHECK(gibbs::log_sum_exp(span) == expected);
  CHECK(gibbs::log_sum_exp(std::span<T, 4>(array)) == expected);
  static_assert(std::is_same_v<decltype(gibbs::log_sum_exp(span)), T>);
  static_assert(std::is_same_v<decltype(gibbs::entropy(constant_array)), T>);
  static_assert(std::is_same_v<decltype(gibbs::kl_divergence(array, span)), T>);

  // Output into a temporary view, and different kinds of range in one call.
  std::vector<T> out(4);
  gibbs::softmax(constant, std::span<T>(out));
  gibbs::softmax(plain, array);
  CHECK(std::equal(out.begin(), out.end(), array.begin()));
  gibbs::softmax(span, plain, {.temperature = 1});
  CHECK(std::equal(out.begin(), out.end(), plain));
  CHECK(gibbs::cross_entropy(array, out) == gibbs::entropy(out));
  CHECK(gibbs::kl_divergence(out, std::span<const T>(array)) == 0);

  // matrix_view of what may be written, where reading is asked for.
  std::array<T, 2> results{};
  const gibbs::matrix_view<T> writable(vector.data(), 2, 2);
  gibbs::log_sum_exp(writable, results);
  CHECK(results[0] == gibbs::log_sum_exp(std::span<T>(vector).first(2)));
  gibbs::kl_divergence(writable, gibbs::matrix_view<const T>(writable), results);
  CHECK(results[1] == 0);
  gibbs::softmax(writable, writable);
  CHECK(exact_sum(writable.row(0)) == doctest::Approx(1));
}
