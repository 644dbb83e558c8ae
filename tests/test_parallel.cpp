// SPDX-License-Identifier: MIT
// Execution policies: results are those of the sequential functions, in every bit, and arguments
// are checked as there.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <gibbs/parallel.hpp>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/sample.hpp"

namespace {

using gibbs::logit_options;
using gibbs::matrix_view;

/// In every bit, but for those of NaN, whose sign is up to the compiler.
template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](T x, T y) {
    return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof(T)) == 0;
  });
}

template <class T>
struct workload {
  std::size_t rows;
  std::size_t columns;
  std::vector<T> x, y, p, q;
  std::vector<int> labels;

  workload(std::size_t r, std::size_t c)
      : rows(r), columns(c), x(r * c), y(r * c), p(r * c), q(r * c), labels(r) {
    gibbs_support::random_source random(r * 1000003 + c);
    for (T& v : x) v = static_cast<T>(random.uniform(-9, 9));
    for (T& v : y) v = static_cast<T>(random.uniform(-9, 9));
    // Rows that go other ways than most: masks, NaN, +infinity, and logits that are large.
    for (std::size_t i = 0; i < r; ++i) {
      T* row = x.data() + i * c;
      if (i % 11 == 3) row[c / 2] = -std::numeric_limits<T>::infinity();
      if (i % 37 == 5) row[c - 1] = std::numeric_limits<T>::quiet_NaN();
      if (i % 41 == 7) row[0] = std::numeric_limits<T>::infinity();
      if (i % 43 == 9) row[c / 3] = T(1e30);
      labels[i] = static_cast<int>(i % c);
    }
    gibbs::softmax(view(x), matrix_view<T>(p.data(), r, c));
    gibbs::softmax(view(y), matrix_view<T>(q.data(), r, c));
  }
  matrix_view<const T> view(const std::vector<T>& m) const { return {m.data(), rows, columns}; }
};

template <class Policy, class T>
void compare(const Policy& policy, const workload<T>& w) {
  CAPTURE(w.rows);
  CAPTURE(w.columns);
  const auto x = w.view(w.x);
  const auto y = w.view(w.y);
  const auto p = w.view(w.p);
  const auto q = w.view(w.q);
  // With the third and the fourth, softmax has subnormal results (float, double).
  for (double temperature : {1.0, 0.7, 0.2, 0.025, 1e-70}) {
    const logit_options options{.temperature = temperature};
    std::vector<T> out(w.x.size()), parallel_out(w.x.size()), results(w.rows),
        parallel_results(w.rows);
    const matrix_view<T> to(out.data(), w.rows, w.columns);
    const matrix_view<T> parallel_to(parallel_out.data(), w.rows, w.columns);

    gibbs::softmax(x, to, options);
    gibbs::softmax(policy, x, parallel_to, options);
    CHECK(same(out, parallel_out));
    gibbs::log_softmax(x, to, options);
    gibbs::log_softmax(policy, x, parallel_to, options);
    CHECK(same(out, parallel_out));
    gibbs::softmax_with_log_sum_exp(x, to, results, options);
    gibbs::softmax_with_log_sum_exp(policy, x, parallel_to, parallel_results, options);
    CHECK(same(out, parallel_out));
    CHECK(same(results, parallel_results));

    gibbs::log_sum_exp(x, results, options);
    gibbs::log_sum_exp(policy, x, parallel_results, options);
    CHECK(same(results, parallel_results));
    gibbs::entropy_from_logits(x, results, options);
    gibbs::entropy_from_logits(policy, x, parallel_results, options);
    CHECK(same(results, parallel_results));
    gibbs::cross_entropy_from_logits(x, w.labels, results, options);
    gibbs::cross_entropy_from_logits(policy, x, w.labels, parallel_results, options);
    CHECK(same(results, parallel_results));
    gibbs::cross_entropy_from_logits(x, p, results, options);
    gibbs::cross_entropy_from_logits(policy, x, p, parallel_results, options);
    CHECK(same(results, parallel_results));
    gibbs::kl_divergence_from_logits(x, y, results, options);
    gibbs::kl_divergence_from_logits(policy, x, y, parallel_results, options);
    CHECK(same(results, parallel_results));
  }
  std::vector<T> results(w.rows), parallel_results(w.rows);
  gibbs::entropy(p, results);
  gibbs::entropy(policy, p, parallel_results);
  CHECK(same(results, parallel_results));
  gibbs::cross_entropy(p, q, results);
  gibbs::cross_entropy(policy, p, q, parallel_results);
  CHECK(same(results, parallel_results));
  gibbs::kl_divergence(p, q, results);
  gibbs::kl_divergence(policy, p, q, parallel_results);
  CHECK(same(results, parallel_results));
}

}  // namespace

