// SPDX-License-Identifier: MIT
// Faults that this file catches: digits that are lost. A constant that is wrong in its last digit,
// the low part of a product or a constant that is dropped, x - max where it rounds, the maximum
// left in the sum that log1p takes, sums whose error grows with the row, p log(p/q) that cancels,
// overflow and underflow on the way. The bounds are those that gibbs/accuracy.hpp promises; the
// rows are the same in each run.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "support/check.hpp"
#include "support/kernels.hpp"
#include "support/sample.hpp"
#include "support/survey.hpp"

namespace {

using namespace gibbs_support;

constexpr std::uint64_t rows_of_each = 40;

// kl_divergence_from_logits of rows that are so many copies of x and y.
template <class T>
class kl_measurement {
 public:
  double error_of(const std::vector<T>& x, const std::vector<T>& y, double temperature = 1,
                  std::size_t copies = 1) {
    exact_result_.assign({.first = x, .second = y, .temperature = temperature}, copies);
    wanted_ = &exact_result_(primitive_id::kl_divergence_from_logits);
    std::vector<T> p;
    std::vector<T> q;
    for (std::size_t i = 0; i < copies; ++i) {
      p.insert(p.end(), x.begin(), x.end());
      q.insert(q.end(), y.begin(), y.end());
    }
    const T result = gibbs::kl_divergence_from_logits(p, q, {.temperature = temperature});
    return error_in_ulps(result, wanted_->scalar);
  }
  // Of the row measured last.
  double allowance() const { return wanted_->allowance; }
  double allowed() const {
    return (std::max)(gibbs::accuracy::kl_divergence_from_logits<T>, allowance());
  }
  double size_in_ulps() const { return error_in_ulps(T(0), wanted_->scalar); }

 private:
  reference<T> exact_result_;
  const row_reference<T>* wanted_ = nullptr;
};

// Where there are too many rows for MPFR.
using precise = long double;

exact exact_from(precise x) {
  real result;
  mpfr_set_ld(result, x, MPFR_RNDN);
  return exact::from(result);
}

template <class T>
void expect_within(fault_log& log, std::uint64_t seed, double error, double allowed) {
  log.expect(error <= allowed, "kl_divergence_from_logits ", type_name<T>(), " seed ", seed, ": ",
             error, " ulp, ", allowed, " allowed");
}

}  // namespace

TEST_CASE_TEMPLATE("every primitive, every family, within the promised bounds", T, float, double) {
  fault_log log;
  surveyor<T> measure;
  for (const scenario<T>& from : scenarios<T>()) {
    for (std::uint64_t seed = 1; seed <= rows_of_each; ++seed) {
      measure.measure(from, seed, {}, [&](const primitive<T>& f, const finding& found) {
        log.expect(found.worst.good, f.name, " ", type_name<T>(), " family ", from.name, " seed ",
                   seed, " length ", found.length, " T = ", found.temperature, ": ",
                   found.worst.error, " ulp at ", found.worst.index,
                   found.worst.in_scalar ? " (scalar)" : "", ", promised ", found.worst.allowed);
      });
    }
  }
}

// How far below the maximum results become subnormal depends on the sum of the weights, of which
// more or less may be known before.
TEST_CASE_TEMPLATE("softmax of rows with results at the smallest normal number", T, float, double) {
  fault_log log;
  const primitive<T>& f = primitive_of<T>(primitive_id::softmax);
  reference<T> exact_result;
  std::size_t seen = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    random_source random(seed);
    const std::size_t n = 2 + random.below(seed % 2 == 0 ? 200 : 4000);
    const double temperature = random.below(2) == 0 ? 1 : 0.3;
    const double octave = std::log(2.0) * temperature;
    const std::size_t maxima = 1 + random.below(n - 1);
    const double distance = std::array{0.0, 0.99, 3.99, 16.99, 40.0}[random.below(5)];
    const double sum = 1 + static_cast<double>(maxima - 1) * std::exp2(-distance);
    const double top = random.uniform(-3, 3);
    std::vector<T> x(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double octaves =
          i == 0 ? 0
          : i < maxima
              ? distance
              : -random.uniform(-3, 3) + 1 - std::numeric_limits<T>::min_exponent - std::log2(sum);
      x[i] = static_cast<T>(top - octaves * octave);
    }
    std::vector<T> out(n);
    const row_arguments<T> in{.first = x, .temperature = temperature};
    exact_result.assign(in);
    const row_reference<T>& wanted = exact_result(f.id);
    f.on_row(in, out);
    for (T share : out) seen += share < (std::numeric_limits<T>::min)() && share > 0 ? 1U : 0U;
    const verdict v = judge<T>(f, wanted, out, T(0));
    log.expect(v.good, "softmax ", type_name<T>(), " seed ", seed, " length ", n, ": ", v.error,
               " ulp at ", v.index, ", promised ", v.allowed);
  }
  CHECK(seen > 20000);
}

