// SPDX-License-Identifier: MIT
// The kernels that every primitive stands on, over the floats of their domain (all of them or every
// so many) and over random doubles: 2^r - 1, log(x), and the two series that take the place of what
// would cancel. A primitive's own error hides a constant that is wrong in its last digit; here it
// shows.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <gibbs/detail/exp2.hpp>
#include <gibbs/detail/log.hpp>
#include <limits>

#include "inputs.hpp"
#include "reference.hpp"

namespace gibbs_support {

struct kernel_error {
  double worst = 0;
  double at = 0;
  std::uint64_t count = 0;

  void take(double error, double x) {
    ++count;
    if (error > worst || std::isnan(error)) {
      worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
      at = x;
    }
  }
};

// What the kernels are off in fact, with little room: 2^r - 1 in ulp of 1, the others in their own.
// Once over all floats, and once on the fixed samples of the tests, where the worst is less and a
// constant that is wrong in its last digit stands out.
struct kernel_bounds {
  double exp2;  // without a table
  double log;
  double atanh_tail;
  double exp_remainder;
};

inline constexpr bool kernels_have_fma = gibbs::detail::has_fma<gibbs::detail::default_arch>;
inline constexpr bool kernels_have_tables = gibbs::detail::has_look_up<gibbs::detail::default_arch>;
inline constexpr kernel_bounds over_all_floats{kernels_have_fma ? 0.325 : 0.355,
                                               kernels_have_tables ? 1.02 : 0.845, 0.84,
                                               kernels_have_fma ? 1.16 : 1.56};
inline constexpr kernel_bounds over_samples{kernels_have_fma ? 0.305 : 0.325,
                                            kernels_have_tables ? 1.02 : 0.8, 0.84,
                                            kernels_have_fma ? 1.09 : 1.42};

template <class T>
constexpr double most_exp2_error(const kernel_bounds& bounds) {
  return !kernels_have_tables ? bounds.exp2 : std::is_same_v<T, float> ? 0.034 : 0.05;
}

// Rounded to one number; in parts of their own; as they are added up, in two parts.
enum class weight_form { rounded, in_parts, to_be_added };
template <class T, weight_form Form>
inline constexpr double most_weight_error = Form == weight_form::in_parts ? 0.22
                                            : kernels_have_tables
                                                ? (Form == weight_form::rounded ? 0.6 : 0.11)
                                            : kernels_have_fma ? 1.0
                                                               : 1.2;

// The largest |r| that the polynomial is made for.
inline constexpr double largest_fraction = kernels_have_tables ? 0.504 / 16 : 0.504;

namespace detail {

// Calls check(x, kernel(x)) for next() until that returns false, a vector at a time.
template <class T, class Kernel, class Next, class Check>
void run_kernel(Kernel kernel, Next next, Check check) {
  using batch = gibbs::detail::batch<T, gibbs::detail::default_arch>;
  constexpr std::size_t lanes = batch::size;
  alignas(64) T x[lanes];
  alignas(64) T y[lanes];
  for (bool more = true; more;) {
    std::size_t n = 0;
    while (n < lanes && (more = next(x[n]))) ++n;
    std::fill(x + n, x + lanes, T(0.25));
    kernel(batch::load_aligned(x)).store_aligned(y);
    for (std::size_t i = 0; i < n; ++i) check(x[i], y[i]);
  }
}

// Every step-th float from low to high, both positive.
class every_float {
 public:
  every_float(float low, float high, std::uint32_t step, bool negative)
      : bits_(std::bit_cast<std::uint32_t>(low)),
        end_(std::bit_cast<std::uint32_t>(high)),
        step_(step),
        sign_(negative ? 0x80000000u : 0) {}
  bool operator()(float& x) {
    if (bits_ > end_) return false;
    x = std::bit_cast<float>(bits_ | sign_);
    bits_ += step_;
    return true;
  }

