// SPDX-License-Identifier: MIT
// Rows by the thousand, each against the exact result: what `./dev accuracy` prints and what
// test_accuracy.cpp asserts. A row follows from its scenario and its seed, and nothing else.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "inputs.hpp"
#include "reference.hpp"
#include "registry.hpp"

namespace gibbs_support {

enum class heat { ordinary, subnormal, tiny, large, limits, matched };

// A family of rows at a range of temperatures. The families of logits are each taken at ordinary
// temperatures, all of them together at each of the other ranges.
template <class T>
struct scenario {
  std::string name;
  const family<T>* rows;  // null: any of them
  heat temperatures;
  bool logits;
};

template <class T>
std::vector<scenario<T>> scenarios() {
  std::vector<scenario<T>> result;
  for (const family<T>& f : logit_families<T>()) {
    result.push_back({std::string(f.name), &f, heat::ordinary, true});
  }
  result.push_back({"T subnormal", nullptr, heat::subnormal, true});
  result.push_back({"T tiny", nullptr, heat::tiny, true});
  result.push_back({"T large", nullptr, heat::large, true});
  result.push_back({"T at its limits", nullptr, heat::limits, true});
  result.push_back({"T like the logits", nullptr, heat::matched, true});
  for (const family<T>& f : distribution_families<T>()) {
    result.push_back({std::string(f.name), &f, heat::ordinary, false});
  }
  return result;
}

// All that any primitive of the registry takes.
template <class T>
struct survey_row {
  std::vector<T> first;
  std::vector<T> second;
  std::vector<T> target;
  label_type label = 0;
  double temperature = 1;