// n equal logits have n equal weights, and 1 / n is as good as the division of the weights by their
// sum is; that of weights that are powers of two is exact. The bounds above have too much room to
// show that.
TEST_CASE_TEMPLATE("equal logits share 1 to half a unit", T, float, double) {
  fault_log log;
  const bool has_fma = gibbs::detail::has_fma<gibbs::detail::default_arch>;
  for (std::size_t n = 1; n < 300; ++n) {
    for (T logit : {T(0), T(-7.3), T(50), T(1.1)}) {
      const double allowed = has_fma && logit == 0 ? 0.51 : 1.3;
      std::vector<T> x(n, logit);
      gibbs::softmax(x, x);
      real share;
      mpfr_set_ui(share, 1, MPFR_RNDN);
      mpfr_div_ui(share, share, n, MPFR_RNDN);
      const double off = error_in_ulps(x[n / 2], exact::from(share));
      log.expect(off <= allowed, "softmax ", type_name<T>(), " of ", n, " times ", logit, ": ", off,
                 " ulp");
    }
  }
}

// One term a row: in a sum of many their errors hide behind each other.
TEST_CASE_TEMPLATE("kl_divergence of single elements", T, float, double) {
  fault_log log;
  random_source random(1);
  reference<T> exact_result;
  constexpr std::size_t n = 30000;
  std::vector<T> p(n), q(n), results(n);
  for (std::size_t i = 0; i < n; ++i) {
    p[i] = static_cast<T>(random.uniform(0.125, 0.25));
    q[i] = static_cast<T>(static_cast<double>(p[i]) * std::exp(random.uniform(-2, 2)));
  }
  gibbs::kl_divergence(gibbs::matrix_view<const T>(p.data(), n, 1),
                       gibbs::matrix_view<const T>(q.data(), n, 1), results);
  for (std::size_t i = 0; i < n; ++i) {
    exact_result.assign({.first = {&p[i], 1}, .second = {&q[i], 1}});
    const double error =
        error_in_ulps(results[i], exact_result(primitive_id::kl_divergence).scalar);
    log.expect(error <= gibbs::accuracy::kl_divergence<T>, "kl_divergence ", type_name<T>(), " of ",
               p[i], " and ", q[i], ": ", error, " ulp");
  }
}

// The difference of two logits that are far from each other is rounded, and what is left when that
// of the maxima is gone is small. The condition of the input would allow for it.
TEST_CASE_TEMPLATE("kl_divergence_from_logits of rows far from each other", T, float, double) {
  fault_log log;
  kl_measurement<T> measure;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    random_source random(seed);
    const double x = random.uniform(30, 60);
    const double y = random.uniform(-3, 0);
    const std::vector<T> p{static_cast<T>(x), static_cast<T>(x - random.uniform(0.3, 2))};
    const std::vector<T> q{static_cast<T>(y), static_cast<T>(y - random.uniform(0.3, 2))};
    const double error = measure.error_of(p, q);
    expect_within<T>(log, seed, error, gibbs::accuracy::kl_divergence_from_logits<T>);
  }
}