TEST_CASE_TEMPLATE("matrices of many shapes", T, float, double) {
  for (std::size_t columns : {1u, 3u, 10u, 64u, 65u, 200u, 1000u}) {
    for (std::size_t rows : {1u, 2u, 7u, 100u, 5000u}) {
      if (rows * columns > 300000) continue;
      const workload<T> w(rows, columns);
      compare(std::execution::seq, w);
      compare(std::execution::par, w);
      compare(std::execution::par_unseq, w);
    }
  }
}

TEST_CASE_TEMPLATE("long rows", T, float, double) {
  for (std::size_t columns : {32768u, 32769u, 140001u}) {
    for (std::size_t rows : {1u, 4u}) compare(std::execution::par, workload<T>(rows, columns));
  }
}

TEST_CASE("more pieces than there are parts") {
  std::vector<float> x((std::size_t(1) << 23) + 12345);
  gibbs_support::random_source random(1);
  for (float& v : x) v = static_cast<float>(random.uniform(-9, 9));
  CHECK(gibbs::log_sum_exp(std::execution::par, x) == gibbs::log_sum_exp(x));
  std::vector<float> out(x.size());
  gibbs::softmax(std::execution::par, x, out);
  gibbs::softmax(x, x);
  CHECK(same(out, x));
}

TEST_CASE_TEMPLATE("one row as a range", T, float, double) {
  const workload<T> w(1, 150000);
  std::vector<T> out(w.x.size()), parallel_out(w.x.size());
  const logit_options options{.temperature = 1.3};
  gibbs::softmax(w.x, out, options);
  gibbs::softmax(std::execution::par, w.x, parallel_out, options);
  CHECK(same(out, parallel_out));
  gibbs::log_softmax(w.x, out, options);
  gibbs::log_softmax(std::execution::par, w.x, parallel_out, options);
  CHECK(same(out, parallel_out));
  CHECK(gibbs::softmax_with_log_sum_exp(std::execution::par, w.x, parallel_out, options) ==
        gibbs::softmax_with_log_sum_exp(w.x, out, options));
  CHECK(same(out, parallel_out));
  CHECK(gibbs::log_sum_exp(std::execution::par, w.x, options) == gibbs::log_sum_exp(w.x, options));
  CHECK(gibbs::entropy_from_logits(std::execution::par, w.x, options) ==
        gibbs::entropy_from_logits(w.x, options));
  CHECK(gibbs::cross_entropy_from_logits(std::execution::par, w.x, 77, options) ==
        gibbs::cross_entropy_from_logits(w.x, 77, options));
}

TEST_CASE("in place, strides, nothing") {
  workload<float> w(300, 50);
  std::vector<float> in_place = w.x;
  const matrix_view<float> left(in_place.data(), 300, 20, 50);
  gibbs::softmax(std::execution::par, left, left);
  std::vector<float> wanted = w.x;
  gibbs::softmax(matrix_view<const float>(w.x.data(), 300, 20, 50),
                 matrix_view<float>(wanted.data(), 300, 20, 50));
  CHECK(same(in_place, wanted));

  const std::vector<float> none;
  std::vector<float> no_output;
  gibbs::softmax(std::execution::par, none, no_output);
  CHECK(gibbs::log_sum_exp(std::execution::par, none) == -std::numeric_limits<float>::infinity());
  CHECK(gibbs::entropy_from_logits(std::execution::par, none) == 0);
  gibbs::log_sum_exp(std::execution::par, matrix_view<const float>(), no_output);
}

TEST_CASE("arguments are checked, and nothing is written") {
  const std::vector<float> x(30, 1.0f);
  std::vector<float> out(30, 5.0f), results(3, 5.0f);
  const matrix_view<const float> in(x.data(), 3, 10);
  const auto refuses = [&](auto call, const char* part) {
    try {
      call();
      FAIL_CHECK("no error: ", part);
    } catch (const std::invalid_argument& error) {
      CHECK(std::string(error.what()).find(part) != std::string::npos);
    }
    CHECK(out == std::vector<float>(30, 5.0f));
    CHECK(results == std::vector<float>(3, 5.0f));
  };
  const auto& par = std::execution::par;
  refuses([&] { gibbs::softmax(par, in, matrix_view<float>(out.data(), 3, 9)); }, "out");
  refuses([&] { gibbs::softmax(par, x, out, {.temperature = -1}); }, "temperature is -1");
  refuses([&] { gibbs::log_sum_exp(par, in, std::span(results).first(2)); }, "results");
  refuses(
      [&] {
        gibbs::cross_entropy_from_logits(par, in, std::vector{0, 10, 3}, results);
      },
      "labels[1] is 10");
  refuses([&] { gibbs::cross_entropy_from_logits(par, x, -1); }, "label is -1");
  refuses(
      [&] { gibbs::kl_divergence(par, in, matrix_view<const float>(x.data(), 2, 10), results); },
      "q has 2 x 10");
}
