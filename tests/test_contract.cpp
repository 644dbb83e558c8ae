// SPDX-License-Identifier: MIT
// Faults that this file catches: a cell of the contract that does not hold. Empty and
// single-element rows, NaN, masks, infinities, temperature at its limits and at extreme magnitudes,
// zeros and negative numbers among probabilities, subnormal numbers, floating-point flags, and
// arguments that break a rule: the wrong exception, a message that does not name argument and
// value, output that was written before the check.
#include <doctest/doctest.h>

#include <array>
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <gibbs/gibbs.hpp>
#include <limits>
#include <numbers>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/check.hpp"
#include "support/reference.hpp"
#include "support/sample.hpp"

namespace {

using namespace gibbs_support;

template <class T>
constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
constexpr T not_a_number = std::numeric_limits<T>::quiet_NaN();

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

template <class T>
T log_sum_exp(const std::vector<T>& x, double temperature = 1) {
  return gibbs::log_sum_exp(x, {.temperature = temperature});
}

template <class T>
bool all_nan(const std::vector<T>& x) {
  return std::all_of(x.begin(), x.end(), [](T v) { return std::isnan(v); });
}

// Equal numbers, where any NaN equals any other and 0 equals -0.
template <class T>
bool equal(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](T x, T y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

// Calls f and returns the message of its std::invalid_argument; "" if there was none.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Lengths with and without full vectors, on every architecture.
const std::vector<std::size_t> some_lengths{1,  2,  3,  4,  5,  7,  8,   9,   15,
                                            16, 17, 31, 33, 64, 65, 127, 128, 1000};

// Runs every primitive that takes logits on this row against the reference.
template <class T>
void compare_logits(fault_log& log, const std::vector<T>& x, const std::vector<T>& y,
                    double temperature) {
  reference<T> exact_result;
  std::vector<T> target(x.size(), x.empty() ? T(0) : T(1) / static_cast<T>(x.size()));
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.first_is_logits()) continue;
    for (std::size_t label = 0; label < (f.has_label() ? x.size() : 1); ++label) {
      const row_arguments<T> in{.first = x,
                                .second = f.input == input_kind::logits_and_target ? target : y,
                                .label = static_cast<label_type>(label),
                                .temperature = temperature};
      exact_result.assign(in);
      const row_reference<T>& wanted = exact_result(f.id);
      std::vector<T> out(f.writes_row() ? x.size() : 0);
      const T scalar = f.on_row(in, out);
      const verdict v = judge<T>(f, wanted, out, scalar);
      log.expect(v.good, f.name, " ", type_name<T>(), " T = ", temperature, " ", [&] {
        std::string row;
        for (T value : x) row += text(" ", value);
        if (f.input == input_kind::two_logits) row += " and";
        for (T value : f.input == input_kind::two_logits ? y : std::vector<T>()) {
          row += text(" ", value);
        }
        const exact& right = v.in_scalar ? wanted.scalar : wanted.row[v.index];
        return text("{", row, " } label ", label, ": ", v.error, " ulp at ", v.index, ", allowed ",
                    v.allowed, ", got ", v.in_scalar ? scalar : out[v.index], ", exact ",
                    right.to_double());
      });
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("empty rows", T, float, double) {
  std::vector<T> none;
  gibbs::softmax(none, none);
  gibbs::log_softmax(none, none);
  for (double temperature : {1.0, 0.0, infinity<double>}) {
    const gibbs::logit_options options{.temperature = temperature};
    CHECK(gibbs::log_sum_exp(none, options) == -infinity<T>);
    CHECK(gibbs::softmax_with_log_sum_exp(none, none, options) == -infinity<T>);
    CHECK(gibbs::entropy_from_logits(none, options) == 0);
    CHECK(gibbs::cross_entropy_from_logits(none, none, options) == 0);
    CHECK(gibbs::kl_divergence_from_logits(none, none, options) == 0);
  }
  CHECK(gibbs::entropy(none) == 0);
  CHECK(gibbs::cross_entropy(none, none) == 0);
  CHECK(gibbs::kl_divergence(none, none) == 0);

  // Without columns, and without rows; null pointers where there is nothing.
  const gibbs::matrix_view<const T> no_columns(nullptr, 3, 0);
  std::vector<T> results(3, sentinel<T>);
  gibbs::log_sum_exp(no_columns, results);
  CHECK(equal(results, std::vector<T>(3, -infinity<T>)));
  gibbs::entropy_from_logits(no_columns, results);
  CHECK(equal(results, std::vector<T>(3, T(0))));
  gibbs::kl_divergence(no_columns, no_columns, results);
  CHECK(equal(results, std::vector<T>(3, T(0))));
  gibbs::softmax(no_columns, gibbs::matrix_view<T>(nullptr, 3, 0));
  const gibbs::matrix_view<const T> no_rows(nullptr, 0, 5);
  gibbs::softmax(no_rows, gibbs::matrix_view<T>(nullptr, 0, 5));
  gibbs::log_sum_exp(no_rows, none);
  gibbs::cross_entropy_from_logits(no_rows, std::vector<int>(), none);
}

TEST_CASE_TEMPLATE("one element", T, float, double) {
  using limits = std::numeric_limits<T>;
  for (T x :
       {T(0.3), T(0), T(-20), T(1e10), (limits::max)(), limits::lowest(), limits::denorm_min()}) {
    for (double temperature : temperatures) {
      CAPTURE(x);
      CAPTURE(temperature);
      CHECK(softmax<T>({x}, temperature)[0] == 1);
      CHECK(log_softmax<T>({x}, temperature)[0] == 0);
      const gibbs::logit_options options{.temperature = temperature};
      CHECK(gibbs::entropy_from_logits(std::vector<T>{x}, options) == 0);
      CHECK(gibbs::cross_entropy_from_logits(std::vector<T>{x}, 0, options) == 0);
      CHECK(gibbs::kl_divergence_from_logits(std::vector<T>{x}, std::vector<T>{T(1)}, options) ==
            0);
    }
  }
  CHECK(gibbs::entropy(std::vector<T>{1}) == 0);
  CHECK(gibbs::cross_entropy(std::vector<T>{1}, std::vector<T>{1}) == 0);
  CHECK(log_sum_exp<T>({T(-20)}) == -20);
}

TEST_CASE_TEMPLATE("masks get exactly nothing, finite masks are logits", T, float, double) {
  using limits = std::numeric_limits<T>;
  for (std::size_t n : some_lengths) {
    if (n < 2) continue;
    CAPTURE(n);
    // All but the last are masked: a first block without a finite maximum.
    std::vector<T> x(n, -infinity<T>);
    x.back() = T(-200);
    std::vector<T> expected(n, T(0));
    expected.back() = 1;
    CHECK(equal(softmax(x), expected));
    std::vector<T> expected_log(n, -infinity<T>);
    expected_log.back() = 0;
    CHECK(equal(log_softmax(x), expected_log));
    CHECK(log_sum_exp(x) == T(-200));
    CHECK(gibbs::entropy_from_logits(x) == 0);
    CHECK(gibbs::cross_entropy_from_logits(x, 0) == infinity<T>);
    CHECK(gibbs::cross_entropy_from_logits(x, n - 1) == 0);
    CHECK(gibbs::kl_divergence_from_logits(x, x) == 0);

    for (T mask : {T(-1e9), limits::lowest()}) {
      std::vector<T> y(n, mask);
      const std::vector<T> p = softmax(y);
      for (T value : p) {
        CHECK(static_cast<double>(value) ==
              doctest::Approx(1.0 / static_cast<double>(n)).epsilon(1e-6));
      }
      y[0] = 0;
      CHECK(softmax(y)[0] == 1);
      CHECK(softmax(y)[n - 1] == 0);
      CHECK(log_softmax(y)[n - 1] == mask);
      CHECK(log_sum_exp(y) == 0);
    }
  }
}

TEST_CASE_TEMPLATE("all masked: NaN at every length, log-sum-exp -inf", T, float, double) {
  for (std::size_t n : some_lengths) {
    for (double temperature : temperatures) {
      CAPTURE(n);
      CAPTURE(temperature);
      const std::vector<T> x(n, -infinity<T>);
      const std::vector<T> y(n, T(1));
      const gibbs::logit_options options{.temperature = temperature};
      CHECK(all_nan(softmax(x, temperature)));
      CHECK(all_nan(log_softmax(x, temperature)));
      CHECK(log_sum_exp(x, temperature) == -infinity<T>);
      std::vector<T> out(n);
      CHECK(gibbs::softmax_with_log_sum_exp(x, out, options) == -infinity<T>);
      CHECK(all_nan(out));
      CHECK(std::isnan(gibbs::entropy_from_logits(x, options)));
      CHECK(std::isnan(gibbs::cross_entropy_from_logits(x, n - 1, options)));
      CHECK(std::isnan(gibbs::cross_entropy_from_logits(x, y, options)));
      CHECK(std::isnan(gibbs::kl_divergence_from_logits(x, y, options)));
      CHECK(std::isnan(gibbs::kl_divergence_from_logits(y, x, options)));
    }
  }
}

TEST_CASE_TEMPLATE("a +inf logit", T, float, double) {
  for (std::size_t n : some_lengths) {
    for (std::size_t at : {std::size_t(0), n / 2, n - 1}) {
      for (T rest : {T(1), -infinity<T>, infinity<T>}) {
        for (double temperature : temperatures) {
          CAPTURE(n);
          CAPTURE(at);
          CAPTURE(rest);
          CAPTURE(temperature);
          std::vector<T> x(n, rest);
          x[at] = infinity<T>;
          const std::vector<T> y(n, T(1));
          const gibbs::logit_options options{.temperature = temperature};
          CHECK(all_nan(softmax(x, temperature)));
          CHECK(all_nan(log_softmax(x, temperature)));
          CHECK(log_sum_exp(x, temperature) == infinity<T>);
          CHECK(std::isnan(gibbs::entropy_from_logits(x, options)));
          CHECK(std::isnan(gibbs::cross_entropy_from_logits(x, 0, options)));
          CHECK(std::isnan(gibbs::cross_entropy_from_logits(x, y, options)));
          CHECK(std::isnan(gibbs::kl_divergence_from_logits(x, y, options)));
          CHECK(std::isnan(gibbs::kl_divergence_from_logits(y, x, options)));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("NaN is never hidden, whatever the temperature and the other input", T, float,
                   double) {
  for (std::size_t n : some_lengths) {
    for (std::size_t at : {std::size_t(0), n / 2, n - 1}) {
      CAPTURE(n);
      CAPTURE(at);
      std::vector<T> bad(n, T(0.5));
      bad[at] = not_a_number<T>;
      const std::vector<T> zeros(n, T(0));
      const std::vector<T> masks(n, -infinity<T>);
      for (double temperature : temperatures) {
        const gibbs::logit_options options{.temperature = temperature};
        CAPTURE(temperature);
        CHECK(all_nan(softmax(bad, temperature)));
        CHECK(all_nan(log_softmax(bad, temperature)));
        CHECK(std::isnan(log_sum_exp(bad, temperature)));
        CHECK(std::isnan(gibbs::entropy_from_logits(bad, options)));
        CHECK(std::isnan(gibbs::cross_entropy_from_logits(bad, n - 1, options)));
        // 0 times something that is NaN is NaN.
        CHECK(std::isnan(gibbs::cross_entropy_from_logits(bad, zeros, options)));
        CHECK(std::isnan(gibbs::cross_entropy_from_logits(zeros, bad, options)));
        CHECK(std::isnan(gibbs::kl_divergence_from_logits(bad, zeros, options)));
        CHECK(std::isnan(gibbs::kl_divergence_from_logits(zeros, bad, options)));
        CHECK(std::isnan(gibbs::kl_divergence_from_logits(masks, bad, options)));
      }
      CHECK(std::isnan(gibbs::entropy(bad)));
      CHECK(std::isnan(gibbs::cross_entropy(bad, zeros)));
      CHECK(std::isnan(gibbs::cross_entropy(zeros, bad)));
      CHECK(std::isnan(gibbs::kl_divergence(bad, zeros)));
      CHECK(std::isnan(gibbs::kl_divergence(zeros, bad)));
    }
  }
}

TEST_CASE_TEMPLATE("temperature 0: the maxima share all", T, float, double) {
  using limits = std::numeric_limits<T>;
  CHECK(equal(softmax<T>({2, 4, 3}, 0), {0, 1, 0}));
  CHECK(equal(softmax<T>({1, 1, 0, 1, 1}, 0), {0.25, 0.25, 0, 0.25, 0.25}));
  CHECK(equal(log_softmax<T>({2, 4, 3}, 0), {-infinity<T>, 0, -infinity<T>}));
  CHECK(log_sum_exp<T>({1, 0}, 0) == infinity<T>);
  CHECK(log_sum_exp<T>({-1, -2}, 0) == -infinity<T>);
  CHECK(log_sum_exp<T>({-limits::denorm_min(), -2}, 0) == -infinity<T>);
  CHECK(log_sum_exp<T>({limits::denorm_min(), -2}, 0) == infinity<T>);
  CHECK(log_sum_exp<T>({0, -1, 0, -infinity<T>}, 0) == static_cast<T>(std::numbers::ln2));
  CHECK(log_sum_exp<T>({T(-0.0), -1}, 0) == 0);
  CHECK(gibbs::entropy_from_logits(std::vector<T>{3, 3, 1}, {.temperature = 0}) ==
        static_cast<T>(std::numbers::ln2));
  CHECK(gibbs::cross_entropy_from_logits(std::vector<T>{3, 1}, 1, {.temperature = 0}) ==
        infinity<T>);
  CHECK(gibbs::cross_entropy_from_logits(std::vector<T>{3, 1}, 0, {.temperature = 0}) == 0);
  CHECK(gibbs::kl_divergence_from_logits(std::vector<T>{3, 1}, std::vector<T>{5, 5},
                                         {.temperature = 0}) == static_cast<T>(std::numbers::ln2));
  CHECK(gibbs::kl_divergence_from_logits(std::vector<T>{5, 5}, std::vector<T>{3, 1},
                                         {.temperature = 0}) == infinity<T>);
  for (std::size_t n : some_lengths) {
    CAPTURE(n);
    // Neighbours of the maximum are not maxima.
    std::vector<T> x(n, std::nextafter(T(1), T(0)));
    x[n / 2] = 1;
    std::vector<T> expected(n, T(0));
    expected[n / 2] = 1;
    CHECK(equal(softmax(x, 0), expected));
  }
}

TEST_CASE_TEMPLATE("temperature +inf: uniform over what is not masked", T, float, double) {
  using limits = std::numeric_limits<T>;
  const double hot = infinity<double>;
  CHECK(equal(softmax<T>({1, -infinity<T>, limits::lowest(), (limits::max)(), 5}, hot),
              {0.25, 0, 0.25, 0.25, 0.25}));
  CHECK(equal(
      log_softmax<T>({1, -infinity<T>, 9}, hot),
      {-static_cast<T>(std::numbers::ln2), -infinity<T>, -static_cast<T>(std::numbers::ln2)}));
  CHECK(log_sum_exp<T>({1, -infinity<T>, 9}, hot) == static_cast<T>(std::numbers::ln2));
  CHECK(gibbs::entropy_from_logits(std::vector<T>{1, -infinity<T>, 9}, {.temperature = hot}) ==
        static_cast<T>(std::numbers::ln2));
  CHECK(gibbs::kl_divergence_from_logits(std::vector<T>{1, 2}, std::vector<T>{9, -7},
                                         {.temperature = hot}) == 0);
}

TEST_CASE("extreme temperatures and magnitudes, by known values") {
  CHECK(equal(softmax<float>({2, 4, 3}, 0x1p-126), {0, 1, 0}));
  CHECK(equal(softmax<float>({2, 4, 3}, 1e-39), {0, 1, 0}));
  CHECK(equal(softmax<float>({2, 4, 3}, 5e-324), {0, 1, 0}));
  CHECK(equal(softmax<double>({2, 4, 3}, 0x1p-1022), {0, 1, 0}));
  CHECK(equal(softmax<double>({2, 4, 3}, 5e-324), {0, 1, 0}));
  const auto p = softmax<float>({3e38f, -3e38f}, 1e38);
  CHECK(p[0] == doctest::Approx(0.99752737734363271).epsilon(3e-7));
  CHECK(p[1] == doctest::Approx(0.0024726226563672914).epsilon(3e-7));
  const auto q = softmax<double>({1.5e308, -1.5e308}, 5e307);
  CHECK(q[0] == doctest::Approx(0.99752737684336534).epsilon(1e-15));
  CHECK(q[1] == doctest::Approx(0.0024726231566347743).epsilon(1e-13));
  CHECK(log_sum_exp<float>({0, -20}) == doctest::Approx(2.0611536203143807e-9).epsilon(2e-7));
  CHECK(log_sum_exp<double>({0, -40}) == doctest::Approx(4.248354255291589e-18).epsilon(1e-15));
  CHECK(gibbs::cross_entropy_from_logits(std::vector<double>{0, -46.05}, 0) ==
        doctest::Approx(1.0017181484e-20).epsilon(1e-9));
  CHECK(log_sum_exp<float>({3.4028234663852886e38f, 3.4028234663852886e38f}) ==
        3.4028234663852886e38f);
}

TEST_CASE_TEMPLATE("extreme temperatures and magnitudes, against the reference", T, float, double) {
  using limits = std::numeric_limits<T>;
  const T max = (limits::max)();
  const T min = (limits::min)();
  const T denormal = limits::denorm_min();
  const std::vector<std::vector<T>> rows{
      {2, 4, 3},
      {0, -40},
      {0, -20, -100, -700, -1000},
      {max, -max},
      {max, max, 0},
      {max, std::nextafter(max, T(0)), 1},
      {-max, -max, -max},
      {max / 2, -max / 2, max / 4, 0},
      {min, -min, 0, denormal},
      {denormal, 2 * denormal, 3 * denormal, 1000 * denormal},
      {-denormal, -min},
      {1, 1, 1},
      {1, std::nextafter(T(1), T(2)), std::nextafter(T(1), T(0))},
      {1000, 999, -1000, 0},
      {T(1e30), T(-1e30), T(1e30)},
      {-infinity<T>, 5, max, -max},
      {-infinity<T>, -max, -max},
      {T(-1e7), T(-1e7) + 1, T(-1e7)},
      {0},
      {-max},
  };
  fault_log log;
  for (double temperature : temperatures) {
    for (const std::vector<T>& x : rows) {
      for (const std::vector<T>& y : rows) {
        if (y.size() == x.size()) compare_logits(log, x, y, temperature);
      }
      // The same in the lanes of a longer row.
      std::vector<T> longer;
      for (int i = 0; i < 12; ++i) longer.insert(longer.end(), x.begin(), x.end());
      std::vector<T> reversed(longer.rbegin(), longer.rend());
      compare_logits(log, longer, reversed, temperature);
    }
  }
}

TEST_CASE_TEMPLATE("zeros, negative numbers and subnormal numbers among probabilities", T, float,
                   double) {
  using limits = std::numeric_limits<T>;
  using row = std::vector<T>;
  const T ln2 = static_cast<T>(std::numbers::ln2);
  CHECK(gibbs::entropy(row{0.5, 0, 0.5}) == ln2);
  CHECK(gibbs::entropy(row{0, 0}) == 0);
  CHECK(gibbs::entropy(row{T(-0.0), 1}) == 0);
  CHECK(gibbs::cross_entropy(row{0, 1}, row{0, 0.5}) == ln2);
  CHECK(gibbs::cross_entropy(row{0.5, 0.5}, row{0, 1}) == infinity<T>);
  CHECK(gibbs::kl_divergence(row{0.5, 0.5}, row{0, 1}) == infinity<T>);
  CHECK(gibbs::kl_divergence(row{limits::denorm_min(), 1}, row{0, 1}) == infinity<T>);
  CHECK(gibbs::kl_divergence(row{0, 1}, row{0, 1}) == 0);
  CHECK(gibbs::kl_divergence(row{0, 0}, row{0.25, 0.5}) == T(0.75));  // p = 0: the term is q
  CHECK(gibbs::cross_entropy_from_logits(row{-infinity<T>, 0}, row{0, 1}) == 0);
  CHECK(gibbs::cross_entropy_from_logits(row{-infinity<T>, 0}, row{1, 0}) == infinity<T>);
  CHECK(gibbs::cross_entropy_from_logits(row{99, 0, 0}, row{0, 0, 0}) == 0);
  CHECK(gibbs::kl_divergence_from_logits(row{-infinity<T>, 0}, row{0, 0}) == ln2);
  CHECK(gibbs::kl_divergence_from_logits(row{0, 0}, row{-infinity<T>, 0}) == infinity<T>);

  fault_log log;
  for (std::size_t n : some_lengths) {
    for (std::size_t at : {std::size_t(0), n / 2, n - 1}) {
      for (T bad : {T(-0.25), -limits::denorm_min(), -infinity<T>}) {
        row good(n, T(1) / static_cast<T>(n));
        row p = good;
        p[at] = bad;
        const row zeros(n, T(0));
        const auto expect_nan = [&](T value, const char* what) {
          log.expect(std::isnan(value), what, " ", type_name<T>(), " length ", n, " [", at,
                     "] = ", bad, " gave ", value);
        };
        expect_nan(gibbs::entropy(p), "entropy");
        expect_nan(gibbs::cross_entropy(p, good), "cross_entropy p");
        expect_nan(gibbs::cross_entropy(good, p), "cross_entropy q");
        expect_nan(gibbs::cross_entropy(zeros, p), "cross_entropy q where p = 0");
        expect_nan(gibbs::kl_divergence(p, good), "kl_divergence p");
        expect_nan(gibbs::kl_divergence(good, p), "kl_divergence q");
        expect_nan(gibbs::kl_divergence(zeros, p), "kl_divergence q where p = 0");
        expect_nan(gibbs::cross_entropy_from_logits(good, p), "cross_entropy_from_logits target");
      }
    }
  }

  // Subnormal probabilities count: nothing is flushed.
  reference<T> exact_result;
  const T d = limits::denorm_min();
  const std::vector<std::pair<row, row>> pairs{{{d, 2 * d, 3 * d}, {3 * d, d, 2 * d}},
                                               {{d, 1}, {1, d}},
                                               {{1000 * d, T(0.5)}, {1001 * d, T(0.5)}},
                                               {{(limits::min)()}, {(limits::min)() / 2}},
                                               {{T(0.5), T(0.5)}, {d, 1}},
                                               {{d, d}, {1, 1}},
                                               {{(limits::min)(), 1}, {2 * (limits::min)(), 1}}};
  for (const auto& [p, q] : pairs) {
    for (const primitive<T>& f : primitives<T>()) {
      if (f.first_is_logits()) continue;
      exact_result.assign({.first = p, .second = q});
      const T scalar = f.on_row({.first = p, .second = q}, {});
      const verdict v = judge<T>(f, exact_result(f.id), {}, scalar);
      log.expect(v.good, f.name, " ", type_name<T>(), " of ", p[0], ", ... and ", q[0],
                 ", ...: ", v.error, " ulp, got ", scalar);
    }
  }
}

TEST_CASE_TEMPLATE("subnormal results are exact to their last place", T, float, double) {
  using limits = std::numeric_limits<T>;
  // From just above the smallest normal number to below the smallest of all, in steps.
  fault_log log;
  const double first = (limits::min_exponent + 2) * std::numbers::ln2;
  const double last = (limits::min_exponent - limits::digits - 3) * std::numbers::ln2;
  for (double x = first; x > last; x -= 0.37) {
    std::vector<T> row{0, static_cast<T>(x), static_cast<T>(x - 0.1)};
    compare_logits(log, row, row, 1);
  }
}

TEST_CASE_TEMPLATE("floating-point flags", T, float, double) {
  using limits = std::numeric_limits<T>;
  // Masks are allowed as well: what other libraries raise FE_INVALID for.
  std::vector<std::vector<T>> rows{{0, -infinity<T>},
                                   {0, -1, 2},
                                   {-infinity<T>, -infinity<T>, 3, 5},
                                   {(limits::max)(), limits::lowest()},
                                   {limits::denorm_min(), 0},
                                   {0, -1000},
                                   {1e30f, -1e30f, 1}};
  random_source random(7);
  for (std::size_t n : some_lengths) {
    std::vector<T> x(n);
    for (T& value : x) value = static_cast<T>(20 * random.normal());
    rows.push_back(x);
    x[n / 2] = -infinity<T>;
    if (n > 1) rows.push_back(x);
  }
  constexpr int forbidden = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW;
  fault_log log;
  for (const std::vector<T>& x : rows) {
    for (const primitive<T>& f : primitives<T>()) {
      std::vector<T> first = x;
      std::vector<T> second(x.rbegin(), x.rend());
      const bool takes_target = f.input == input_kind::logits_and_target;
      bool results_are_finite = true;
      if (!f.first_is_logits() || takes_target) {
        std::vector<T>& p = takes_target ? second : first;
        dirichlet<T>(random, p, 1);
        if (x.size() > 2) p[1] = 0;
      }
      if (f.input == input_kind::p_and_q) dirichlet<T>(random, second, 0.3);
      for (double temperature : {1.0, 0.7, 0.01, 1e-30, 100.0, 0.0, infinity<double>}) {
        if (!f.uses_temperature && temperature != 1) continue;
        const row_arguments<T> in{first, second, 0, temperature};
        std::vector<T> out(f.writes_row() ? x.size() : 0);
        std::feclearexcept(FE_ALL_EXCEPT);
        const T scalar = f.on_row(in, out);
        const int raised = std::fetestexcept(forbidden);
        // An infinite result from finite numbers is an overflow, or a logarithm of 0, and says so.
        results_are_finite = std::isfinite(scalar);
        for (T value : out) results_are_finite = results_are_finite && std::isfinite(value);
        if (!results_are_finite && f.id != primitive_id::softmax) continue;
        log.expect(raised == 0, f.name, " ", type_name<T>(), " length ", x.size(), " {", x[0], ", ",
                   x.size() > 1 ? x[1] : T(0), ", ...} T = ", temperature, " raised ",
                   (raised & FE_INVALID) ? "FE_INVALID " : "",
                   (raised & FE_DIVBYZERO) ? "FE_DIVBYZERO " : "",
                   (raised & FE_OVERFLOW) ? "FE_OVERFLOW" : "");
      }
    }
  }
}

// --- Arguments that break a rule ----------------------------------------------------------------

namespace {

// Calls f with a vector of sentinels; it must throw, name what it is asked to, and write nothing.
template <class T, class F>
void expect_error(std::size_t out_size, std::initializer_list<std::string_view> parts, F f) {
  std::vector<T> out(out_size, sentinel<T>);
  const std::string message = message_of([&] { f(out); });
  CAPTURE(message);
  CHECK(message != "");
  for (std::string_view part : parts) {
    CAPTURE(part);
    CHECK(contains(message, part));
  }
  CHECK(std::all_of(out.begin(), out.end(), [](T v) { return same_bits(v, sentinel<T>); }));
}

}  // namespace

TEST_CASE_TEMPLATE("temperature less than 0 or NaN", T, float, double) {
  const std::vector<T> x{1, 2, 3};
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.uses_temperature) continue;
    for (double temperature :
         {-1.0, -0.5, -5e-324, -infinity<double>, std::numeric_limits<double>::quiet_NaN()}) {
      CAPTURE(f.name);
      CAPTURE(temperature);
      const std::string_view value = std::isnan(temperature)   ? "nan"
                                     : std::isinf(temperature) ? "-inf"
                                     : temperature == -1       ? "-1"
                                     : temperature == -0.5     ? "-0.5"
                                                               : "-5e-324";
      const std::string function = "gibbs::" + std::string(f.function) + ":";
      expect_error<T>(3, {function, "temperature", value}, [&](std::vector<T>& out) {
        f.on_row({x, x, 0, temperature}, std::span<T>(out).first(f.writes_row() ? 3 : 0));
      });
      const gibbs::matrix_view<const T> m(x.data(), 1, 3);
      const std::vector<label_type> label{0};
      expect_error<T>(4, {function, "temperature", value}, [&](std::vector<T>& out) {
        f.on_matrix({m, m, label, temperature},
                    {gibbs::matrix_view<T>(out.data(), 1, 3), std::span<T>(out).last(1)});
      });
    }
    // -0 is 0.
    std::vector<T> out(3);
    f.on_row({x, x, 0, -0.0}, std::span<T>(out).first(f.writes_row() ? 3 : 0));
  }
}

TEST_CASE_TEMPLATE("sizes that differ", T, float, double) {
  const std::vector<T> three{1, 2, 3};
  const std::vector<T> four{1, 2, 3, 4};
  const std::vector<T> none;
  for (std::size_t size : sizes{0, 2, 4}) {
    const std::string value = std::to_string(size);
    expect_error<T>(size, {"gibbs::softmax:", "out", "logits", "3", value},
                    [&](auto& out) { gibbs::softmax(three, out); });
    expect_error<T>(size, {"gibbs::log_softmax:", "out", "logits", "3", value},
                    [&](auto& out) { gibbs::log_softmax(three, out); });
    expect_error<T>(size, {"gibbs::softmax_with_log_sum_exp:", "out", "logits", "3", value},
                    [&](auto& out) { gibbs::softmax_with_log_sum_exp(three, out); });
  }
  for (const std::vector<T>* other : {&four, &none}) {
    const std::string value = std::to_string(other->size());
    expect_error<T>(0, {"gibbs::cross_entropy:", "p", "q", "3", value},
                    [&](auto&) { gibbs::cross_entropy(three, *other); });
    expect_error<T>(0, {"gibbs::kl_divergence:", "p", "q", "3", value},
                    [&](auto&) { gibbs::kl_divergence(three, *other); });
    expect_error<T>(0, {"gibbs::cross_entropy_from_logits:", "logits", "target", "3", value},
                    [&](auto&) { gibbs::cross_entropy_from_logits(three, *other); });
    expect_error<T>(0, {"gibbs::kl_divergence_from_logits:", "p_logits", "q_logits", "3", value},
                    [&](auto&) { gibbs::kl_divergence_from_logits(three, *other); });
  }

  // Matrices: 2 x 3 against other shapes, and results, labels that are too few or too many.
  const std::vector<T> data(24, T(0.25));
  const gibbs::matrix_view<const T> m(data.data(), 2, 3);
  const std::vector<label_type> labels{0, 1, 2};
  for (const primitive<T>& f : primitives<T>()) {
    CAPTURE(f.name);
    const std::string function = "gibbs::" + std::string(f.function) + ":";
    const auto call = [&](std::vector<T>& out, gibbs::matrix_view<const T> second,
                          std::size_t label_count, std::size_t out_rows, std::size_t out_columns,
                          std::size_t result_count) {
      f.on_matrix({m, second, std::span<const label_type>(labels).first(label_count)},
                  {gibbs::matrix_view<T>(out.data(), out_rows, out_columns),
                   std::span<T>(out).last(result_count)});
    };
    if (f.gives_scalar()) {
      for (std::size_t count : sizes{0, 1, 3}) {
        expect_error<T>(24, {function, "results", std::to_string(count), "2"},
                        [&](auto& out) { call(out, m, 2, 2, 3, count); });
      }
    }
    if (f.has_label()) {
      for (std::size_t count : sizes{0, 1, 3}) {
        expect_error<T>(24, {function, "labels", std::to_string(count), "2"},
                        [&](auto& out) { call(out, m, count, 2, 3, 2); });
      }
    }
    for (auto [rows, columns] :
         {std::pair<std::size_t, std::size_t>{2, 4}, {3, 3}, {3, 2}, {0, 3}, {2, 0}}) {
      if (f.writes_row()) {
        expect_error<T>(24,
                        {function, "out", "logits", std::to_string(rows), std::to_string(columns)},
                        [&](auto& out) { call(out, m, 2, rows, columns, 2); });
      }
      if (f.has_second()) {
        const gibbs::matrix_view<const T> other(data.data(), rows, columns);
        expect_error<T>(24, {function, std::to_string(rows), std::to_string(columns)},
                        [&](auto& out) { call(out, other, 2, 2, 3, 2); });
      }
    }
  }
}

TEST_CASE_TEMPLATE("labels out of range", T, float, double) {
  const std::vector<T> x{1, 2, 3};
  const auto on_row = [&](auto label, std::string_view value) {
    expect_error<T>(0, {"gibbs::cross_entropy_from_logits:", "label", value, "3"},
                    [&](auto&) { gibbs::cross_entropy_from_logits(x, label); });
  };
  on_row(3, "3");
  on_row(-1, "-1");
  on_row(-100, "-100");
  on_row(std::int8_t(-1), "-1");
  on_row(std::uint8_t(255), "255");
  on_row(std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
  on_row(std::numeric_limits<std::uint64_t>::max(), "18446744073709551615");
  on_row(std::int64_t(1) << 32, "4294967296");  // 0 if cut to 32 bits
  expect_error<T>(0, {"gibbs::cross_entropy_from_logits:", "label", "0"},
                  [&](auto&) { gibbs::cross_entropy_from_logits(std::vector<T>(), 0); });

  // One bad label among good ones: no row is written.
  const std::size_t rows = 37;
  const std::vector<T> data(rows * 3, T(1));
  const gibbs::matrix_view<const T> m(data.data(), rows, 3);
  for (std::size_t at : sizes{0, 1, 17, rows - 1}) {
    for (long long bad : {3LL, -1LL, 1LL << 40}) {
      std::vector<long long> labels(rows, 2);
      labels[at] = bad;
      CAPTURE(at);
      expect_error<T>(
          rows,
          {"gibbs::cross_entropy_from_logits:", "label", std::to_string(bad), std::to_string(at)},
          [&](auto& out) { gibbs::cross_entropy_from_logits(m, labels, out); });
    }
  }
  // Every integer type works.
  CHECK(gibbs::cross_entropy_from_logits(x, std::uint8_t(2)) ==
        gibbs::cross_entropy_from_logits(x, 2LL));
  std::vector<T> out(rows);
  gibbs::cross_entropy_from_logits(m, std::vector<std::uint16_t>(rows, 1), out);
  CHECK(out[0] == out[rows - 1]);
}

TEST_CASE_TEMPLATE("output that overlaps an input partly", T, float, double) {
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.writes_row()) continue;
    CAPTURE(f.name);
    const std::string function = "gibbs::" + std::string(f.function) + ":";
    for (std::size_t n : sizes{1, 2, 3, 17, 100}) {
      CAPTURE(n);
      for (std::size_t shift = 1; shift < n; shift += n / 4 + 1) {
        CAPTURE(shift);
        expect_error<T>(n + shift, {function, "out", "overlap", "logits"}, [&](auto& memory) {
          f.on_row({.first = std::span<const T>(memory).first(n)}, std::span<T>(memory).last(n));
        });
        expect_error<T>(n + shift, {function, "out", "overlap", "logits"}, [&](auto& memory) {
          f.on_row({.first = std::span<const T>(memory).last(n)}, std::span<T>(memory).first(n));
        });
      }
      // Side by side is no overlap.
      std::vector<T> memory(2 * n, T(1));
      f.on_row({.first = std::span<const T>(memory).first(n)}, std::span<T>(memory).last(n));
      f.on_row({.first = std::span<const T>(memory).last(n)}, std::span<T>(memory).first(n));
    }
  }
}

TEST_CASE_TEMPLATE("matrices that overlap", T, float, double) {
  using in_view = gibbs::matrix_view<const T>;
  using out_view = gibbs::matrix_view<T>;
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.writes_row()) continue;
    CAPTURE(f.name);
    std::vector<T> results(8);
    const auto call = [&](in_view in, out_view out) {
      f.on_matrix({.first = in}, {out, std::span<T>(results).first(in.rows())});
    };
    const auto refused = [&](in_view in, out_view out) {
      return contains(message_of([&] { call(in, out); }), "overlap");
    };
    std::vector<T> memory(200, T(1));
    T* const data = memory.data();

    // Allowed: the same elements; rows apart; columns side by side in rows of one buffer, in both
    // orders and also where the second lies whole rows further down.
    CHECK_FALSE(refused({data, 4, 5, 9}, {data, 4, 5, 9}));
    CHECK_FALSE(refused({data, 4, 5}, {data + 20, 4, 5}));
    CHECK_FALSE(refused({data, 4, 5, 10}, {data + 5, 4, 5, 10}));
    CHECK_FALSE(refused({data + 5, 4, 5, 10}, {data, 4, 5, 10}));
    CHECK_FALSE(refused({data, 4, 4, 10}, {data + 15, 4, 5 - 1, 10}));
    CHECK_FALSE(refused({data, 4, 3, 10}, {data + 7, 4, 3, 10}));
    CHECK_FALSE(refused({data, 1, 5, 5}, {data, 1, 5, 77}));  // one row: the stride is no matter

    // Refused: shifted by columns, by rows, by less than a gap; other strides; rows of output that
    // overlap each other.
    CHECK(refused({data, 4, 5, 10}, {data + 4, 4, 5, 10}));
    CHECK(refused({data + 4, 4, 5, 10}, {data, 4, 5, 10}));
    CHECK(refused({data, 4, 5, 10}, {data + 6, 4, 5, 10}));  // row i + 1 of the input
    CHECK(refused({data, 4, 5}, {data + 5, 4, 5}));
    CHECK(refused({data + 5, 4, 5}, {data, 4, 5}));
    CHECK(refused({data, 4, 5, 9}, {data + 9, 4, 5, 9}));
    CHECK(refused({data, 4, 5, 9}, {data, 4, 5, 10}));
    CHECK(refused({data, 4, 5, 10}, {data, 4, 5}));
    CHECK(refused({data + 100, 4, 5}, {data, 4, 5, 4}));
    CHECK(refused({data + 100, 4, 5}, {data, 4, 5, 0}));

    // Nothing is written before the check.
    const std::vector<T> before = memory;
    CHECK(refused({data, 4, 5}, {data + 5, 4, 5}));
    CHECK(memory == before);
  }
  // Rows of input may be one and the same.
  std::vector<T> row{1, 2, 3};
  std::vector<T> out(9);
  gibbs::softmax(in_view(row.data(), 3, 3, 0), out_view(out.data(), 3, 3));
  CHECK(out[0] == out[6]);
}

TEST_CASE_TEMPLATE("results that lie in an input or in the output", T, float, double) {
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.gives_scalar()) continue;
    CAPTURE(f.name);
    const std::size_t rows = 3;
    const std::size_t columns = 4;
    const std::vector<label_type> labels(rows, 1);
    std::vector<T> first(rows * columns, T(0.25));
    std::vector<T> second(rows * columns, T(0.25));
    std::vector<T> out(rows * columns, sentinel<T>);
    const auto call = [&](std::span<T> results) {
      return message_of([&] {
        f.on_matrix({gibbs::matrix_view<const T>(first.data(), rows, columns),
                     gibbs::matrix_view<const T>(second.data(), rows, columns), labels},
                    {gibbs::matrix_view<T>(out.data(), rows, columns), results});
      });
    };
    const std::vector<T> first_before = first;
    CHECK(contains(call(std::span<T>(first).first(rows)), "results"));
    CHECK(contains(call(std::span<T>(first).subspan(columns, rows)), "results"));
    CHECK(contains(call(std::span<T>(first).last(rows)), "results"));
    CHECK(first == first_before);
    if (f.has_second()) CHECK(contains(call(std::span<T>(second).last(rows)), "results"));
    if (f.writes_row()) {
      CHECK(contains(call(std::span<T>(out).last(rows)), "results"));
      CHECK(out[0] == sentinel<T>);
    }
  }
}
