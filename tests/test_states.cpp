// SPDX-License-Identifier: MIT
// Faults that this file catches: a merge that rescales the wrong part, or by a rounded weight; a
// maximum that is counted twice or lost when two are equal; digits that get lost in long chains;
// parts of nothing but -infinity that weigh something; late large elements; NaN that vanishes; a
// result that depends on how the row was cut or in which order its parts were merged; the rest of
// a mean that is dropped; vectors behind a mask that are read.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <gibbs/instantiate.hpp>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "support/check.hpp"
#include "support/survey.hpp"

namespace {

using namespace gibbs_support;

template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T nan_of = std::numeric_limits<T>::quiet_NaN();

template <class T>
using log_sum_state = gibbs::log_sum_exp_state<T>;
template <class T>
using entropy_state = gibbs::entropy_state<T>;

static_assert(std::is_trivially_copyable_v<log_sum_state<float>>);
static_assert(std::is_trivially_copyable_v<log_sum_state<double>>);
static_assert(std::is_trivially_copyable_v<entropy_state<float>>);
static_assert(std::is_trivially_copyable_v<entropy_state<double>>);
static_assert(std::is_trivially_copyable_v<gibbs::weighted_mean_state<double>>);
static_assert(sizeof(log_sum_state<float>) <= 24 && sizeof(log_sum_state<double>) <= 32);

// Lengths of parts: some empty, some single, some long.
std::vector<std::size_t> cut(std::size_t n, random_source& random) {
  std::vector<std::size_t> lengths;
  const double ones = random.uniform();
  for (std::size_t done = 0; done < n;) {
    const std::size_t most = random.uniform() < ones ? 1 : 1 + random.below(n);
    const std::size_t length = random.uniform() < 0.1 ? 0 : (std::min)(most, n - done);
    lengths.push_back(length);
    done += length;
  }
  return lengths;
}

template <class State, class T>
void add_part(State& state, std::span<const T> part, random_source& random) {
  if (random.uniform() < 0.5) {
    state.add(part);
  } else {
    for (T x : part) state.add(x);
  }
}

// Merges any two until one is left: all orders and all trees are possible.
template <class State>
State merge_all(std::vector<State> states, random_source& random) {
  while (states.size() > 1) {
    const std::size_t into = random.below(states.size());
    std::swap(states[into], states.back());
    const State other = states.back();
    states.pop_back();
    states[random.below(states.size())].merge(other);
  }
  return states[0];
}

template <class State, class T>
State in_parts(std::span<const T> row, double temperature, random_source& random) {
  std::vector<State> states{State()};  // neutral, whatever the temperature
  std::size_t done = 0;
  for (std::size_t length : cut(row.size(), random)) {
    if (states.size() == 1 || random.uniform() < 0.7) {
      states.push_back(State({.temperature = temperature}));
    }
    add_part(states.back(), row.subspan(done, length), random);
    done += length;
  }
  return merge_all(states, random);
}

// Against the exact results of the whole row.
template <class T>
class judge_states {
 public:
  void assign(std::span<const T> row, double temperature, std::size_t label = 0) {
    row_ = row;
    temperature_ = temperature;
    label_ = label;
    exact_.assign({.first = row,
                   .second = {},
                   .label = static_cast<label_type>(label),
                   .temperature = temperature});
  }

  template <class Where>
  void log_sum(const log_sum_state<T>& state, const Where& where) {
    const row_reference<T>& wanted = exact_(primitive_id::log_sum_exp);
    const double error = error_in_ulps(state.value(), wanted.scalar, wanted.scalar_scale);
    log_.expect(error <= gibbs::accuracy::log_sum_exp<T>, "log_sum_exp_state ", where, ": ",
                state.value(), " is ", error, " ulp off");
    if (row_.empty()) return;
    const T loss = state.cross_entropy(row_[label_]);
    const exact exact_loss = exact_(primitive_id::cross_entropy_of_label).scalar;
    const double loss_error = error_in_ulps(loss, exact_loss);
    log_.expect(loss_error <= gibbs::accuracy::cross_entropy_from_logits<T>, "cross_entropy ",
                where, ": ", loss, " is ", loss_error, " ulp off");
  }