// A probability far below the smallest number counts where q is smaller by orders of magnitude in
// its exponent.
TEST_CASE_TEMPLATE("kl_divergence_from_logits of tiny p and far smaller q", T, float, double) {
  using limits = std::numeric_limits<T>;
  fault_log log;
  kl_measurement<T> measure;
  std::size_t seen = 0;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    random_source random(seed);
    const double t_exponent = random.uniform(limits::min_exponent, limits::max_exponent - 14.0);
    const double temperature = random.below(3) == 0 ? std::exp2(t_exponent) : 1;
    const double t_log2 = std::log2(temperature);
    const auto at = [&](double distance) { return static_cast<T>(-distance * temperature); };
    std::vector<T> p{0};
    std::vector<T> q{0};
    for (std::size_t i = 1 + random.below(3); i > 0; --i) {
      p.push_back(at(random.uniform(20, sizeof(T) == 4 ? 300 : 2500)));
      const double most = limits::max_exponent - 1.0;
      q.push_back(static_cast<T>(-std::exp2((std::min)(t_log2 + random.uniform(0, 40), most))));
      if (random.below(2) == 0) q.back() = static_cast<T>(-std::exp2(random.uniform(t_log2, most)));
    }
    if (random.below(2) == 0) {
      p.push_back(at(random.uniform(0, 3)));
      q.push_back(static_cast<T>(p.back() * (1 + std::exp2(-random.uniform(3, 60)))));
    }
    const double error = measure.error_of(p, q, temperature);
    const double allowed = measure.allowed();
    seen += allowed < 1000 ? 1 : 0;
    expect_within<T>(log, seed, error, allowed);
  }
  CHECK(seen > 3000);
}

// {0, x, x, ...} and {0, y, y, ...}: what is lost in each of the equal elements adds up.
TEST_CASE("kl_divergence_from_logits of many tiny p") {
  const auto error = []<class T>(T x, T y, std::size_t n, double temperature) {
    std::vector<T> p(n + 1, x);
    std::vector<T> q(n + 1, y);
    p[0] = q[0] = 0;
    return kl_measurement<T>().error_of(p, q, temperature);
  };
  CHECK(error(-745.13, -9000.7, 100, 1) <= 8);
  CHECK(error(-753.2, -4590.0, 100, 1) <= 8);
  CHECK(error(-132.05f, -1e9f, 30000, 1) <= 8);
  CHECK(error(-735 * 0x1p-1000, -12345678.90123456, 1, 0x1p-1000) <= 8);
  CHECK(error(-1421 * 0x1p-1074, -1.1e301, 1, 0x1p-1074) <= 8);
  CHECK(error(-41.0, -1e308, 200, 1) <= 8);
  for (std::size_t n = 90000; n < 90004; ++n) CHECK(error(-0.0, -1e300, n, 1) <= 3);
}

// {0, ..., 0} and {0, ..., h, ..., s}: what the distance of the maxima is rounded to must not count
// where they have next to no mass.
TEST_CASE_TEMPLATE("kl_divergence_from_logits where the maximum has little mass", T, float,
                   double) {
  fault_log log;
  kl_measurement<T> measure;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    random_source random(seed);
    const double temperature = std::vector{
        1.0, 1.3, std::ldexp(1.0, std::numeric_limits<T>::max_exponent - 20)}[random.below(3)];
    const std::size_t m = std::size_t{200} << random.below(6);
    std::vector<T> x(2 * m + 1, T(0));
    std::vector<T> y = x;
    std::fill(y.begin() + static_cast<std::ptrdiff_t>(m), y.end() - 1,
              static_cast<T>(random.uniform(-0.1, 0.1) * temperature));
    y.back() = static_cast<T>(random.uniform(0.3, 2.5) * temperature);
    const double error = measure.error_of(x, y, temperature);
    expect_within<T>(log, seed, error, gibbs::accuracy::kl_divergence_from_logits<T>);
  }
}

// A distance from the maximum times a probability may be finite at a T that is taken for 0.
TEST_CASE("kl_divergence_from_logits of float at tiny temperatures") {
  kl_measurement<float> measure;
  const std::vector<float> x(64, 0.0F);
  for (const float y_last :
       {-0x1p-149F, -0x1p-147F, -1.0F, -std::numeric_limits<float>::infinity()}) {
    std::vector<float> y = x;
    y.back() = y_last;
    for (int e = -270; e > -300; --e) {
      CHECK(measure.error_of(x, y, std::ldexp(1.0, e)) <=
            gibbs::accuracy::kl_divergence_from_logits<float>);
    }
  }
}

