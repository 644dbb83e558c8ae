// SPDX-License-Identifier: MIT
// Faults that this file catches: every one that costs digits. A part of a constant or of a product
// that is dropped, a rounded x - max, the maximum left inside of the sum, a polynomial that is off
// in its last coefficient, a sum in one accumulator, log(1 + x), p log p - p log q, an exact
// product where the hardware has no fused multiply-add. The bounds are those of gibbs/accuracy.hpp;
// what is measured, on more rows and beside other libraries, is printed by accuracy_main.cpp.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/check.hpp"
#include "support/survey.hpp"

namespace {

using namespace gibbs_support;

constexpr std::uint64_t seeds = 25;

}  // namespace

TEST_CASE_TEMPLATE("every family of rows is within the promised bounds", T, float, double) {
  fault_log log;
  surveyor<T> measure;
  for (const scenario<T>& from : scenarios<T>()) {
    // One line for each primitive, with its worst row: draw_survey_row() makes it again.
    std::map<std::string_view, finding> worst;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      measure.measure(from, seed, false, [&](const primitive<T>& f, const finding& found) {
        worst[f.name].add(found);
      });
    }
    for (const auto& [name, found] : worst) {
      const verdict& v = found.worst;
      log.expect(found.failed == 0, name, " ", type_name<T>(), " ", architecture_name(), ", ",
                 from.name, ": ", found.failed, " of ", found.rows, " rows, worst ", v.error,
                 " ulp, ", v.allowed, " allowed, at seed ", found.seed, ", length ", found.length,
                 ", T = ", found.temperature, ", ", v.in_scalar ? "the result" : "element ",
                 v.in_scalar ? std::string() : std::to_string(v.index));
    }
  }
}

// Sums of many terms: an accumulator of floats stops at 2^24 equal ones.
TEST_CASE_TEMPLATE("long rows are within the promised bounds", T, float, double) {
  fault_log log;
  surveyor<T> measure;
  for (const scenario<T>& from : scenarios<T>()) {
    if (from.name != "normal sd 1" && from.name != "descending" && from.name != "dirichlet 1") {
      continue;
    }
    for (std::size_t n : sizes{20001, 70000}) {
      const auto report = [&](const primitive<T>& f, const finding& found) {
        const verdict& v = found.worst;
        log.expect(v.good, f.name, " ", type_name<T>(), " ", architecture_name(), ", ", from.name,
                   ", length ", n, ", T = ", found.temperature, ": ", v.error, " ulp at ", v.index,
                   v.in_scalar ? " (scalar)" : "", ", ", v.allowed, " allowed");
      };
      measure.measure(from, n, false, report, n);
    }
  }
}

// Rows for which the exact result has a closed form: lengths beyond the reference's patience.
TEST_CASE_TEMPLATE("millions of equal logits", T, float, double) {
  for (std::size_t n : sizes{std::size_t(1) << 20, (std::size_t(1) << 24) + 12345}) {
    const std::vector<T> x(n, T(7.5));
    std::vector<T> out(n);
    const double count = static_cast<double>(n);
    real exact_value;
    mpfr_set_ui(exact_value, 1, MPFR_RNDN);
    mpfr_div_d(exact_value, exact_value, count, MPFR_RNDN);
    const exact p = exact::from(exact_value);
    mpfr_set_d(exact_value, count, MPFR_RNDN);
    mpfr_log(exact_value, exact_value, MPFR_RNDN);
    const exact log_count = exact::from(exact_value);
    mpfr_add_d(exact_value, exact_value, 7.5, MPFR_RNDN);
    const exact sum = exact::from(exact_value);

    gibbs::softmax(x, out);
    CHECK(error_in_ulps(out[0], p) <= gibbs::accuracy::softmax<T>);
    CHECK(error_in_ulps(out[n - 1], p) <= gibbs::accuracy::softmax<T>);
    CHECK(error_in_ulps(gibbs::log_sum_exp(x), sum, log_count) <= gibbs::accuracy::log_sum_exp<T>);
    CHECK(error_in_ulps(gibbs::entropy_from_logits(x), log_count) <=
          gibbs::accuracy::entropy_from_logits<T>);
    CHECK(error_in_ulps(gibbs::cross_entropy_from_logits(x, n / 2), log_count) <=
          gibbs::accuracy::cross_entropy_from_logits<T>);
    // Powers of two, so that p and q are exact as well.
    if ((n & (n - 1)) != 0) continue;
    const std::vector<T> uniform(n, static_cast<T>(1 / count));
    CHECK(error_in_ulps(gibbs::entropy(uniform), log_count) <= gibbs::accuracy::entropy<T>);
    CHECK(gibbs::kl_divergence(uniform, uniform) == 0);
  }
}