  template <class Where>
  void entropy(const entropy_state<T>& state, const Where& where) {
    const exact wanted = exact_(primitive_id::entropy_from_logits).scalar;
    const double error = error_in_ulps(state.value(), wanted);
    log_.expect(error <= gibbs::accuracy::entropy_from_logits<T>, "entropy_state ", where, ": ",
                state.value(), " is ", error, " ulp off");
  }

  fault_log& log() { return log_; }

 private:
  fault_log log_;
  reference<T> exact_;
  std::span<const T> row_;
  double temperature_ = 1;
  std::size_t label_ = 0;
};

constexpr std::array<double, 7> some_temperatures{
    1, 0.7, 100, 0x1p-1074, 1e300, 0, infinity<double>};

template <class T>
std::vector<T> special_logits() {
  using limits = std::numeric_limits<T>;
  return {nan_of<T>, infinity<T>, -infinity<T>, (limits::max)(), limits::lowest(), limits::min(),
          T(0),      T(-0.0),     T(1),         T(-1),           T(-87.5),         T(1000)};
}

/// Equal, up to some units of a number of this size where both are finite.
template <class T>
bool close_to(T x, T y, double size) {
  if (!std::isfinite(x) || !std::isfinite(y)) return same_bits(x, y);
  const double units = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());
  return std::abs(static_cast<double>(x) - static_cast<double>(y)) <=
         units * std::max(size, std::abs(static_cast<double>(y))) +
             static_cast<double>(std::numeric_limits<T>::denorm_min());
}

/// The largest logit over T.
template <class T>
double scaled_maximum(const std::vector<T>& row, double temperature) {
  const double largest = *std::max_element(row.begin(), row.end());
  return std::isfinite(largest) && temperature > 0 ? std::abs(largest) / temperature : 0;
}

}  // namespace

TEST_CASE_TEMPLATE("one block is what the one-shot form is", T, float, double) {
  fault_log log;
  for (const scenario<T>& from : scenarios<T>()) {
    if (!from.logits) continue;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const survey_row<T> x = draw_survey_row(from, seed);
      const gibbs::logit_options options{.temperature = x.temperature};
      log_sum_state<T> log_sum(options);
      entropy_state<T> entropy(options);
      log_sum.add(x.first);
      entropy.add(x.first);
      log.expect(close_to(log_sum.value(), gibbs::log_sum_exp(x.first, options),
                          scaled_maximum(x.first, x.temperature)),
                 "log_sum_exp_state ", from.name, " seed ", seed);
      log.expect(close_to(entropy.value(), gibbs::entropy_from_logits(x.first, options), 0),
                 "entropy_state ", from.name, " seed ", seed);
    }
  }
}

TEST_CASE_TEMPLATE("rows cut anywhere and merged in any order, within the bounds", T, float,
                   double) {
  judge_states<T> judge;
  for (const scenario<T>& from : scenarios<T>()) {
    if (!from.logits) continue;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const survey_row<T> x = draw_survey_row(from, seed);
      judge.assign(x.first, x.temperature, static_cast<std::size_t>(x.label));
      for (std::uint64_t order = 0; order < 3; ++order) {
        random_source random(8 * seed + order);
        const std::string where = text(type_name<T>(), " ", from.name, " seed ", seed, " order ",
                                       order, " T = ", x.temperature);
        judge.log_sum(in_parts<log_sum_state<T>, T>(x.first, x.temperature, random), where);
        judge.entropy(in_parts<entropy_state<T>, T>(x.first, x.temperature, random), where);
      }
    }
  }
}

