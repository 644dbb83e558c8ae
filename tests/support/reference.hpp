// SPDX-License-Identifier: MIT
// What each primitive must give for one row, computed with MPFR, and the error of a result against
// it. It follows the library's contract, special values included, and shares no code with it.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "registry.hpp"

namespace gibbs_support {

// 256 bits: the hardest cancellation below is p log(p/q) - p + q where p and q are neighbouring
// doubles, which costs 106 of them.
inline constexpr mpfr_prec_t reference_precision = 256;

class real {
 public:
  real() {
    mpfr_init2(value_, reference_precision);
    mpfr_set_zero(value_, 1);
  }
  ~real() { mpfr_clear(value_); }
  real(real&& other) noexcept : real() { mpfr_swap(value_, other.value_); }
  real& operator=(real&& other) noexcept {
    mpfr_swap(value_, other.value_);
    return *this;
  }
  real(const real&) = delete;
  real& operator=(const real&) = delete;

  operator mpfr_ptr() { return value_; }
  operator mpfr_srcptr() const { return value_; }
  bool is_zero() const { return mpfr_zero_p(value_) != 0; }
  bool is_infinite() const { return mpfr_inf_p(value_) != 0; }

 private:
  mpfr_t value_;
};

// (high + low) * 2^exponent with |high| in [1/2, 1), or 0, or infinite, or NaN: 100 bits, and a
// range that no double needs. Small enough to keep one for each element of a long row.
struct exact {
  double high = 0;
  double low = 0;
  long exponent = 0;

  static exact special(double value) { return {value, 0, 0}; }
  bool is_nan() const { return std::isnan(high); }

  static exact from(mpfr_srcptr x) {
    if (!mpfr_number_p(x) || mpfr_zero_p(x)) return special(mpfr_get_d(x, MPFR_RNDN));
    static thread_local real scaled;
    exact result;
    result.high = mpfr_get_d_2exp(&result.exponent, x, MPFR_RNDN);
    mpfr_mul_2si(scaled, x, -result.exponent, MPFR_RNDN);
    mpfr_sub_d(scaled, scaled, result.high, MPFR_RNDN);
    result.low = mpfr_get_d(scaled, MPFR_RNDN);
    return result;
  }

  double to_double() const {
    if (exponent > 2000) return high * std::numeric_limits<double>::infinity();
    if (exponent < -2000) return 0 * high;
    return std::ldexp(high + low, static_cast<int>(exponent));
  }
};

// The exponent of T's unit in the last place at a value. Below the smallest normal number the unit
// is that of the subnormal numbers.
template <class T>
long ulp_exponent(const exact& value) {
  using limits = std::numeric_limits<T>;
  constexpr long least = limits::min_exponent - limits::digits;
  if (value.high == 0) return least;
  return (std::max)(least, value.exponent - limits::digits);
}

inline double scaled_by_power_of_two(double value, long exponent) {
  return std::ldexp(value, static_cast<int>(std::clamp(exponent, -30000L, 30000L)));
}

// |magnitude| in units in the last place of T at `scale`.
template <class T>
double in_ulps(const exact& magnitude, const exact& scale) {
  return scaled_by_power_of_two(std::abs(magnitude.high),
                                magnitude.exponent - ulp_exponent<T>(scale));
}

// |got - wanted| in units in the last place of T at `scale`; infinite if one is NaN and the other
// is not, or if they are different infinities. An infinity is right where the value itself rounds
// to it, and near that it counts as the next number after the largest.
template <class T>
double error_in_ulps(T got, const exact& wanted, const exact& scale) {
  using limits = std::numeric_limits<T>;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (wanted.is_nan() || std::isnan(got)) return wanted.is_nan() && std::isnan(got) ? 0 : infinity;
  if (std::isinf(wanted.high)) return static_cast<double>(got) == wanted.high ? 0 : infinity;
  if (std::isinf(got)) {
    if (wanted.high == 0 || std::signbit(got) != std::signbit(wanted.high)) return infinity;
    if (wanted.exponent > limits::max_exponent) return 0;
    const double distance =
        1 - scaled_by_power_of_two(std::abs(wanted.high), wanted.exponent - limits::max_exponent);
    return scaled_by_power_of_two(distance, limits::max_exponent - ulp_exponent<T>(scale));
  }
  const double value = static_cast<double>(got);
  const bool incomparable = value != 0 && std::ilogb(value) - wanted.exponent > 200;
  if (wanted.high == 0 || wanted.exponent < -5000 || incomparable) {
    return scaled_by_power_of_two(std::abs(value), -ulp_exponent<T>(scale));
  }
  const double near = scaled_by_power_of_two(value, -wanted.exponent);
  const double difference = std::abs((near - wanted.high) - wanted.low);
  return scaled_by_power_of_two(difference, wanted.exponent - ulp_exponent<T>(scale));
}

template <class T>
double error_in_ulps(T got, const exact& wanted) {
  return error_in_ulps(got, wanted, wanted);
}

template <class T>
struct row_reference {
  std::vector<exact> row;  // where the output is a row
  exact scalar;
  exact scalar_scale;    // the scalar's error is measured in ulp of this
  double allowance = 0;  // in ulp: what the input's own condition allows beyond the bound
};

namespace detail {

// One row of logits: gap = (x - max) / T, weight = exp(gap), and their sum without one maximum.
struct logit_analysis {
  enum class kind { ordinary, empty, has_nan, has_plus_infinity, all_masked };

