// SPDX-License-Identifier: MIT
// Rows and matrices of more than 2^31 elements, with results that are known without computing them.
// Faults that it catches: an index or an offset in 32 bits, a count in float, sums that lose digits
// with the length. Needs 9 GiB of memory; `./dev test --huge` builds and runs it.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <gibbs/gibbs.hpp>
#include <vector>

namespace {

int failures = 0;

void expect(const char* what, double got, double wanted, double ulps = 4) {
  const double error = std::abs(got - wanted) / (std::abs(wanted) * 0x1p-23);
  const bool good = error <= ulps;
  std::printf("%-44s %.9g, exact %.9g%s\n", what, got, wanted, good ? "" : "  FAILED");
  if (!good) ++failures;
}

}  // namespace

int main() {
  const std::size_t n = (std::size_t(1) << 31) + 77;
  const double count = static_cast<double>(n);
  std::vector<float> x(n, 0.0f);

  // One row; what is special about it is at its end.
  const float high = 20;
  x[n - 1] = high;
  const double sum = count - 1 + std::exp(20.0);
  expect("log_sum_exp", static_cast<double>(gibbs::log_sum_exp(x)), std::log(sum));
  expect("cross_entropy_from_logits, last label",
         static_cast<double>(gibbs::cross_entropy_from_logits(x, n - 1)), std::log(sum) - 20);
  expect("entropy_from_logits", static_cast<double>(gibbs::entropy_from_logits(x)),
         std::log(sum) - 20 * std::exp(20.0) / sum);
  expect("kl_divergence_from_logits",
         static_cast<double>(gibbs::kl_divergence_from_logits(x, x)) + 1, 1);
  gibbs::softmax(x, x);
  expect("softmax, first", static_cast<double>(x[0]), 1 / sum);
  expect("softmax, beyond 2^31", static_cast<double>(x[n - 2]), 1 / sum);
  expect("softmax, last", static_cast<double>(x[n - 1]), std::exp(20.0) / sum);
  expect("entropy", static_cast<double>(gibbs::entropy(x)),
         std::log(sum) - 20 * std::exp(20.0) / sum, 40);  // of rounded probabilities
  expect("kl_divergence", static_cast<double>(gibbs::kl_divergence(x, x)) + 1, 1);

  // As a matrix, in place.
  const std::size_t columns = 46343;
  const std::size_t rows = n / columns;
  std::fill(x.begin(), x.end(), 0.0f);
  for (std::size_t i = 0; i < rows; ++i) {
    x[i * columns + i % columns] = static_cast<float>(i) / static_cast<float>(rows);
  }
  const gibbs::matrix_view<float> matrix(x.data(), rows, columns);
  std::vector<float> results(rows);
  const std::vector<std::int64_t> labels(rows, static_cast<std::int64_t>(columns) - 1);
  gibbs::cross_entropy_from_logits(matrix, labels, results);
  const double others = static_cast<double>(columns - 1);
  const double last = static_cast<double>(rows - 1) / static_cast<double>(rows);
  expect("losses of a matrix, last row", static_cast<double>(results[rows - 1]),
         std::log(others + std::exp(last)));
  gibbs::softmax(matrix, matrix);
  expect("softmax of a matrix, last row, last column", static_cast<double>(x[rows * columns - 1]),
         1 / (others + std::exp(last)));
  expect("softmax of a matrix, last row, its largest",
         static_cast<double>(x[(rows - 1) * columns + (rows - 1) % columns]),
         std::exp(last) / (others + std::exp(last)));

  // More rows than 2^31, of one element that all share: only the results take memory.
  const float one = 1;
  gibbs::log_sum_exp(gibbs::matrix_view<const float>(&one, n, 1, 0), x);
  expect("log_sum_exp of 2^31 rows, last", static_cast<double>(x[n - 1]), 1);

  x = {};

  // A duplicate beyond 2^31, found among more integers than that.
  std::vector<std::uint32_t> values(n + 1);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<std::uint32_t>(i + 1);
  const std::uint32_t duplicate = (std::uint32_t(1) << 31) + 5;
  values[n] = duplicate;
  const std::uint32_t found = gibbs::find_duplicate(values);
  std::printf("%-44s %u, exact %u%s\n", "find_duplicate", found, duplicate,
              found == duplicate ? "" : "  FAILED");
  if (found != duplicate) ++failures;
  std::puts(failures == 0 ? "passed" : "FAILED");
  return failures == 0 ? 0 : 1;
}
