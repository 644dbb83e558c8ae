// SPDX-License-Identifier: MIT
// Calls the library and compares with values known without it. Each unit that includes this has a
// function of its own, so that no linker can take one for another.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <gibbs/gibbs.hpp>
#include <gibbs/gibbs.hpp>  // twice: include guards
#include <vector>

namespace {

template <class T>
bool near_to(const char* what, T value, double expected) {
  if (std::abs(static_cast<double>(value) - expected) <= 1e-5 * std::abs(expected)) return true;
  std::printf("%s is %.9g, expected %.9g\n", what, static_cast<double>(value), expected);
  return false;
}

template <class T>
bool check_type() {
  constexpr double ln2 = 0.69314718055994531;
  bool ok = true;

  // One large element among equal ones, long enough for the vectors and with a tail.
  const std::size_t n = 1003;
  std::vector<T> logits(n), p(n);
  logits[n - 1] = static_cast<T>(std::log(1002.0));
  gibbs::softmax(logits, p);
  ok &= near_to("softmax, first", p[0], 1.0 / 2004);
  ok &= near_to("softmax, last", p[n - 1], 0.5);
  ok &= near_to("log_sum_exp", gibbs::log_sum_exp(logits), std::log(2004.0));
  ok &= near_to("cross_entropy_from_logits", gibbs::cross_entropy_from_logits(logits, n - 1), ln2);
  ok &= near_to("entropy", gibbs::entropy(p), 0.5 * ln2 + 0.5 * std::log(2004.0));
  ok &= near_to("cross_entropy", gibbs::cross_entropy(p, p), 0.5 * ln2 + 0.5 * std::log(2004.0));

  const std::vector<T> half{T(0.5), T(0.5)}, quarter{T(0.25), T(0.75)};
  ok &= near_to("kl_divergence", gibbs::kl_divergence(half, quarter), ln2 - 0.5 * std::log(3.0));
  ok &= near_to("to_bits", gibbs::to_bits(gibbs::entropy(half)), 1);
  std::vector<T> out(2);
  gibbs::log_softmax(half, out, {.temperature = 0.5});
  ok &= near_to("log_softmax", out[0], -ln2);

  // The same row in two parts.
  gibbs::log_sum_exp_state<T> state, second_state;
  gibbs::entropy_state<T> entropy_state, second_entropy;
  state.add(std::vector<T>(n - 1));
  entropy_state.add(std::vector<T>(n - 1));
  second_state.add(logits[n - 1]);
  second_entropy.add(logits[n - 1]);
  state.merge(second_state);
  entropy_state.merge(second_entropy);
  ok &= near_to("log_sum_exp_state", state.value(), std::log(2004.0));
  ok &= near_to("its cross_entropy", state.cross_entropy(logits[n - 1]), ln2);
  ok &= near_to("entropy_state", entropy_state.value(), 0.5 * ln2 + 0.5 * std::log(2004.0));
  std::vector<T> memory(2), other_memory(2);
  gibbs::weighted_mean_state<T> mean(memory), other_mean(other_memory);
  mean.add(std::vector<T>(n - 1), gibbs::matrix_view<const T>(p.data(), n - 1, 1));
  other_mean.add(logits[n - 1], std::vector<T>{T(3)});
  mean.merge(other_mean);
  ok &= near_to("weighted_mean_state", mean.mean()[0], 1.5 + 0.5 / 2004);

  // Rows that are short, more of them than a vector has lanes.
  const std::size_t rows = 21, columns = 3;
  std::vector<T> small_rows(rows * columns), results(rows);
  gibbs::log_sum_exp(gibbs::matrix_view<const T>(small_rows.data(), rows, columns), results);
  ok &= near_to("log_sum_exp of rows", results[rows - 1], std::log(3.0));
  return ok;
}

bool check() {
  bool ok = check_type<float>();
  ok &= check_type<double>();
  const std::vector<int> values{3, 1, 4, 2, 4};
  ok &= near_to("find_duplicate", gibbs::find_duplicate(values), 4);
  return ok;
}

}  // namespace