  kind what = kind::empty;
  std::vector<real> gap;
  std::vector<real> weight;
  real shift;  // max / T
  real rest;
  real sum;
  real log_sum;  // log1p(rest)

  bool ordinary() const { return what == kind::ordinary; }

  template <class T>
  void analyse(std::span<const T> x, double temperature, unsigned long repeats) {
    what = classify(x);
    if (!ordinary()) return;
    while (gap.size() < x.size()) gap.emplace_back();
    while (weight.size() < x.size()) weight.emplace_back();

    const auto largest = std::max_element(x.begin(), x.end());
    const double max = static_cast<double>(*largest);
    const auto where = static_cast<std::size_t>(largest - x.begin());
    divide(shift, max, temperature);
    mpfr_set_zero(rest, 1);
    for (std::size_t i = 0; i < x.size(); ++i) {
      mpfr_set_d(gap[i], static_cast<double>(x[i]), MPFR_RNDN);
      mpfr_sub_d(gap[i], gap[i], max, MPFR_RNDN);
      divide(gap[i], temperature);
      mpfr_exp(weight[i], gap[i], MPFR_RNDN);
      if (i != where) mpfr_add(rest, rest, weight[i], MPFR_RNDN);
    }
    mpfr_mul_ui(rest, rest, repeats, MPFR_RNDN);
    mpfr_add_ui(rest, rest, repeats - 1, MPFR_RNDN);
    mpfr_add_ui(sum, rest, 1, MPFR_RNDN);
    mpfr_log1p(log_sum, rest, MPFR_RNDN);
  }

  static void divide(real& result, double x, double temperature) {
    mpfr_set_d(result, x, MPFR_RNDN);
    divide(result, temperature);
  }

  // x / T with the limits that the contract names: 0 / 0 is 0, -inf / inf is -inf.
  static void divide(real& x, double temperature) {
    if (x.is_zero() || x.is_infinite()) return;
    if (std::isinf(temperature)) {
      mpfr_set_zero(x, 1);
    } else {
      mpfr_div_d(x, x, std::abs(temperature), MPFR_RNDN);  // -0 is 0
    }
  }

 private:
  template <class T>
  static kind classify(std::span<const T> x) {
    if (x.empty()) return kind::empty;
    bool plus_infinity = false;
    bool finite = false;
    for (T value : x) {
      if (std::isnan(value)) return kind::has_nan;
      if (std::isfinite(value)) finite = true;
      if (std::isinf(value) && value > 0) plus_infinity = true;
    }
    if (plus_infinity) return kind::has_plus_infinity;
    return finite ? kind::ordinary : kind::all_masked;
  }
};

}  // namespace detail

// Give it a row with assign(), then ask for the primitives that are wanted: the analysis of the
// logits, which costs the most, is shared between them.
template <class T>
class reference {
 public:
  reference() {
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
  }

  // The ranges must live as long as results are asked for. With repeats the results are those for
  // the row that consists of so many copies of `in`; its label counts from the beginning. So a row
  // of millions costs no more than a short one.
  void assign(const row_arguments<T>& in, unsigned long repeats = 1) {
    in_ = in;
    repeats_ = repeats;
    first_done_ = false;
    second_done_ = false;
  }

  // Where the first row and the temperature are those of before.
  void assign_same_first(const row_arguments<T>& in) {
    in_ = in;
    second_done_ = false;
  }