// Copies of a few logits: the errors of equal elements do not hide behind each other, and neither
// does that of the log of a large sum.
TEST_CASE_TEMPLATE("kl_divergence_from_logits of copies", T, float, double) {
  fault_log log;
  kl_measurement<T> measure;
  std::size_t seen = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    random_source random(seed);
    // Of plain rows, and of others.
    const double temperature =
        seed % 2 == 0 ? 1 : std::ldexp(1.0, std::numeric_limits<T>::max_exponent - 20);
    std::vector<T> x{0};
    std::vector<T> y{0};
    for (std::size_t i = 1 + random.below(4); i > 0; --i) {
      x.push_back(static_cast<T>(random.uniform(-4, 0) * temperature));
      y.push_back(static_cast<T>(random.uniform(-4, 0) * temperature));
    }
    const std::size_t copies = 1 + random.below(200);
    const double error = measure.error_of(x, y, temperature, copies);
    constexpr double seen_at_most = 5;  // less than what is promised
    if (measure.allowance() > seen_at_most) continue;
    ++seen;
    expect_within<T>(log, seed, error, seen_at_most);
  }
  CHECK(seen > 50);
}

// Where the weights of a part of the row say nothing about those of the whole: q far from p in some
// part, by a constant or not, and nearly equal elsewhere.
TEST_CASE_TEMPLATE("kl_divergence_from_logits of rows with parts unlike each other", T, float,
                   double) {
  fault_log log;
  kl_measurement<T> measure;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    random_source random(seed);
    const std::size_t n = 257 + random.below(3000);
    const double spread = random.below(2) == 0 ? 1 : 6;
    const double noise = std::exp2(random.uniform(-20, 0));
    const double shift = random.uniform(-1, 1) * std::exp2(random.uniform(-10, 7));
    const std::size_t first = random.below(3) == 0 ? 0 : random.below(n);
    const std::size_t end = random.below(3) == 0 ? n : first + random.below(n - first + 1);
    std::vector<T> x(n);
    std::vector<T> y(n);
    for (std::size_t i = 0; i < n; ++i) {
      const bool shifted = i >= first && i < end;
      x[i] = static_cast<T>(spread * random.normal());
      const double apart = (shifted ? shift : 0) + noise * random.normal();
      y[i] = static_cast<T>(static_cast<double>(x[i]) + apart);
    }
    const double error = measure.error_of(x, y);
    expect_within<T>(log, seed, error, measure.allowed());
  }
}

// All that tells p from q is in the first elements. They are equal, and so are their errors.
TEST_CASE_TEMPLATE("kl_divergence_from_logits of rows that differ in the beginning", T, float,
                   double) {
  fault_log log;
  kl_measurement<T> measure;
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    random_source random(seed);
    const std::vector<T> x(8000, static_cast<T>(random.uniform(-2, 2)));
    std::vector<T> y = x;
    const std::size_t beginning = std::size_t(1) << (4 + seed % 8);
    const T step = static_cast<T>(random.uniform(0.03, 0.12));
    for (std::size_t i = 0; i < beginning; ++i) y[i] += step;
    const double error = measure.error_of(x, y);
    constexpr double seen_at_most = 4;  // less than what is promised
    expect_within<T>(log, seed, error, seen_at_most);
  }
}

// All that is not equal in p and q has tiny probabilities there, and may be nearly equal.
TEST_CASE_TEMPLATE("kl_divergence_from_logits of rows whose tiny probabilities differ", T, float,
                   double) {
  fault_log log;
  kl_measurement<T> measure;
  std::size_t seen = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    random_source random(seed);
    const double temperature =
        random.below(2) == 0 ? 1
                             : std::exp2(random.uniform(-900, 900) * (sizeof(T) == 4 ? 0.1 : 1));
    const double farthest = sizeof(T) == 4 ? 110 : 755;
    std::vector<T> p(1 + random.below(3), T(0));
    std::vector<T> q = p;
    for (std::size_t i = 1 + random.below(3); i > 0; --i) {
      const double distance = random.uniform(farthest * 0.7, farthest);
      const double apart = std::exp2(random.uniform(-50, 2));
      p.push_back(static_cast<T>(-distance * temperature));
      q.push_back(
          static_cast<T>((-distance + (random.below(2) == 0 ? apart : -apart)) * temperature));
    }
    const double error = measure.error_of(p, q, temperature);
    // They are exact here, even where the condition of the input would allow for more.
    const double allowed = gibbs::accuracy::kl_divergence_from_logits<T>;
    seen += measure.size_in_ulps() > 1 ? 1U : 0U;
    expect_within<T>(log, seed, error, allowed);
  }
  CHECK(seen > 500);
}

