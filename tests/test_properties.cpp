// SPDX-License-Identifier: MIT
// Faults that this file catches: those that no single right value shows. Results that depend on
// where in the row an element stands or on a constant added to all logits; temperature that is not
// a division; a divergence below 0, or 0 for what differs; primitives that contradict each other;
// probabilities above 1, log-probabilities above 0. That rows of a matrix equal single rows bit for
// bit, and that gaps between rows are left alone, is in test_sweep.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "support/check.hpp"
#include "support/sample.hpp"

namespace {

using namespace gibbs_support;

template <class T>
inline constexpr double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());

// |a - b| in units of epsilon times the larger; below the normal numbers, in their units.
template <class T>
double distance(T a, T b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double x = static_cast<double>(a);
  const double y = static_cast<double>(b);
  const double unit = (std::max)(epsilon<T> * (std::max)(std::abs(x), std::abs(y)),
                                 static_cast<double>(std::numeric_limits<T>::denorm_min()));
  const double result = std::abs(x - y) / unit;
  return std::isnan(result) ? std::numeric_limits<double>::infinity() : result;
}

template <class T>
struct answer {
  std::vector<T> row;
  T scalar = 0;
};

template <class T>
answer<T> ask(const primitive<T>& f, const sample<T>& x) {
  answer<T> result;
  result.row.resize(f.writes_row() ? x.first.size() : 0);
  result.scalar = f.on_row(x.arguments(), result.row);
  return result;
}

// Logits with few digits, so that adding small integers and multiplying by powers of two is exact.
template <class T>
void make_short(std::vector<T>& logits) {
  for (T& x : logits) x = std::round(std::clamp(x, T(-512), T(512)) * 64) / 64;
}

// Two results of the same thing may be apart by twice what each may be off. KL from logits is as
// good as its input's condition, for which test_accuracy.cpp has a reference; here, roughly.
template <class T>
double tolerance(const primitive<T>& f) {
  if (f.id == primitive_id::kl_divergence_from_logits) return 1e4;
  return 2 * (f.bound + 1);
}

template <class T>
void expect_same(fault_log& log, const primitive<T>& f, const answer<T>& a, const answer<T>& b,
                 std::span<const std::size_t> order, const char* what, std::uint64_t seed,
                 double scale) {
  for (std::size_t i = 0; i < a.row.size(); ++i) {
    const double d = distance(a.row[i], b.row[order.empty() ? i : order[i]]);
    log.expect(d <= tolerance(f), f.name, " ", type_name<T>(), ", ", what, ", seed ", seed,
               " length ", a.row.size(), ": element ", i, " is ", d, " epsilon off");
  }
  if (!f.gives_scalar()) return;
  // Rows that differ by a constant have a divergence of the order of epsilon squared.
  if (f.id == primitive_id::kl_divergence_from_logits) {
    scale = (std::max)(scale, epsilon<T> * epsilon<T>);
  }
  const double d = static_cast<double>(std::abs(a.scalar - b.scalar)) /
                   (epsilon<T> * (scale + static_cast<double>(std::abs(b.scalar))));
  log.expect(a.scalar == b.scalar || d <= tolerance(f), f.name, " ", type_name<T>(), ", ", what,
             ", seed ", seed, ": ", a.scalar, " and ", b.scalar, ", ", d, " epsilon apart");
}

constexpr std::uint64_t seeds = 120;

}  // namespace

TEST_CASE_TEMPLATE("a constant added to all logits changes nothing", T, float, double) {
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.first_is_logits()) continue;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      random_source random(seed);
      sample<T> x = draw(f, logit_families<T>()[random.below(3)], random, 1 + random.below(150));
      make_short(x.first);
      if (f.second_is_logits()) make_short(x.second);
      const T shift = static_cast<T>(std::floor(random.uniform(-1000, 1000)));
      sample<T> y = x;
      for (T& v : y.first) v += shift;
      if (f.second_is_logits()) {
        for (T& v : y.second) v -= shift;
      }
      answer<T> moved = ask(f, y);
      const bool is_log_sum_exp =
          f.id == primitive_id::log_sum_exp || f.id == primitive_id::softmax_with_log_sum_exp;
      if (is_log_sum_exp) moved.scalar -= shift;
      const bool is_divergence = f.id == primitive_id::kl_divergence_from_logits;
      expect_same<T>(log, f, ask(f, x), moved, {}, "shifted", seed,
                     is_log_sum_exp  ? static_cast<double>(std::abs(shift))
                     : is_divergence ? 1
                                     : 0);
    }
  }
}