  const row_reference<T>& operator()(primitive_id id) {
    result_.row.clear();
    result_.scalar = {};
    result_.allowance = 0;
    bool scaled = false;
    switch (id) {
      case primitive_id::softmax:
        softmax();
        break;
      case primitive_id::softmax_with_log_sum_exp:
        softmax();
        log_sum_exp();
        scaled = true;
        break;
      case primitive_id::log_softmax:
        log_softmax();
        break;
      case primitive_id::log_sum_exp:
        log_sum_exp();
        scaled = true;
        break;
      case primitive_id::entropy:
        cross_entropy(in_.first, in_.first);
        break;
      case primitive_id::entropy_from_logits:
        entropy_from_logits();
        break;
      case primitive_id::cross_entropy:
        cross_entropy(in_.first, in_.second);
        break;
      case primitive_id::cross_entropy_of_label:
        cross_entropy_of_label();
        break;
      case primitive_id::cross_entropy_of_target:
        cross_entropy_of_target();
        break;
      case primitive_id::kl_divergence:
        kl_divergence();
        break;
      case primitive_id::kl_divergence_from_logits:
        kl_divergence_from_logits();
        break;
    }
    if (!scaled) result_.scalar_scale = result_.scalar;
    return result_;
  }

 private:
  using analysis = detail::logit_analysis;
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  const analysis& first() {
    if (!first_done_) first_.analyse(in_.first, in_.temperature, repeats_);
    first_done_ = true;
    return first_;
  }
  const analysis& second() {
    if (!second_done_) second_.analyse(in_.second, in_.temperature, repeats_);
    second_done_ = true;
    return second_;
  }

  void set_scalar(double value) { result_.scalar = exact::special(value); }
  void set_scalar(const real& value) { result_.scalar = exact::from(value); }

  void softmax() {
    const analysis& x = first();
    const std::size_t n = in_.first.size();
    if (!x.ordinary()) return result_.row.assign(n, exact::special(nan));
    for (std::size_t i = 0; i < n; ++i) {
      mpfr_div(term_, x.weight[i], x.sum, MPFR_RNDN);
      result_.row.push_back(exact::from(term_));
    }
  }

  void log_softmax() {
    const analysis& x = first();
    const std::size_t n = in_.first.size();
    if (!x.ordinary()) return result_.row.assign(n, exact::special(nan));
    for (std::size_t i = 0; i < n; ++i) {
      mpfr_sub(term_, x.gap[i], x.log_sum, MPFR_RNDN);
      result_.row.push_back(exact::from(term_));
    }
  }

  void log_sum_exp() {
    const analysis& x = first();
    switch (x.what) {
      case analysis::kind::has_nan:
        set_scalar(nan);
        break;
      case analysis::kind::has_plus_infinity:
        set_scalar(infinity);
        break;
      case analysis::kind::empty:
      case analysis::kind::all_masked:
        set_scalar(-infinity);
        break;
      case analysis::kind::ordinary:
        mpfr_add(sum_, x.shift, x.log_sum, MPFR_RNDN);
        set_scalar(sum_);
        result_.scalar_scale =
            exact::from(mpfr_cmpabs(x.shift, x.log_sum) > 0 ? x.shift : x.log_sum);
        return;
    }
    result_.scalar_scale = result_.scalar;
  }

  void entropy_from_logits() {
    const analysis& x = first();
    if (x.what == analysis::kind::empty) return set_scalar(0.0);
    if (!x.ordinary()) return set_scalar(nan);
    mpfr_set_zero(sum_, 1);
    for (std::size_t i = 0; i < in_.first.size(); ++i) {
      if (x.weight[i].is_zero()) continue;
      mpfr_mul(term_, x.weight[i], x.gap[i], MPFR_RNDN);
      mpfr_sub(sum_, sum_, term_, MPFR_RNDN);
    }
    repeat(sum_);
    mpfr_div(sum_, sum_, x.sum, MPFR_RNDN);
    mpfr_add(sum_, sum_, x.log_sum, MPFR_RNDN);
    set_scalar(sum_);
  }

  void cross_entropy_of_label() {
    const analysis& x = first();
    if (!x.ordinary()) return set_scalar(nan);
    mpfr_sub(sum_, x.log_sum, x.gap[static_cast<std::size_t>(in_.label)], MPFR_RNDN);
    set_scalar(sum_);
  }