TEST_CASE("cross_entropy_from_logits of a tiny probability of a large distance") {
  const auto error = []<class T>(std::vector<T> logits, std::vector<T> target, double temperature) {
    reference<T> exact_result;
    exact_result.assign({.first = logits, .second = target, .temperature = temperature});
    const T loss = gibbs::cross_entropy_from_logits(logits, target, {.temperature = temperature});
    return error_in_ulps(loss, exact_result(primitive_id::cross_entropy_of_target).scalar);
  };
  constexpr double promised = gibbs::accuracy::cross_entropy_from_logits<double>;
  CHECK(error(std::vector{0.0, -2.3e-16}, std::vector{1.0, 5e-324}, 5e-324) <= promised);
  // Of float's temperatures, those below 2^-280 are taken for 0 otherwise.
  for (int e = -270; e > -440; e -= 10) {
    const std::vector<float> logits{-0x1p-122f, 0x1.8p-124f, 0x1p-149f};
    const std::vector<float> target{0x1.8p-147f, 0x1.8p-148f, 0};
    CHECK(error(logits, target, std::ldexp(1.0, e)) <= promised);
    CHECK(error(std::vector<float>{0, 0x1p-149f}, {0x1p-149f, 1}, std::ldexp(1.0, e)) <= promised);
  }
}

// Where the maximum is 0, all of log_sum_exp comes from the other weights: one that is just above a
// power of two, and many that are hardly more than its rounding error together.
TEST_CASE_TEMPLATE("log_sum_exp of a maximum of 0 and little below it", T, float, double) {
  fault_log log;
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    random_source random(seed);
    const std::size_t n = 3 + random.below(254);
    const T second = static_cast<T>(-std::log(2.0) * static_cast<double>(3 + random.below(100)) +
                                    0.1 * random.uniform());
    std::vector<T> x(n);
    precise below = 0;
    for (std::size_t i = 1; i < n; ++i) {
      x[i] = i == 1 ? second : second - static_cast<T>(6 + 6 * random.uniform());
      below += std::exp(static_cast<precise>(x[i]));
    }
    const precise wanted = std::log1p(below);
    std::vector<T> out(n);
    for (const T result : {gibbs::log_sum_exp(x), gibbs::softmax_with_log_sum_exp(x, out)}) {
      const double error = error_in_ulps(result, exact_from(wanted));
      log.expect(error <= gibbs::accuracy::log_sum_exp<T>, type_name<T>(), " seed ", seed,
                 " length ", n, ": ", error, " ulp");
    }
  }
}