TEST_CASE_TEMPLATE("every way to cut a row of seven, from the left and from the right", T, float,
                   double) {
  judge_states<T> judge;
  const std::vector<T> rows[] = {
      {T(0), T(1), T(2), T(3), T(2.5), T(3), T(-4)},
      {-infinity<T>, -infinity<T>, T(5), -infinity<T>, T(5), T(5), -infinity<T>},
      {T(-30), T(-20), T(-10), T(0), T(10), T(20), T(80)},
      {T(0), T(-40), T(-41), T(-42), T(-40), T(-90), T(-40)},
      {T(7), T(7), T(7), T(7), T(7), T(7), T(7)}};
  for (const auto& row : rows) {
    for (double temperature : some_temperatures) {
      judge.assign(row, temperature, 3);
      for (unsigned cuts = 0; cuts < 64; ++cuts) {
        std::vector<log_sum_state<T>> log_sums;
        std::vector<entropy_state<T>> entropies;
        for (std::size_t begin = 0, end = 1; end <= row.size(); ++end) {
          if (end < row.size() && (cuts >> (end - 1) & 1) == 0) continue;
          const auto part = std::span(row).subspan(begin, end - begin);
          log_sums.push_back(log_sum_state<T>({.temperature = temperature}));
          entropies.push_back(entropy_state<T>({.temperature = temperature}));
          log_sums.back().add(part);
          entropies.back().add(part);
          begin = end;
        }
        log_sum_state<T> left, right;
        entropy_state<T> left_entropy, right_entropy;
        for (std::size_t i = 0; i < log_sums.size(); ++i) {
          left.merge(log_sums[i]);
          right.merge(log_sums[log_sums.size() - 1 - i]);
          left_entropy.merge(entropies[i]);
          right_entropy.merge(entropies[log_sums.size() - 1 - i]);
        }
        const std::string where =
            text(type_name<T>(), " row of ", row[0], " cuts ", cuts, " T = ", temperature);
        judge.log_sum(left, where + " from the left");
        judge.log_sum(right, where + " from the right");
        judge.entropy(left_entropy, where + " from the left");
        judge.entropy(right_entropy, where + " from the right");
      }
    }
  }
}

TEST_CASE_TEMPLATE("long chains of single logits lose no digits", T, float, double) {
  judge_states<T> judge;
  std::vector<T> row(30000);
  const auto judge_row = [&](const char* what) {
    log_sum_state<T> log_sum;
    entropy_state<T> entropy;
    for (T x : row) {
      log_sum.add(x);
      entropy.add(x);
    }
    judge.assign(row, 1, row.size() - 1);
    judge.log_sum(log_sum, what);
    judge.entropy(entropy, what);
  };
  // A new maximum each time, by less and less than a weight's last digit would notice.
  for (double step : {1.0, 1e-2, 1e-4}) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<T>(step * static_cast<double>(i));
    }
    judge_row("ascending");
    std::reverse(row.begin(), row.end());
    judge_row("descending");
  }
  // A sum that is subnormal in the end, from parts that would each be rounded.
  const T low = static_cast<T>((std::numeric_limits<T>::min_exponent - 20) * std::numbers::ln2);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = low + static_cast<T>(i % 5);
  row[0] = 0;
  judge_row("subnormal, maximum first");
  std::swap(row.front(), row.back());
  judge_row("subnormal, maximum last");
}

TEST_CASE("the exponential that merges double states is good to 2^-90") {
  using gibbs::detail::double_double;
  fault_log log;
  random_source random(1);
  real wanted, got;
  for (int i = 0; i < 20000; ++i) {
    const double high = i == 0 ? 0 : std::exp(random.uniform(-40, std::log(740)));
    const double_double d(high, high * random.uniform(-0x1p-54, 0x1p-54));
    const double_double result = gibbs::detail::scaled_exp<gibbs::detail::default_arch>(d);
    mpfr_set_d(wanted, -d.hi, MPFR_RNDN);
    mpfr_sub_d(wanted, wanted, d.lo, MPFR_RNDN);
    mpfr_exp(wanted, wanted, MPFR_RNDN);
    mpfr_mul_d(wanted, wanted, gibbs::detail::sum_unit, MPFR_RNDN);
    mpfr_set_d(got, result.hi, MPFR_RNDN);
    mpfr_add_d(got, got, result.lo, MPFR_RNDN);
    mpfr_sub(got, got, wanted, MPFR_RNDN);
    mpfr_div(got, got, wanted, MPFR_RNDN);
    const double error = std::abs(mpfr_get_d(got, MPFR_RNDN));
    // Beyond 690 the low part is subnormal.
    log.expect(error <= (high < 690 ? 0x1p-90 : 0x1p-60), "scaled_exp of -", high, ": ", error);
  }
}