  void repeat(real& sum) const { mpfr_mul_ui(sum, sum, repeats_, MPFR_RNDN); }

  static bool is_probability(T value) { return value >= 0; }  // false for NaN

  void cross_entropy_of_target() {
    const analysis& x = first();
    if (x.what == analysis::kind::empty) return set_scalar(0.0);
    if (!x.ordinary() || !std::all_of(in_.second.begin(), in_.second.end(), is_probability)) {
      return set_scalar(nan);
    }
    mpfr_set_zero(sum_, 1);
    for (std::size_t i = 0; i < in_.first.size(); ++i) {
      if (in_.second[i] == 0) continue;
      mpfr_sub(term_, x.log_sum, x.gap[i], MPFR_RNDN);
      mpfr_mul_d(term_, term_, static_cast<double>(in_.second[i]), MPFR_RNDN);
      mpfr_add(sum_, sum_, term_, MPFR_RNDN);
    }
    repeat(sum_);
    set_scalar(sum_);
  }

  void cross_entropy(std::span<const T> p, std::span<const T> q) {
    if (!std::all_of(p.begin(), p.end(), is_probability) ||
        !std::all_of(q.begin(), q.end(), is_probability)) {
      return set_scalar(nan);
    }
    mpfr_set_zero(sum_, 1);
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (p[i] == 0) continue;
      mpfr_set_d(term_, static_cast<double>(q[i]), MPFR_RNDN);
      mpfr_log(term_, term_, MPFR_RNDN);
      mpfr_mul_d(term_, term_, static_cast<double>(p[i]), MPFR_RNDN);
      mpfr_sub(sum_, sum_, term_, MPFR_RNDN);
    }
    repeat(sum_);
    set_scalar(sum_);
  }