// All that is rounded off a sum may be of the same sign, and of a row as much as a few digits.
TEST_CASE_TEMPLATE("one weight and others of its last digit", T, float, double) {
  fault_log log;
  const auto check = [&](const char* what, T result, precise wanted, precise size, double bound,
                         std::uint64_t seed, std::size_t row) {
    const double error = error_in_ulps(result, exact_from(wanted), exact_from(size));
    log.expect(error <= bound, what, " ", type_name<T>(), " seed ", seed, " row ", row, ": ", error,
               " ulp");
  };
  const auto families = logit_families<T>();
  const auto last_digits = std::find_if(families.begin(), families.end(),
                                        [](const family<T>& f) { return f.name == "last digits"; });
  REQUIRE(last_digits != families.end());
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    random_source random(seed);
    const bool is_long = seed % 6 == 0;
    const std::size_t rows = is_long ? 9 : 66;
    const std::size_t n = is_long ? 81 + random.below(500) : 2 + random.below(80);
    std::vector<T> x(rows * n);
    for (std::size_t r = 0; r < rows; ++r) {
      std::vector<T> other(n);
      last_digits->fill(random, std::span<T>(x).subspan(r * n, n), other);
    }
    const gibbs::matrix_view<const T> logits(x.data(), rows, n);
    std::vector<T> p(x.size());
    std::vector<T> log_p(x.size());
    std::vector<T> log_sum(rows);
    std::vector<T> log_sum_beside(rows);
    std::vector<T> entropy(rows);
    gibbs::log_sum_exp(logits, log_sum);
    gibbs::softmax_with_log_sum_exp(logits, gibbs::matrix_view<T>(p.data(), rows, n),
                                    log_sum_beside);
    gibbs::log_softmax(logits, gibbs::matrix_view<T>(log_p.data(), rows, n));
    gibbs::entropy_from_logits(logits, entropy);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto row = x.begin() + static_cast<std::ptrdiff_t>(r * n);
      const auto top = std::max_element(row, row + static_cast<std::ptrdiff_t>(n));
      const precise largest = *top;
      precise below = 0;
      precise distances = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (row + static_cast<std::ptrdiff_t>(i) == top) continue;
        const precise distance = largest - row[static_cast<std::ptrdiff_t>(i)];
        below += std::exp(-distance);
        distances += std::exp(-distance) * distance;
      }
      const precise log_of_sum = std::log1p(below);
      const precise sum = largest + log_of_sum;
      const precise size = (std::max)(std::abs(largest), log_of_sum);
      check("log_sum_exp", log_sum[r], sum, size, gibbs::accuracy::log_sum_exp<T>, seed, r);
      check("log_sum_exp beside softmax", log_sum_beside[r], sum, size,
            gibbs::accuracy::log_sum_exp<T>, seed, r);
      check("log_softmax", log_p[r * n + static_cast<std::size_t>(top - row)], -log_of_sum,
            log_of_sum, gibbs::accuracy::log_softmax<T>, seed, r);
      const precise exact_entropy = log_of_sum + distances / (1 + below);
      check("entropy_from_logits", entropy[r], exact_entropy, exact_entropy,
            gibbs::accuracy::entropy_from_logits<T>, seed, r);
    }
  }
}

// Rows far longer than a cache: copies of a short one, of which the exact result is easily had.
TEST_CASE_TEMPLATE("rows of a million", T, float, double) {
  fault_log log;
  reference<T> exact_result;
  constexpr std::size_t tile = 4099;
  constexpr std::size_t repeats = 257;
  sample<T> copies;
  std::vector<T> out;
  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t family_index : sizes{0, 1, 2, 5}) {
      const family<T>& from = families_of(f)[family_index];
      const std::uint64_t seed = family_index;
      random_source random(seed);
      const sample<T> x = draw(f, from, random, tile, 1.3);
      copies.first.clear();
      copies.second.clear();
      for (std::size_t i = 0; i < repeats; ++i) {
        copies.first.insert(copies.first.end(), x.first.begin(), x.first.end());
        copies.second.insert(copies.second.end(), x.second.begin(), x.second.end());
      }
      copies.label = x.label;
      copies.temperature = x.temperature;
      exact_result.assign(x.arguments(), repeats);
      const row_reference<T>& wanted = exact_result(f.id);
      out.resize(f.writes_row() ? copies.first.size() : 0);
      const T scalar = f.on_row(copies.arguments(), out);
      const verdict v = judge<T>(f, wanted, out, scalar);
      log.expect(v.good, f.name, " ", type_name<T>(), " family ", from.name, " seed ", seed,
                 " length ", tile, " x ", repeats, ": ", v.error, " ulp at ", v.index,
                 v.in_scalar ? " (scalar)" : "", ", promised ", v.allowed);
    }
  }
}

