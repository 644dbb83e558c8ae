// SPDX-License-Identifier: MIT
// Prints the architecture; fails if a result is wrong.
#include <cmath>
#include <cstdio>
#include <gibbs/dispatch.hpp>
#include <limits>
#include <stdexcept>
#include <vector>

template <class T>
bool check() {
  const T epsilon = std::numeric_limits<T>::epsilon();
  const auto near = [&](T value, double wanted) {
    const double error = std::abs(static_cast<double>(value) - wanted);
    return error <= 8 * static_cast<double>(epsilon) * wanted;
  };
  const std::size_t n = 1003;
  std::vector<T> x(n), p(n);
  x[n - 1] = T(7);
  const double sum = 1002 + std::exp(7.0);
  gibbs::dispatch::softmax(x, p);
  bool ok = near(p[0], 1 / sum) && near(p[n - 1], std::exp(7.0) / sum);
  ok = near(gibbs::dispatch::log_sum_exp(x), std::log(sum)) && ok;
  const gibbs::matrix_view<const T> rows(x.data(), 17, 59);
  std::vector<T> results(17);
  gibbs::dispatch::log_sum_exp(rows, results, {.temperature = 0.5});
  ok = near(results[0], std::log(59.0)) && ok;
  const std::vector<T> half{T(0.5), T(0.5)}, quarter{T(0.25), T(0.75)};
  ok = near(gibbs::dispatch::kl_divergence(half, quarter), std::log(2.0) - 0.5 * std::log(3.0)) &&
       ok;
  ok = near(gibbs::dispatch::entropy(half), std::log(2.0)) && ok;
  bool refused = false;
  try {
    // A bit pattern, since a compiler with -ffast-math takes every NaN for a number.
    gibbs::dispatch::softmax(x, p, {.temperature = std::numeric_limits<double>::quiet_NaN()});
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  return ok && refused;
}

int main() {
  std::puts(gibbs::dispatch::architecture());
  return check<float>() && check<double>() ? 0 : 1;
}