 private:
  std::uint32_t bits_;
  std::uint32_t end_;
  std::uint32_t step_;
  std::uint32_t sign_;
};

}  // namespace detail

// |q - (2^r - 1)| in ulp of 1: what is added to an exact power of two's leading 1.
inline kernel_error exp2_error_in_float(std::uint32_t step) {
  kernel_error result;
  for (bool negative : {false, true}) {
    detail::run_kernel<float>(
        [](const auto& r) { return r * gibbs::detail::exp2_slope(r); },
        detail::every_float(0, static_cast<float>(largest_fraction), step, negative),
        [&](float r, float q) {
          // Double has digits to spare: expm1's error is 2^-29 of a float's ulp.
          const double right = std::expm1(static_cast<double>(r) * std::numbers::ln2);
          result.take(std::abs(static_cast<double>(q) - right) * 0x1p23, static_cast<double>(r));
        });
  }
  return result;
}

// In ulp of the weights themselves, 2^(x factor + headroom).
template <class T, weight_form Form>
kernel_error weight_error(std::size_t count) {
  using arch = gibbs::detail::default_arch;
  using batch = gibbs::detail::batch<T, arch>;
  kernel_error result;
  random_source random(4);
  real right;
  real factor;
  // As of a temperature, with a second part.
  mpfr_const_log2(factor, MPFR_RNDN);
  mpfr_ui_div(factor, 1, factor, MPFR_RNDN);
  const T hi = static_cast<T>(mpfr_get_d(factor, MPFR_RNDN));
  mpfr_sub_d(right, factor, static_cast<double>(hi), MPFR_RNDN);
  const T lo = static_cast<T>(mpfr_get_d(right, MPFR_RNDN));
  const gibbs::detail::scaled_exp2<T, arch> exp2({hi, lo}, T(1) / hi, batch(T(0)));
  const auto next = [&](T& x) {
    x = static_cast<T>(random.uniform(-60, 0) * (random.uniform() < 0.5 ? 1 : 0.02));
    return count-- > 0;
  };
  alignas(64) T low[batch::size] = {};
  std::size_t lane = 0;
  detail::run_kernel<T>(
      [&](const batch& x) {
        lane = 0;
        if constexpr (Form == weight_form::in_parts) {
          const auto parts = exp2.in_parts(x);
          parts.lo.store_aligned(low);
          return parts.hi;
        } else if constexpr (Form == weight_form::to_be_added) {
          const auto weight = exp2(x);
          weight.rest().store_aligned(low);
          return weight.s;
        } else {
          return exp2(x).value();
        }
      },
      next,
      [&](T x, T y) {
        mpfr_mul_d(right, factor, static_cast<double>(x), MPFR_RNDN);
        mpfr_exp2(right, right, MPFR_RNDN);
        mpfr_mul_2si(right, right, gibbs::detail::scaled_exp2<T, arch>::headroom, MPFR_RNDN);
        mpfr_sub_d(right, right, static_cast<double>(low[lane++]), MPFR_RNDN);
        result.take(error_in_ulps(y, exact::from(right)), static_cast<double>(x));
      });
  return result;
}

// The logarithm; NaN if the one for normal numbers is another one.
struct log_kernel {
  template <class T, class Arch>
  xsimd::batch<T, Arch> operator()(const xsimd::batch<T, Arch>& x) const {
    using gibbs::detail::log_positive;
    const auto result = log_positive<false>(x);
    const auto differs = gibbs::detail::is_normal(x) & (log_positive<true>(x) != result);
    return xsimd::select(differs, xsimd::batch<T, Arch>(std::numeric_limits<T>::quiet_NaN()),
                         result);
  }
};

// In ulp of the logarithm.
inline kernel_error log_error_in_float(std::uint32_t step) {
  kernel_error result;
  detail::run_kernel<float>(log_kernel(),
                            detail::every_float(std::numeric_limits<float>::denorm_min(),
                                                (std::numeric_limits<float>::max)(), step, false),
                            [&](float x, float y) {
                              const double right = std::log(static_cast<double>(x));
                              if (right == 0) return result.take(y == 0 ? 0 : 1e9, 1);
                              const double ulp = std::ldexp(1.0, std::ilogb(right) - 23);
                              result.take(std::abs(static_cast<double>(y) - right) / ulp,
                                          static_cast<double>(x));
                            });
  return result;
}

inline kernel_error exp2_error_in_double(std::size_t count) {
  kernel_error result;
  random_source random(1);
  real right;
  detail::run_kernel<double>([](const auto& r) { return r * gibbs::detail::exp2_slope(r); },
                             [&](double& r) {
                               r = random.uniform(-largest_fraction, largest_fraction);
                               if (random.uniform() < 0.2)
                                 r = std::ldexp(r, -static_cast<int>(random.below(60)));
                               return count-- > 0;
                             },
                             [&](double r, double q) {
                               mpfr_set_d(right, r, MPFR_RNDN);
                               mpfr_exp2(right, right, MPFR_RNDN);
                               mpfr_sub_ui(right, right, 1, MPFR_RNDN);
                               mpfr_sub_d(right, right, q, MPFR_RNDN);
                               result.take(std::abs(mpfr_get_d(right, MPFR_RNDN)) * 0x1p52, r);
                             });
  return result;
}

inline kernel_error log_error_in_double(std::size_t count) {
  kernel_error result;
  random_source random(2);
  real right;
  detail::run_kernel<double>(
      log_kernel(),
      [&](double& x) {
        const double u = random.uniform();
        if (u < 0.4) {  // near 1, where the logarithm is near 0
          x = 1 + random.uniform(-0.5, 0.5) * std::ldexp(1.0, -static_cast<int>(random.below(52)));
        } else if (u < 0.7) {
          x = random.uniform(0.5, 2);
        } else {  // all exponents, those of subnormal numbers too
          x = std::bit_cast<double>(random.bits() & 0x7fffffffffffffffu);
          if (!std::isfinite(x) || x == 0) x = 3;
        }
        return count-- > 0;
      },
      [&](double x, double y) {
        mpfr_set_d(right, x, MPFR_RNDN);
        mpfr_log(right, right, MPFR_RNDN);
        result.take(error_in_ulps(y, exact::from(right)), x);
      });
  return result;
}

// (2 atanh(s) - 2 s) / s^3 for z = s^2, and (exp(-d) - 1 + d) / d^2: both are short power series.
enum class series { atanh_tail, exp_remainder };

// z from 0 to 0.13, d from -2 to 1.
constexpr double series_end(series which, bool negative) {
  return which == series::atanh_tail ? 0.13 : negative ? 2 : 1;
}

namespace detail {

inline double coefficient(series which, unsigned k) {
  if (which == series::atanh_tail) return 2.0 / (2 * k + 3);
  double result = k % 2 == 0 ? 1 : -1;
  for (unsigned i = 2; i <= k + 2; ++i) result /= i;
  return result;
}

template <series Which>
struct series_kernel {
  template <class Batch>
  Batch operator()(const Batch& x) const {
    if constexpr (Which == series::atanh_tail) {
      return gibbs::detail::atanh_tail(x);
    } else {
      return gibbs::detail::exp_remainder(x);
    }
  }
};

}  // namespace detail

// In ulp of the result.
template <series Which>
kernel_error series_error_in_float(std::uint32_t step) {
  constexpr unsigned terms = 24;
  double coefficients[terms];
  for (unsigned k = 0; k < terms; ++k) coefficients[k] = detail::coefficient(Which, k);
  kernel_error result;
  for (bool negative : {false, true}) {
    if (negative && Which == series::atanh_tail) continue;
    detail::run_kernel<float>(
        detail::series_kernel<Which>{},
        // Below that the result is the constant.
        detail::every_float(0x1p-30f, static_cast<float>(series_end(Which, negative)), step,
                            negative),
        [&](float x, float y) {
          double right = 0;
          for (unsigned k = terms; k-- > 0;) {
            right = right * static_cast<double>(x) + coefficients[k];
          }
          const double ulp = std::ldexp(1.0, std::ilogb(right) - 23);
          result.take(std::abs(static_cast<double>(y) - right) / ulp, static_cast<double>(x));
        });
  }
  return result;
}

template <series Which>
kernel_error series_error_in_double(std::size_t count) {
  kernel_error result;
  random_source random(3);
  real right;
  real next;
  constexpr unsigned terms = 30;
  real coefficients[terms];
  for (unsigned k = 0; k < terms; ++k) {
    mpfr_set_ui(coefficients[k], Which == series::atanh_tail ? 2 : 1, MPFR_RNDN);
    if (Which == series::atanh_tail) {
      mpfr_div_ui(coefficients[k], coefficients[k], 2 * k + 3, MPFR_RNDN);
      continue;
    }
    for (unsigned i = 2; i <= k + 2; ++i) {
      mpfr_div_ui(coefficients[k], coefficients[k], i, MPFR_RNDN);
    }
    if (k % 2 == 1) mpfr_neg(coefficients[k], coefficients[k], MPFR_RNDN);
  }
  detail::run_kernel<double>(
      detail::series_kernel<Which>{},
      [&](double& x) {
        x = random.uniform(Which == series::atanh_tail ? 0 : -series_end(Which, true),
                           series_end(Which, false));
        if (random.uniform() < 0.2) x = std::ldexp(x, -static_cast<int>(random.below(30)));
        return count-- > 0;
      },
      [&](double x, double y) {
        mpfr_set_zero(right, 1);
        for (unsigned k = terms; k-- > 0;) {
          mpfr_mul_d(right, right, x, MPFR_RNDN);
          mpfr_add(right, right, coefficients[k], MPFR_RNDN);
        }
        result.take(error_in_ulps(y, exact::from(right)), x);
      });
  return result;
}

// |ln2_hi + ln2_lo - ln 2| in ulp of ln2_lo; and whether a product of ln2_hi with the exponent of
// any number of the format is exact.
template <class T>
double ln2_error() {
  real ln2;
  mpfr_const_log2(ln2, MPFR_RNDN);
  mpfr_sub_d(ln2, ln2, static_cast<double>(gibbs::detail::ln2_hi<T>), MPFR_RNDN);
  return error_in_ulps(gibbs::detail::ln2_lo<T>, exact::from(ln2));
}

template <class T>
bool ln2_products_are_exact() {
  for (int e = std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits;
       e <= std::numeric_limits<T>::max_exponent; ++e) {
    const T product = gibbs::detail::ln2_hi<T> * static_cast<T>(e);
    if (std::fma(gibbs::detail::ln2_hi<T>, static_cast<T>(e), -product) != 0) return false;
  }
  return true;
}

}  // namespace gibbs_support