// 16 Mi elements: sums in one float would stop growing at 2^24.
TEST_CASE_TEMPLATE("rows of 16 million", T, float, double) {
  fault_log log;
  constexpr std::size_t n = (std::size_t(1) << 24) + 3;
  std::vector<T> x(n, T(0.3));
  x[n - 1] = T(20);          // outweighed by the others
  using real = long double;  // where it is no more than double, it costs a digit of the check
  const real rest =
      static_cast<real>(n - 1) * std::exp(static_cast<real>(x[0]) - static_cast<real>(x[n - 1]));
  const real log_sum = std::log1p(rest);
  const auto check = [&](const char* what, T got, real wanted, double bound) {
    const real unit = static_cast<real>(std::numeric_limits<T>::epsilon()) * std::abs(wanted);
    const double off = static_cast<double>(std::abs(static_cast<real>(got) - wanted) / unit);
    log.expect(off <= bound + 0.1, what, " ", type_name<T>(), ": ", got, ", ", off, " epsilon off");
  };
  check("log_sum_exp", gibbs::log_sum_exp(x), static_cast<real>(x[n - 1]) + log_sum,
        gibbs::accuracy::log_sum_exp<T>);
  check("cross_entropy_from_logits", gibbs::cross_entropy_from_logits(x, n - 1), log_sum,
        gibbs::accuracy::cross_entropy_from_logits<T>);
  gibbs::softmax(x, x);
  check("softmax, the largest", x[n - 1], 1 / (1 + rest), gibbs::accuracy::softmax<T>);
  check("softmax, the others", x[0], rest / (1 + rest) / static_cast<real>(n - 1),
        gibbs::accuracy::softmax<T>);
  std::fill(x.begin(), x.end(), static_cast<T>(1 / static_cast<double>(n)));
  const real p = static_cast<real>(x[0]);
  check("entropy", gibbs::entropy(x), -p * std::log(p) * static_cast<real>(n),
        gibbs::accuracy::entropy<T>);
}

TEST_CASE_TEMPLATE("rows that differ by a constant: of the order of epsilon squared", T, float,
                   double) {
  fault_log log;
  const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    random_source random(seed);
    const std::size_t n = 1 + random.below(200);
    const double shift = std::floor(random.uniform(-64, 64));
    std::vector<T> x(n);
    std::vector<T> y(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = static_cast<T>(std::floor(random.uniform(-512, 512)) / 64);
      y[i] = x[i] + static_cast<T>(shift);
    }
    const double divergence = static_cast<double>(gibbs::kl_divergence_from_logits(x, y));
    const double unit = epsilon * (8 + std::abs(shift));
    log.expect(divergence >= 0 && divergence <= unit * unit, "seed ", seed, " length ", n,
               " shift ", shift, ": ", divergence);
  }
}

// What the kernels may be off is what all promises rest on: the figures are what they are, with
// little room.
TEST_CASE("the kernels over the floats of their domain") {
  const auto check = [](const kernel_error& found, double bound) {
    CHECK_MESSAGE(found.worst <= bound, found.worst << " ulp at " << found.at);
    CHECK(found.count > 1'000);
  };
  constexpr std::uint32_t step = 1009;
  check(exp2_error_in_float(step), most_exp2_error<float>(over_samples));
  using enum weight_form;
  check(weight_error<float, rounded>(100'000), most_weight_error<float, rounded>);
  check(weight_error<float, to_be_added>(10'000), most_weight_error<float, to_be_added>);
  check(weight_error<float, in_parts>(10'000), most_weight_error<float, in_parts>);
  check(log_error_in_float(step), over_samples.log);
  check(series_error_in_float<series::atanh_tail>(step), over_samples.atanh_tail);
  check(series_error_in_float<series::exp_remainder>(step), over_samples.exp_remainder);
}

TEST_CASE("the kernels over doubles") {
  const auto check = [](const kernel_error& found, double bound) {
    CHECK_MESSAGE(found.worst <= bound, found.worst << " ulp at " << found.at);
  };
  constexpr std::size_t count = 100'000;
  check(exp2_error_in_double(count), most_exp2_error<double>(over_samples));
  using enum weight_form;
  check(weight_error<double, rounded>(count), most_weight_error<double, rounded>);
  check(weight_error<double, to_be_added>(10'000), most_weight_error<double, to_be_added>);
  check(weight_error<double, in_parts>(10'000), most_weight_error<double, in_parts>);
  check(log_error_in_double(count), over_samples.log);
  check(series_error_in_double<series::atanh_tail>(count), over_samples.atanh_tail);
  check(series_error_in_double<series::exp_remainder>(count), over_samples.exp_remainder);
}

TEST_CASE_TEMPLATE("ln 2 in two parts", T, float, double) {
  CHECK(ln2_error<T>() <= 0.51);
  CHECK(ln2_products_are_exact<T>());
}