  void kl_divergence() {
    const std::span<const T> p = in_.first;
    const std::span<const T> q = in_.second;
    if (!std::all_of(p.begin(), p.end(), is_probability) ||
        !std::all_of(q.begin(), q.end(), is_probability)) {
      return set_scalar(nan);
    }
    mpfr_set_zero(sum_, 1);
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double pi = static_cast<double>(p[i]);
      const double qi = static_cast<double>(q[i]);
      if (pi > 0 && qi == 0) return set_scalar(infinity);
      if (pi > 0 && pi != qi) {
        mpfr_set_d(term_, pi, MPFR_RNDN);
        mpfr_div_d(term_, term_, qi, MPFR_RNDN);
        mpfr_log(term_, term_, MPFR_RNDN);
        mpfr_mul_d(term_, term_, pi, MPFR_RNDN);
        mpfr_sub_d(term_, term_, pi, MPFR_RNDN);
        mpfr_add_d(term_, term_, qi, MPFR_RNDN);
        mpfr_add(sum_, sum_, term_, MPFR_RNDN);
      } else if (pi == 0) {
        mpfr_add_d(sum_, sum_, qi, MPFR_RNDN);
      }
    }
    repeat(sum_);
    set_scalar(sum_);
  }

  // delta - 1 + exp(-delta) without cancellation: the series where delta is small.
  void gibbs_term(real& result, const real& delta) {
    if (mpfr_cmpabs_ui(delta, 0) == 0) {
      mpfr_set_zero(result, 1);
    } else if (mpfr_get_exp(delta) > -8) {
      mpfr_neg(result, delta, MPFR_RNDN);
      mpfr_expm1(result, result, MPFR_RNDN);
      mpfr_add(result, result, delta, MPFR_RNDN);
    } else {
      mpfr_set_zero(result, 1);
      mpfr_sqr(power_, delta, MPFR_RNDN);
      mpfr_div_2ui(power_, power_, 1, MPFR_RNDN);
      for (unsigned long k = 3; k < 80; ++k) {
        mpfr_add(result, result, power_, MPFR_RNDN);
        mpfr_mul(power_, power_, delta, MPFR_RNDN);
        mpfr_div_si(power_, power_, -static_cast<long>(k), MPFR_RNDN);
        if (power_.is_zero() ||
            mpfr_get_exp(power_) < mpfr_get_exp(result) - static_cast<long>(reference_precision)) {
          break;
        }
      }
    }
  }

  // log(sum exp(x/T) / sum exp(y/T)). Where x and y are close, by way of their differences.
  void difference_of_normalizers(const analysis& x, const analysis& y) {
    const std::size_t n = in_.first.size();
    bool close = true;
    mpfr_set_zero(normalizer_, 1);
    for (std::size_t i = 0; close && i < n; ++i) {
      const double xi = static_cast<double>(in_.first[i]);
      const double yi = static_cast<double>(in_.second[i]);
      if (std::isinf(xi) || std::isinf(yi)) {
        close = xi == yi;
        continue;
      }
      mpfr_set_d(term_, xi, MPFR_RNDN);
      mpfr_sub_d(term_, term_, yi, MPFR_RNDN);
      if (in_.temperature == 0 && !term_.is_zero()) {
        close = false;
        break;
      }
      analysis::divide(term_, in_.temperature);
      if (mpfr_cmpabs_ui(term_, 1) > 0) {
        // Far from both maxima, it does not count.
        close = mpfr_cmp_si(x.gap[i], -1'000'000) < 0 && mpfr_cmp_si(y.gap[i], -1'000'000) < 0;
        continue;
      }
      mpfr_expm1(term_, term_, MPFR_RNDN);
      mpfr_mul(term_, term_, y.weight[i], MPFR_RNDN);
      mpfr_add(normalizer_, normalizer_, term_, MPFR_RNDN);
    }
    if (close) {
      repeat(normalizer_);
      mpfr_div(normalizer_, normalizer_, y.sum, MPFR_RNDN);
      mpfr_log1p(normalizer_, normalizer_, MPFR_RNDN);
    } else {
      // Differences of gaps are used below, so the shifts are left out here.
      mpfr_sub(normalizer_, x.log_sum, y.log_sum, MPFR_RNDN);
    }
    close_ = close;
  }

  void kl_divergence_from_logits() {
    const std::size_t n = in_.first.size();
    if (n == 0) return set_scalar(0.0);
    const analysis& x = first();
    const analysis& y = second();
    if (!x.ordinary() || !y.ordinary()) return set_scalar(nan);
    difference_of_normalizers(x, y);
    mpfr_set_zero(sum_, 1);
    while (delta_.size() < n) delta_.emplace_back();
    for (std::size_t i = 0; i < n; ++i) {
      mpfr_div(p_, x.weight[i], x.sum, MPFR_RNDN);
      mpfr_div(q_, y.weight[i], y.sum, MPFR_RNDN);
      real& delta = delta_[i];
      const bool p_masked = x.gap[i].is_infinite();
      const bool q_masked = y.gap[i].is_infinite();
      if (p_masked) {
        mpfr_set_zero(delta, 1);
        mpfr_add(sum_, sum_, q_, MPFR_RNDN);
        continue;
      }
      if (q_masked) return set_scalar(infinity);
      if (close_) {
        mpfr_set_d(delta, static_cast<double>(in_.first[i]), MPFR_RNDN);
        mpfr_sub_d(delta, delta, static_cast<double>(in_.second[i]), MPFR_RNDN);
        analysis::divide(delta, in_.temperature);
      } else {
        mpfr_sub(delta, x.gap[i], y.gap[i], MPFR_RNDN);
      }
      mpfr_sub(delta, delta, normalizer_, MPFR_RNDN);
      if (mpfr_cmpabs_ui(delta, 1) <= 0) {
        gibbs_term(term_, delta);
        mpfr_mul(term_, term_, p_, MPFR_RNDN);
      } else {
        // exp(-delta) may be beyond any exponent where p exp(-delta) = q is not.
        mpfr_mul(term_, p_, delta, MPFR_RNDN);
        mpfr_sub(term_, term_, p_, MPFR_RNDN);
        mpfr_add(term_, term_, q_, MPFR_RNDN);
      }
      mpfr_add(sum_, sum_, term_, MPFR_RNDN);
    }
    repeat(sum_);
    set_scalar(sum_);
    result_.allowance = condition_of_kl(x, y);
  }

  // How far relative changes of epsilon in each logit move the result: to first order
  // sum |dKL/dx_i x_i| + |dKL/dy_i y_i|, and beyond it (all that is left where the rows differ by a
  // constant) sum p_i min(h, h^2) with h = epsilon (|x_i| + |y_i|) / T.
  double condition_of_kl(const analysis& x, const analysis& y) {
    if (in_.temperature == 0 || std::isinf(in_.temperature)) return 0;
    constexpr double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
    mpfr_set_zero(condition_, 1);
    for (std::size_t i = 0; i < in_.first.size(); ++i) {
      const double xi = std::abs(static_cast<double>(in_.first[i]));
      const double yi = std::abs(static_cast<double>(in_.second[i]));
      if (std::isinf(yi)) continue;
      mpfr_div(p_, x.weight[i], x.sum, MPFR_RNDN);
      mpfr_div(q_, y.weight[i], y.sum, MPFR_RNDN);
      mpfr_sub(q_, q_, p_, MPFR_RNDN);
      mpfr_mul_d(q_, q_, yi, MPFR_RNDN);
      mpfr_div_d(q_, q_, in_.temperature, MPFR_RNDN);
      mpfr_abs(q_, q_, MPFR_RNDN);
      mpfr_mul_d(q_, q_, epsilon, MPFR_RNDN);
      mpfr_add(condition_, condition_, q_, MPFR_RNDN);
      if (std::isinf(xi)) continue;
      mpfr_sub(q_, delta_[i], sum_, MPFR_RNDN);
      mpfr_mul(q_, q_, p_, MPFR_RNDN);
      mpfr_mul_d(q_, q_, xi, MPFR_RNDN);
      mpfr_div_d(q_, q_, in_.temperature, MPFR_RNDN);
      mpfr_abs(q_, q_, MPFR_RNDN);
      mpfr_mul_d(q_, q_, epsilon, MPFR_RNDN);
      mpfr_add(condition_, condition_, q_, MPFR_RNDN);
      mpfr_set_d(q_, xi, MPFR_RNDN);
      mpfr_add_d(q_, q_, yi, MPFR_RNDN);
      mpfr_div_d(q_, q_, in_.temperature, MPFR_RNDN);
      mpfr_mul_d(q_, q_, epsilon, MPFR_RNDN);
      if (mpfr_cmp_ui(q_, 1) < 0) mpfr_sqr(q_, q_, MPFR_RNDN);
      mpfr_mul(q_, q_, p_, MPFR_RNDN);
      mpfr_add(condition_, condition_, q_, MPFR_RNDN);
    }
    repeat(condition_);
    return in_ulps<T>(exact::from(condition_), result_.scalar);
  }

  row_arguments<T> in_{};
  unsigned long repeats_ = 1;
  row_reference<T> result_;
  analysis first_;
  analysis second_;
  bool first_done_ = false;
  bool second_done_ = false;
  bool close_ = false;
  std::vector<real> delta_;
  real term_, sum_, power_, p_, q_, normalizer_, condition_;
};