  row_arguments<T> arguments(const primitive<T>& f) const {
    const bool takes_target = f.input == input_kind::logits_and_target;
    return {.first = first,
            .second = takes_target ? std::span<const T>(target) : std::span<const T>(second),
            .label = label,
            .temperature = temperature};
  }
};

inline std::size_t draw_length(random_source& random) {
  const double u = random.uniform();
  if (u < 0.6) return 1 + random.below(64);
  if (u < 0.9) return 64 + random.below(200);
  return 256 + random.below(1200);
}

template <class T>
double draw_temperature(random_source& random, heat range, std::span<const T> logits) {
  switch (range) {
    case heat::ordinary:
      if (random.uniform() < 0.4) return 1;
      if (random.uniform() < 0.3) return std::exp(random.uniform(-6, 6));
      return ordinary_temperatures[random.below(ordinary_temperatures.size())];
    case heat::subnormal:
      if (random.uniform() < 0.5) return std::ldexp(random.uniform(0.5, 1), -149 + 24);
      return std::ldexp(std::floor(random.uniform(1, 1e6)), -1074);
    case heat::tiny:
      return std::exp(random.uniform(sizeof(T) == 4 ? -90 : -700, -5));
    case heat::large:
      return std::exp(random.uniform(5, sizeof(T) == 4 ? 90 : 709));
    case heat::limits: {
      constexpr std::array ends{0.0,
                                5e-324,
                                0x1p-149,
                                0x1p-126,
                                1e-39,
                                0x1p-1022,
                                1e38,
                                0x1.fffffep127,
                                std::numeric_limits<double>::max(),
                                std::numeric_limits<double>::infinity()};
      return ends[random.below(ends.size())];
    }
    case heat::matched:
      break;
  }
  double magnitude = 0;
  for (T x : logits) {
    if (std::isfinite(x)) magnitude = (std::max)(magnitude, std::abs(static_cast<double>(x)));
  }
  const double t = magnitude * std::exp(random.uniform(-8, 8));
  return std::isfinite(t) ? t : magnitude;
}

template <class T>
survey_row<T> draw_survey_row(const scenario<T>& from, std::uint64_t seed, std::size_t length = 0) {
  // The name goes in as well: families that draw alike would else see the same rows.
  std::uint64_t name = 0xcbf29ce484222325u;  // FNV-1a
  for (char c : from.name) name = (name ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  random_source random(seed ^ name);
  survey_row<T> result;
  const std::size_t n = length > 0 ? length : draw_length(random);
  result.first.resize(n);
  result.second.resize(n);
  result.target.resize(n);
  const auto all = from.logits ? logit_families<T>() : distribution_families<T>();
  const family<T>& rows = from.rows ? *from.rows : all[random.below(all.size())];
  rows.fill(random, result.first, result.second);
  if (!from.logits) return result;
  if (from.temperatures == heat::matched) {
    // At any height of the exponent range.
    constexpr int low = std::numeric_limits<T>::min_exponent;
    constexpr int high = std::numeric_limits<T>::max_exponent;
    const int height = low + static_cast<int>(random.below(static_cast<std::size_t>(high - low)));
    double magnitude = 0;
    for (T x : result.first) {
      if (std::isfinite(x)) magnitude = (std::max)(magnitude, std::abs(static_cast<double>(x)));
    }
    if (magnitude > 0) {
      const int shift = height - std::ilogb(magnitude);
      for (std::vector<T>* row : {&result.first, &result.second}) {
        for (T& x : *row) {
          const T scaled = std::ldexp(x, shift);
          x = std::isinf(scaled) && !std::isinf(x)
                  ? std::copysign((std::numeric_limits<T>::max)(), x)
                  : scaled;
        }
      }
    }
  }
  result.temperature = draw_temperature<T>(random, from.temperatures, result.first);
  dirichlet<T>(random, result.target, random.uniform() < 0.5 ? 1 : 0.1);
  if (random.uniform() < 0.1) {  // products with them are subnormal
    for (T& p : result.target) p = std::ldexp(p, std::numeric_limits<T>::min_exponent - 8);
  }
  // Often the largest logit: that is where a loss is small and digits are lost.
  const auto largest = std::max_element(result.first.begin(), result.first.end());
  result.label = static_cast<label_type>(
      random.uniform() < 0.5 ? static_cast<std::size_t>(largest - result.first.begin())
                             : random.below(n));
  return result;
}

// Other code for the same: scalar code with std::exp, other libraries. `run` is as on_row, and
// gives false where it does not do this.
template <class T>
struct contender {
  std::string_view name;
  bool (*run)(const primitive<T>&, const row_arguments<T>&, std::span<T> out, T& scalar);
};

inline constexpr std::size_t most_contenders = 4;

template <class T>
inline constexpr contender<T> std_contender{
    "std::", [](const primitive<T>& f, const row_arguments<T>& in, std::span<T> out, T& scalar) {
      scalar = f.baseline_on_row(in, out);
      return true;
    }};

// The worst of many rows for one primitive.
struct finding {
  verdict worst;
  std::uint64_t seed = 0;
  std::size_t length = 0;
  double temperature = 1;
  std::array<double, most_contenders> contender_error = {-1, -1, -1,
                                                         -1};  // in ulp; -1: not measured
  std::size_t rows = 0;
  std::size_t failed = 0;

  void add(const finding& other) {
    if (other.rows == 0) return;
    const verdict before = worst;
    worst.take(other.worst.error, other.worst.allowed, other.worst.index, other.worst.in_scalar);
    if (rows == 0 || worst.error != before.error || worst.allowed != before.allowed) {
      worst = other.worst;
      seed = other.seed;
      length = other.length;
      temperature = other.temperature;
    }
    worst.good = before.good && other.worst.good;
    for (std::size_t i = 0; i < most_contenders; ++i) {
      contender_error[i] = (std::max)(contender_error[i], other.contender_error[i]);
    }
    rows += other.rows;
    failed += other.failed;
  }
};

// One row through each of the primitives that take such rows; report(primitive, finding) for each.
template <class T>
class surveyor {
 public:
  template <class Report>
  void measure(const scenario<T>& from, std::uint64_t seed,
               std::span<const contender<T>> contenders, Report report, std::size_t length = 0) {
    const survey_row<T> x = draw_survey_row(from, seed, length);
    bool assigned = false;
    for (const primitive<T>& f : primitives<T>()) {
      if (f.first_is_logits() != from.logits) continue;
      const row_arguments<T> in = x.arguments(f);
      if (assigned) {
        exact_.assign_same_first(in);
      } else {
        exact_.assign(in);
      }
      assigned = true;
      const row_reference<T>& wanted = exact_(f.id);
      out_.assign(f.writes_row() ? x.first.size() : 0, T(0));
      const T scalar = f.on_row(in, out_);
      finding found{.worst = judge<T>(f, wanted, out_, scalar),
                    .seed = seed,
                    .length = x.first.size(),
                    .temperature = x.temperature,
                    .rows = 1};
      found.failed = found.worst.good ? 0 : 1;
      for (std::size_t i = 0; i < contenders.size(); ++i) {
        T other = 0;
        if (!contenders[i].run(f, in, out_, other)) continue;
        found.contender_error[i] = judge<T>(f, wanted, out_, other).largest;
      }
      report(f, found);
    }
  }

 private:
  reference<T> exact_;
  std::vector<T> out_;
};

}  // namespace gibbs_support
