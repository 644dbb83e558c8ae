// SPDX-License-Identifier: MIT
// What a user writes by hand: the textbook formulas with std::exp and std::log, one element after
// the other, in the element type. Benchmarks and the accuracy table print it beside the library.
// It handles ordinary input only; none of the contract's special values is promised here.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace gibbs_support::baseline {

template <class T>
T maximum(std::span<const T> x) {
  T result = x[0];
  for (T value : x) result = (std::max)(result, value);
  return result;
}

template <class T>
T sum_of_exponentials(std::span<const T> x, T max, T temperature) {
  T sum = 0;
  for (T value : x) sum += std::exp((value - max) / temperature);
  return sum;
}

template <class T>
T log_sum_exp(std::span<const T> x, T temperature) {
  const T max = maximum(x);
  return max / temperature + std::log(sum_of_exponentials(x, max, temperature));
}

template <class T>
T softmax(std::span<const T> x, std::span<T> out, T temperature) {
  const T max = maximum(x);
  T sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] = std::exp((x[i] - max) / temperature);
    sum += out[i];
  }
  for (T& value : out) value /= sum;
  return max / temperature + std::log(sum);
}

template <class T>
void log_softmax(std::span<const T> x, std::span<T> out, T temperature) {
  const T max = maximum(x);
  const T log_sum = std::log(sum_of_exponentials(x, max, temperature));
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = (x[i] - max) / temperature - log_sum;
}

template <class T>
T entropy(std::span<const T> p) {
  T sum = 0;
  for (T value : p) {
    if (value > 0) sum -= value * std::log(value);
  }
  return sum;
}

template <class T>
T entropy_from_logits(std::span<const T> x, T temperature) {
  const T max = maximum(x);
  T sum = 0;
  T weighted = 0;
  for (T value : x) {
    const T z = (value - max) / temperature;
    const T weight = std::exp(z);
    sum += weight;
    weighted += weight * z;
  }
  return std::log(sum) - weighted / sum;
}

template <class T>
T cross_entropy(std::span<const T> p, std::span<const T> q) {
  T sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] > 0) sum -= p[i] * std::log(q[i]);
  }
  return sum;
}

template <class T>
T cross_entropy_of_label(std::span<const T> x, std::size_t label, T temperature) {
  return log_sum_exp(x, temperature) - x[label] / temperature;
}

template <class T>
T cross_entropy_of_target(std::span<const T> x, std::span<const T> target, T temperature) {
  const T normalizer = log_sum_exp(x, temperature);
  T sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += target[i] * (normalizer - x[i] / temperature);
  return sum;
}

template <class T>
T kl_divergence(std::span<const T> p, std::span<const T> q) {
  T sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] > 0) sum += p[i] * std::log(p[i] / q[i]);
  }
  return sum;
}

template <class T>
T kl_divergence_from_logits(std::span<const T> x, std::span<const T> y, T temperature) {
  const T x_normalizer = log_sum_exp(x, temperature);
  const T y_normalizer = log_sum_exp(y, temperature);
  T sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T log_p = x[i] / temperature - x_normalizer;
    const T log_q = y[i] / temperature - y_normalizer;
    sum += std::exp(log_p) * (log_p - log_q);
  }
  return sum;
}

}  // namespace gibbs_support::baseline