TEST_CASE_TEMPLATE("the order of the elements changes nothing", T, float, double) {
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      random_source random(seed);
      const std::size_t n = 1 + random.below(200);
      const sample<T> x = draw_ordinary(f, random, n);
      std::vector<std::size_t> order(n);
      std::iota(order.begin(), order.end(), std::size_t(0));
      shuffle<std::size_t>(random, order);
      // Element i goes to order[i].
      sample<T> y = x;
      for (std::size_t i = 0; i < n; ++i) {
        y.first[order[i]] = x.first[i];
        y.second[order[i]] = x.second[i];
      }
      y.label = static_cast<label_type>(order[static_cast<std::size_t>(x.label)]);
      const bool is_log_sum_exp =
          f.id == primitive_id::log_sum_exp || f.id == primitive_id::softmax_with_log_sum_exp;
      expect_same<T>(log, f, ask(f, x), ask(f, y), order, "permuted", seed,
                     is_log_sum_exp ? 10 : 0);
    }
  }
}

TEST_CASE_TEMPLATE("temperature divides the logits", T, float, double) {
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.uses_temperature) continue;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      random_source random(seed);
      sample<T> x = draw_ordinary(f, random, 1 + random.below(150));
      const int exponent = static_cast<int>(random.below(200)) - 100;
      sample<T> y = x;
      for (T& v : y.first) v = std::ldexp(v, exponent);
      if (f.second_is_logits()) {
        for (T& v : y.second) v = std::ldexp(v, exponent);
      }
      y.temperature = std::ldexp(1.0, exponent);
      const bool is_log_sum_exp =
          f.id == primitive_id::log_sum_exp || f.id == primitive_id::softmax_with_log_sum_exp;
      expect_same<T>(log, f, ask(f, x), ask(f, y), {}, "scaled with the temperature", seed,
                     is_log_sum_exp ? 10 : 0);
    }
  }
}

TEST_CASE_TEMPLATE("probabilities are between 0 and 1 and their sum is 1", T, float, double) {
  fault_log log;
  const primitive<T>& softmax = primitive_of<T>(primitive_id::softmax);
  const primitive<T>& log_softmax = primitive_of<T>(primitive_id::log_softmax);
  for (const family<T>& from : logit_families<T>()) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      random_source random(seed);
      const sample<T> x = draw(softmax, from, random, 1 + random.below(300),
                               ordinary_temperatures[random.below(ordinary_temperatures.size())]);
      long double sum = 0;
      bool in_range = true;
      for (T p : ask(softmax, x).row) {
        sum += static_cast<long double>(p);
        in_range = in_range && p >= 0 && p <= 1;
      }
      const double off = std::abs(static_cast<double>(sum - 1));
      const double allowed = gibbs::accuracy::softmax<T> * epsilon<T> + 1e-15;
      log.expect(in_range && off <= allowed, "softmax ", type_name<T>(), " family ", from.name,
                 " seed ", seed, " T = ", x.temperature, ": the sum is off by ", off,
                 in_range ? "" : ", or one is not in [0, 1]");

      double log_sum = 0;
      double weighted = 0;
      in_range = true;
      for (T l : ask(log_softmax, x).row) {
        const double p = std::exp(static_cast<double>(l));
        log_sum += p;
        if (p > 0) weighted -= p * static_cast<double>(l);
        in_range = in_range && l <= 0;
      }
      const double log_off = std::abs(log_sum - 1);
      log.expect(in_range && log_off <= 3 * epsilon<T> * weighted + 1e-14, "log_softmax ",
                 type_name<T>(), " family ", from.name, " seed ", seed, " T = ", x.temperature,
                 ": the sum is off by ", log_off, in_range ? "" : ", or one is above 0");
    }
  }
}