// The worst of a result against the reference, and whether it is within what is promised.
struct verdict {
  double error = 0;    // in ulp
  double allowed = 1;  // in ulp
  double largest = 0;  // in ulp: the largest error, whatever is allowed there
  std::size_t index = 0;
  bool in_scalar = false;
  bool good = true;

  // Keeps the worst, measured by what is allowed.
  void take(double new_error, double new_allowed, std::size_t new_index, bool scalar) {
    const bool new_good = new_error <= new_allowed;
    largest = (std::max)(largest, new_error);
    if (new_error * allowed > error * new_allowed || (good && !new_good)) {
      error = new_error;
      allowed = new_allowed;
      index = new_index;
      in_scalar = scalar;
    }
    good = good && new_good;
  }
};

// What accuracy.hpp promises for one element of a row.
template <class T>
double bound_at(const primitive<T>& f, const exact& wanted) {
  const bool is_softmax =
      f.id == primitive_id::softmax || f.id == primitive_id::softmax_with_log_sum_exp;
  const bool subnormal = wanted.exponent < std::numeric_limits<T>::min_exponent;
  return is_softmax && subnormal && wanted.high != 0 ? gibbs::accuracy::softmax_subnormal<T>
                                                     : f.bound;
}

template <class T>
verdict judge(const primitive<T>& f, const row_reference<T>& wanted, std::span<const T> row,
              T scalar) {
  verdict result;
  if (f.writes_row()) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const exact& right = wanted.row[i % wanted.row.size()];  // less than the row where it repeats
      result.take(error_in_ulps(row[i], right), bound_at(f, right), i, false);
    }
  }
  if (f.gives_scalar()) {
    result.take(error_in_ulps(scalar, wanted.scalar, wanted.scalar_scale),
                (std::max)(f.scalar_bound(), wanted.allowance), 0, true);
  }
  return result;
}

}  // namespace gibbs_support