TEST_CASE_TEMPLATE("special logits, cut between all of them", T, float, double) {
  fault_log log;
  const auto logits = special_logits<T>();
  for (double temperature : some_temperatures) {
    const gibbs::logit_options options{.temperature = temperature};
    for (T a : logits) {
      for (T b : logits) {
        for (T c : logits) {
          const std::vector<T> row{a, b, c};
          log_sum_state<T> log_sums[3]{log_sum_state<T>(options), log_sum_state<T>(options),
                                       log_sum_state<T>(options)};
          entropy_state<T> entropies[3]{entropy_state<T>(options), entropy_state<T>(options),
                                        entropy_state<T>(options)};
          for (std::size_t i = 0; i < 3; ++i) {
            log_sums[i].add(row[i]);
            if (i == 1) {
              entropies[i].add(std::span(row).subspan(i, 1));
            } else {
              entropies[i].add(row[i]);
            }
          }
          log_sums[2].merge(log_sums[0]);
          log_sums[1].merge(log_sums[2]);
          entropies[2].merge(entropies[0]);
          entropies[1].merge(entropies[2]);
          const T whole = gibbs::log_sum_exp(row, options);
          const T merged = log_sums[1].value();
          const T entropy = gibbs::entropy_from_logits(row, options);
          const T merged_entropy = entropies[1].value();
          log.expect(close_to(merged, whole, scaled_maximum(row, temperature)),
                     "log_sum_exp_state ", a, " ", b, " ", c, " T = ", temperature, ": ", merged,
                     " and not ", whole);
          log.expect(close_to(merged_entropy, entropy, 0), "entropy_state ", a, " ", b, " ", c,
                     " T = ", temperature, ": ", merged_entropy, " and not ", entropy);
          for (T label : row) {
            if (std::isnan(label)) {
              log.expect(std::isnan(log_sums[1].cross_entropy(label)), "cross_entropy of NaN");
              continue;
            }
            const T wanted = gibbs::cross_entropy_from_logits(
                row,
                static_cast<std::size_t>(std::find(row.begin(), row.end(), label) - row.begin()),
                options);
            // A NaN is no maximum, so that a logit may be too large for those beside it.
            const T loss = log_sums[1].cross_entropy(label);
            log.expect(close_to(loss, wanted, 0), "cross_entropy ", a, " ", b, " ", c, " label ",
                       label, " T = ", temperature, ": ", loss, " and not ", wanted);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("a state without mass is neutral, and takes over the temperature", T, float,
                   double) {
  const std::vector<T> row{T(1), T(3), T(-2), T(3)};
  const std::vector<T> masked(70, -infinity<T>);
  const gibbs::logit_options cold{.temperature = 0.25};
  log_sum_state<T> full(cold);
  full.add(row);
  entropy_state<T> entropy(cold);
  entropy.add(row);
  for (bool with_mask : {false, true}) {
    log_sum_state<T> nothing;
    entropy_state<T> no_entropy;
    if (with_mask) {
      nothing.add(masked);
      no_entropy.add(masked);
    }
    CHECK(nothing.value() == -infinity<T>);
    CHECK(same_bits(no_entropy.value(), with_mask ? nan_of<T> : T(0)));

    log_sum_state<T> right = full;
    right.merge(nothing);
    nothing.merge(full);
    CHECK(right.value() == full.value());
    CHECK(nothing.value() == full.value());
    entropy_state<T> right_entropy = entropy;
    right_entropy.merge(no_entropy);
    no_entropy.merge(entropy);
    CHECK(right_entropy.value() == entropy.value());
    CHECK(no_entropy.value() == entropy.value());

    nothing.add(T(4));
    right.add(T(4));
    CHECK(nothing.value() == right.value());
  }
}

TEST_CASE_TEMPLATE("a state merged with itself counts twice", T, float, double) {
  log_sum_state<T> state;
  entropy_state<T> entropy;
  for (T x : {T(1), T(2), T(2)}) {
    state.add(x);
    entropy.add(x);
  }
  const T before = state.value();
  const T entropy_before = entropy.value();
  state.merge(state);
  entropy.merge(entropy);
  CHECK(state.value() == doctest::Approx(before + T(std::numbers::ln2)));
  CHECK(entropy.value() == doctest::Approx(entropy_before + T(std::numbers::ln2)));
}

TEST_CASE_TEMPLATE("a state is sent as bytes", T, float, double) {
  log_sum_state<T> state({.temperature = 0.7});
  state.add(std::vector<T>{T(1), T(2), T(-1)});
  std::array<unsigned char, sizeof state> wire{};
  std::memcpy(wire.data(), &state, sizeof state);
  log_sum_state<T> received;
  std::memcpy(&received, wire.data(), sizeof received);
  CHECK(received.value() == state.value());
  received.merge(state);
  CHECK(received.value() == doctest::Approx(state.value() + T(std::numbers::ln2)));
}

TEST_CASE_TEMPLATE("what the states refuse", T, float, double) {
  const auto refused = [](auto call, const char* message) {
    std::string said;
    try {
      call();
    } catch (const std::invalid_argument& error) {
      said = error.what();
    }
    CHECK(said == message);
  };
  refused([] { log_sum_state<T> state({.temperature = -1}); },
          "gibbs::log_sum_exp_state: temperature is -1, it must be 0 or more");
  refused([] { entropy_state<T> state({.temperature = std::nan("")}); },
          "gibbs::entropy_state: temperature is nan, it must be 0 or more");
  log_sum_state<T> warm({.temperature = 2}), cold({.temperature = 0.5});
  entropy_state<T> warm_entropy({.temperature = 2}), cold_entropy({.temperature = 0.5});
  warm.add(T(1));
  cold.add(T(1));
  warm_entropy.add(T(1));
  cold_entropy.add(T(1));
  refused([&] { warm.merge(cold); },
          "gibbs::log_sum_exp_state::merge: the other state's temperature is 0.5, it must be 2");
  refused([&] { warm_entropy.merge(cold_entropy); },
          "gibbs::entropy_state::merge: the other state's temperature is 0.5, it must be 2");
  CHECK(warm.value() == T(0.5));
  refused([&] { warm.cross_entropy(T(1.5)); },
          "gibbs::log_sum_exp_state::cross_entropy: logit is 1.5, the largest so far is 1");

  std::vector<T> memory(4), odd(5), vectors(6);
  refused([&] { gibbs::weighted_mean_state<T> state(memory, {.temperature = -1}); },
          "gibbs::weighted_mean_state: temperature is -1, it must be 0 or more");
  refused([&] { gibbs::weighted_mean_state<T> state(odd); },
          "gibbs::weighted_mean_state: memory has 5 elements, an odd number");
  gibbs::weighted_mean_state<T> state(memory), narrow(std::span<T>(odd).first(2));
  refused(
      [&] {
        state.add(std::vector<T>(2), {vectors.data(), 3, 2});
      },
      "gibbs::weighted_mean_state::add: logits has 2 elements for 3 rows");
  refused(
      [&] {
        state.add(std::vector<T>(2), {vectors.data(), 2, 3});
      },
      "gibbs::weighted_mean_state::add: vectors has 3 columns for a mean of 2");
  refused([&] { state.add(T(1), vectors); },
          "gibbs::weighted_mean_state::add: vectors has 6 columns for a mean of 2");
  refused([&] { state.merge(narrow); },
          "gibbs::weighted_mean_state::merge: the other state's width is 1, it must be 2");
}

TEST_CASE_TEMPLATE("finite logits raise no flags in the states", T, float, double) {
  fault_log log;
  const auto logits = special_logits<T>();
  for (double temperature : some_temperatures) {
    for (T a : logits) {
      for (T b : logits) {
        if (!std::isfinite(a) || !std::isfinite(b)) continue;
        std::array<T, 4> memory{};
        const std::array<T, 2> vector{T(1), T(-2)};
        std::feclearexcept(FE_ALL_EXCEPT);
        const gibbs::logit_options options{.temperature = temperature};
        log_sum_state<T> log_sum(options);
        entropy_state<T> entropy(options), other(options);
        gibbs::weighted_mean_state<T> mean(memory, options);
        log_sum.add(a);
        log_sum.add(b);
        entropy.add(a);
        other.add(b);
        entropy.merge(other);
        mean.add(a, vector);
        mean.add(b, vector);
        const int merged = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
        log.expect(merged == 0, "flags ", type_name<T>(), " ", a, " ", b, " T = ", temperature,
                   ": ", merged);
        // An infinite result may say so.
        const T value = log_sum.value();
        const T e = entropy.value();
        const int flags = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
        log.expect(flags == 0 || !std::isfinite(value), "flags of value ", type_name<T>(), " ", a,
                   " ", b, " T = ", temperature, ": ", flags, " ", value, " ", e);
      }
    }
  }
}

namespace {

// Rows of vectors, some of them large, and the exact mean.
template <class T>
struct vectors {
  std::size_t width;
  std::vector<T> elements;

  vectors(std::span<const T> logits, std::size_t columns, random_source& random) : width(columns) {
    for (T x : logits) {
      const double size = random.uniform() < 0.1 ? 1e6 : 1;
      for (std::size_t j = 0; j < width; ++j) {
        const bool masked = x == -infinity<T>;  // must not be read
        elements.push_back(masked ? nan_of<T> : static_cast<T>(size * random.normal()));
      }
    }
  }
  gibbs::matrix_view<const T> view(std::size_t first, std::size_t count) const {
    return {elements.data() + first * width, count, width};
  }
};

template <class T>
class judge_mean {
 public:
  void assign(std::span<const T> logits, double temperature, const vectors<T>& all) {
    weights_.analyse(logits, temperature, 1);
    logits_ = logits;
    all_ = &all;
  }

  template <class Where>
  void operator()(std::span<const T> mean, const Where& where) {
    constexpr double denormal = static_cast<double>(std::numeric_limits<T>::denorm_min());
    REQUIRE(mean.size() == all_->width);
    for (std::size_t j = 0; j < mean.size(); ++j) {
      if (!weights_.ordinary()) {
        log_.expect(std::isnan(mean[j]), "mean ", where, " is ", mean[j], " and not NaN");
        continue;
      }
      mpfr_set_zero(sum_, 1);
      mpfr_set_zero(scale_, 1);
      double allowance = 0;
      for (std::size_t i = 0; i < logits_.size(); ++i) {
        if (weights_.weight[i].is_zero()) continue;
        const double element = static_cast<double>(all_->elements[i * all_->width + j]);
        mpfr_div(p_, weights_.weight[i], weights_.sum, MPFR_RNDN);
        if (mpfr_cmp_d(p_, static_cast<double>(std::numeric_limits<T>::min())) < 0) {
          allowance += gibbs::accuracy::softmax_subnormal<T> * denormal * std::abs(element);
        }
        mpfr_mul_d(p_, p_, element, MPFR_RNDN);
        mpfr_add(sum_, sum_, p_, MPFR_RNDN);
        mpfr_abs(p_, p_, MPFR_RNDN);
        mpfr_add(scale_, scale_, p_, MPFR_RNDN);
      }
      const exact scale = exact::from(scale_);
      const double error = error_in_ulps(mean[j], exact::from(sum_), scale);
      const double allowed = gibbs::accuracy::weighted_mean<T> +
                             scaled_by_power_of_two(allowance, -ulp_exponent<T>(scale));
      largest = (std::max)(largest, error);
      log_.expect(error <= allowed, "mean ", where, ", element ", j, ": ", mean[j], " is ", error,
                  " ulp off");
    }
  }

  double largest = 0;

 private:
  fault_log log_;
  gibbs_support::detail::logit_analysis weights_;
  std::span<const T> logits_;
  const vectors<T>* all_ = nullptr;
  real sum_;
  real scale_;
  real p_;
};

}  // namespace

TEST_CASE_TEMPLATE("weighted means: whole, one by one, and in parts merged in any order", T, float,
                   double) {
  judge_mean<T> judge;
  for (const scenario<T>& from : scenarios<T>()) {
    if (!from.logits) continue;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const survey_row<T> x = draw_survey_row(from, seed);
      const std::span<const T> logits(x.first);
      random_source random(seed);
      const vectors<T> all(logits, seed % 4 == 0 ? 1 + random.below(40) : 1 + random.below(4),
                           random);
      const gibbs::logit_options options{.temperature = x.temperature};
      const std::string where =
          text(type_name<T>(), " ", from.name, " seed ", seed, " T = ", x.temperature);
      judge.assign(logits, x.temperature, all);

      std::vector<T> memory(2 * all.width);
      gibbs::weighted_mean_state<T> whole(memory, options);
      whole.add(logits, all.view(0, logits.size()));
      judge(whole.mean(), where + ", whole");

      gibbs::weighted_mean_state<T> single(memory, options);
      log_sum_state<T> log_sum(options);
      for (std::size_t i = 0; i < logits.size(); ++i) {
        single.add(logits[i], all.view(i, 1).row(0));
        log_sum.add(logits[i]);
      }
      judge(single.mean(), where + ", one by one");
      CHECK(same_bits(single.log_sum_exp(), log_sum.value()));

      const auto lengths = cut(logits.size(), random);
      std::vector<std::vector<T>> memories(lengths.size() + 1, memory);
      std::vector<gibbs::weighted_mean_state<T>> states;
      states.emplace_back(memories.back());
      for (std::size_t part = 0, done = 0; part < lengths.size(); done += lengths[part++]) {
        states.emplace_back(memories[part], options);
        states.back().add(logits.subspan(done, lengths[part]), all.view(done, lengths[part]));
      }
      judge(merge_all(states, random).mean(), where + ", in parts");
    }
  }
  MESSAGE("largest error of a weighted mean: ", judge.largest, " ulp");
}

TEST_CASE_TEMPLATE("weighted means: special values", T, float, double) {
  const auto mean_of = [](std::vector<T> logits, std::vector<T> elements) {
    std::vector<T> memory(2);
    gibbs::weighted_mean_state<T> state(memory);
    state.add(logits, {elements.data(), logits.size(), 1});
    std::vector<T> other(2);
    gibbs::weighted_mean_state<T> apart(other);
    for (std::size_t i = logits.size(); i-- > 0;) {
      std::vector<T> third(2);
      gibbs::weighted_mean_state<T> one(third);
      one.add(logits[i], std::span(elements).subspan(i, 1));
      apart.merge(one);
    }
    CHECK(same_bits(apart.mean()[0], state.mean()[0]));
    return state.mean()[0];
  };
  CHECK(std::isnan(mean_of({}, {})));
  CHECK(mean_of({T(-700)}, {T(0.1)}) == T(0.1));
  CHECK(mean_of({T(3), T(3)}, {T(1), T(2)}) == T(1.5));
  CHECK(mean_of({-infinity<T>, T(0)}, {nan_of<T>, T(2)}) == 2);
  CHECK(mean_of({T(0), -infinity<T>}, {T(2), infinity<T>}) == 2);
  CHECK(std::isnan(mean_of({-infinity<T>, -infinity<T>}, {T(1), T(1)})));
  CHECK(std::isnan(mean_of({T(0), nan_of<T>}, {T(1), T(1)})));
  CHECK(std::isnan(mean_of({-infinity<T>, nan_of<T>}, {T(1), T(1)})));
  CHECK(std::isnan(mean_of({T(0), infinity<T>}, {T(1), T(1)})));
  CHECK(std::isnan(mean_of({T(0), T(1)}, {T(1), nan_of<T>})));
  CHECK(mean_of({T(0), T(1)}, {T(1), infinity<T>}) == infinity<T>);
  CHECK(std::isnan(mean_of({T(0), T(1)}, {-infinity<T>, infinity<T>})));
}

TEST_CASE_TEMPLATE("weighted means write nothing beside their memory, and the other's stays", T,
                   float, double) {
  for (std::size_t width = 0; width < 3 * widest_vector<T>; ++width) {
    std::vector<T> memory(2 * width + 2, sentinel<T>), other_memory(2 * width), vector(width, T(3));
    gibbs::weighted_mean_state<T> state(std::span<T>(memory).subspan(1, 2 * width));
    gibbs::weighted_mean_state<T> other(other_memory);
    state.add(T(1), vector);
    other.add(T(1), std::vector<T>(width, T(1)));
    const std::vector<T> before = other_memory;
    state.merge(other);
    CHECK(memory.front() == sentinel<T>);
    CHECK(memory.back() == sentinel<T>);
    CHECK(other_memory == before);
    for (T x : state.mean()) CHECK(x == 2);
  }
}