TEST_CASE_TEMPLATE("equal logits get equal probabilities, wherever they stand", T, float, double) {
  fault_log log;
  for (primitive_id id : {primitive_id::softmax, primitive_id::log_softmax}) {
    const primitive<T>& f = primitive_of<T>(id);
    for (std::size_t n = 2; n < 6 * widest_vector<T>; ++n) {
      for (double temperature : {1.0, 0.7, 1e-3}) {
        sample<T> x;
        random_source random(n);
        for (std::size_t i = 0; i < n; ++i) {
          x.first.push_back(static_cast<T>(std::floor(random.uniform(0, 3)) * 1.1));
        }
        x.temperature = temperature;
        const answer<T> out = ask(f, x);
        for (std::size_t i = 1; i < n; ++i) {
          const auto same = std::find(x.first.begin(), x.first.end(), x.first[i]) - x.first.begin();
          log.expect(out.row[i] == out.row[static_cast<std::size_t>(same)], f.name, " ",
                     type_name<T>(), " length ", n, " T = ", temperature, ": elements ", same,
                     " and ", i);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("softmax_with_log_sum_exp is softmax and log_sum_exp", T, float, double) {
  fault_log log;
  for (const family<T>& from : logit_families<T>()) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      random_source random(seed);
      const primitive<T>& both = primitive_of<T>(primitive_id::softmax_with_log_sum_exp);
      const sample<T> x = draw(both, from, random, random.below(200),
                               temperatures[random.below(temperatures.size())]);
      const answer<T> a = ask(both, x);
      const answer<T> b = ask(primitive_of<T>(primitive_id::softmax), x);
      const answer<T> c = ask(primitive_of<T>(primitive_id::log_sum_exp), x);
      // The sum is the same, not always in the same order.
      const double largest =
          x.first.empty() ? 0 : *std::max_element(x.first.begin(), x.first.end()) / x.temperature;
      const double size = std::max(std::abs(largest), std::abs(static_cast<double>(c.scalar)));
      const bool close = std::abs(static_cast<double>(a.scalar) - static_cast<double>(c.scalar)) <=
                         2 * static_cast<double>(std::numeric_limits<T>::epsilon()) * size;
      log.expect(std::equal(a.row.begin(), a.row.end(), b.row.begin(), same_bits<T>) &&
                     (same_bits(a.scalar, c.scalar) || close),
                 type_name<T>(), " family ", from.name, " seed ", seed, " length ", x.first.size(),
                 " T = ", x.temperature, ": ", a.scalar, " and ", c.scalar);
    }
  }
}

TEST_CASE_TEMPLATE("a divergence is never below 0, and 0 only for what is equal", T, float,
                   double) {
  using limits = std::numeric_limits<T>;
  fault_log log;
  for (primitive_id id : {primitive_id::kl_divergence, primitive_id::kl_divergence_from_logits}) {
    const primitive<T>& f = primitive_of<T>(id);
    for (const family<T>& from : families_of(f)) {
      for (std::uint64_t seed = 0; seed < 100; ++seed) {
        random_source random(seed);
        sample<T> x = draw(f, from, random, 1 + random.below(100));
        const auto where = [&] {
          return text(f.name, " ", type_name<T>(), " family ", from.name, " seed ", seed,
                      " length ", x.first.size(), ": ");
        };
        const T forth = ask(f, x).scalar;
        std::swap(x.first, x.second);
        const T back = ask(f, x).scalar;
        log.expect(forth >= 0 && back >= 0, where, forth, " and back ", back);
        x.second = x.first;
        const T same = ask(f, x).scalar;
        log.expect(same == 0, where, same, " for what is equal");

        // One element moved by its last digit.
        if (f.first_is_logits()) continue;
        const std::size_t at = random.below(x.first.size());
        const T p = x.first[at];
        const T q = std::nextafter(p, T(2));
        x.second[at] = q;
        const T moved = ask(f, x).scalar;
        const double d = static_cast<double>(q - p);
        const double wanted = d * d / 2 / static_cast<double>(p);
        if (p < limits::min() || wanted < static_cast<double>(limits::denorm_min())) continue;
        log.expect(moved > 0, where, moved, " where element ", at, " differs by one ulp");
      }
    }
  }
}

TEST_CASE_TEMPLATE("KL is cross-entropy minus entropy", T, float, double) {
  fault_log log;
  for (const family<T>& from : distribution_families<T>()) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      random_source random(seed);
      const sample<T> x =
          draw(primitive_of<T>(primitive_id::kl_divergence), from, random, 1 + random.below(100));
      const double divergence =
          static_cast<double>(ask(primitive_of<T>(primitive_id::kl_divergence), x).scalar);
      const double cross =
          static_cast<double>(ask(primitive_of<T>(primitive_id::cross_entropy), x).scalar);
      const double entropy =
          static_cast<double>(ask(primitive_of<T>(primitive_id::entropy), x).scalar);
      // Rounded numbers do not add up to 1 exactly.
      double excess = 0;
      for (T v : x.first) excess -= static_cast<double>(v);
      for (T v : x.second) excess += static_cast<double>(v);
      const double other = cross - entropy + excess;
      const double allowed = 4 * epsilon<T> * (cross + entropy + divergence) + 1e-15;
      log.expect(divergence == other || std::abs(divergence - other) <= allowed, type_name<T>(),
                 " family ", from.name, " seed ", seed, ": ", divergence, " and ", other);
    }
  }
}

TEST_CASE_TEMPLATE("primitives agree with each other", T, float, double) {
  fault_log log;
  const auto scalar = [](primitive_id id, const sample<T>& x) {
    return static_cast<double>(ask(primitive_of<T>(id), x).scalar);
  };
  for (std::size_t which : sizes{0, 1, 2, 6}) {
    const family<T>& from = logit_families<T>()[which];
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      random_source random(seed);
      const std::size_t n = 1 + random.below(150);
      sample<T> x =
          draw(primitive_of<T>(primitive_id::cross_entropy_of_label), from, random, n, 0.7);
      const auto where = [&] {
        return text(type_name<T>(), " family ", from.name, " seed ", seed, " length ", n, ": ");
      };
      const auto label = static_cast<std::size_t>(x.label);
      const std::vector<T> p = ask(primitive_of<T>(primitive_id::softmax), x).row;
      const std::vector<T> log_p = ask(primitive_of<T>(primitive_id::log_softmax), x).row;
      const T loss = ask(primitive_of<T>(primitive_id::cross_entropy_of_label), x).scalar;
      log.expect(distance(loss, -log_p[label]) <= 8, where, "loss ", loss, ", log_softmax ",
                 log_p[label]);
      sample<T> one_hot = x;
      one_hot.second.assign(n, T(0));
      one_hot.second[label] = 1;
      const T one_hot_loss =
          ask(primitive_of<T>(primitive_id::cross_entropy_of_target), one_hot).scalar;
      log.expect(distance(loss, one_hot_loss) <= 9, where, "loss ", loss,
                 ", of the one-hot target ", one_hot_loss);

      // Entropy, by way of the probabilities, whose errors count with log p.
      const double entropy = scalar(primitive_id::entropy_from_logits, x);
      sample<T> probabilities;
      probabilities.first = p;
      probabilities.second = p;
      const double entropy_of_p = scalar(primitive_id::entropy, probabilities);
      const double allowed = 12 * epsilon<T> * (entropy + 1);
      log.expect(std::abs(entropy - entropy_of_p) <= allowed, where, "entropy ", entropy, " and ",
                 entropy_of_p);
      log.expect(entropy >= 0 && entropy <= std::log(static_cast<double>(n)) + allowed, where,
                 "entropy ", entropy);
      // Of itself, cross-entropy is entropy; the target is rounded.
      sample<T> itself = x;
      itself.second = p;
      const double cross = scalar(primitive_id::cross_entropy_of_target, itself);
      log.expect(std::abs(entropy - cross) <= allowed, where, "entropy ", entropy,
                 ", cross-entropy ", cross);
    }
  }
}

TEST_CASE_TEMPLATE("uniform rows", T, float, double) {
  fault_log log;
  for (std::size_t n = 1; n <= 6 * widest_vector<T>; ++n) {
    sample<T> x;
    x.first.assign(n, T(-7.3));
    x.second.assign(n, T(3.1));
    const T log_n = static_cast<T>(std::log(static_cast<double>(n)));
    log.expect(
        distance(ask(primitive_of<T>(primitive_id::entropy_from_logits), x).scalar, log_n) <= 4,
        "entropy_from_logits length ", n);
    log.expect(
        distance(ask(primitive_of<T>(primitive_id::cross_entropy_of_label), x).scalar, log_n) <= 4,
        "cross_entropy_from_logits length ", n);
    const T share = T(1) / static_cast<T>(n);
    for (T p : ask(primitive_of<T>(primitive_id::softmax), x).row) {
      log.expect(distance(p, share) <= 4, "softmax length ", n, ": ", p);
    }
  }
}
