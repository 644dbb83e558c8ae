// SPDX-License-Identifier: MIT
// Input for any primitive of the registry.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "inputs.hpp"
#include "registry.hpp"

namespace gibbs_support {

template <class T>
struct sample {
  std::vector<T> first;
  std::vector<T> second;
  label_type label = 0;
  double temperature = 1;

  row_arguments<T> arguments() const {
    return {.first = first, .second = second, .label = label, .temperature = temperature};
  }
};

template <class T>
std::span<const family<T>> families_of(const primitive<T>& f) {
  return f.first_is_logits() ? logit_families<T>() : distribution_families<T>();
}

// One row of n elements. The label, where there is one, is often the largest logit: that is where
// a loss is small and digits are lost.
template <class T>
sample<T> draw(const primitive<T>& f, const family<T>& from, random_source& random, std::size_t n,
               double temperature = 1) {
  sample<T> result;
  result.temperature = f.uses_temperature ? temperature : 1;
  result.first.resize(n);
  result.second.resize(n);
  from.fill(random, result.first, result.second);
  if (f.input == input_kind::logits_and_target) {
    dirichlet<T>(random, result.second, random.uniform() < 0.5 ? 1 : 0.1);
  }
  if (f.has_label() && n > 0) {
    const auto largest = std::max_element(result.first.begin(), result.first.end());
    const bool take_largest = random.uniform() < 0.5;
    result.label = static_cast<label_type>(
        take_largest ? static_cast<std::size_t>(largest - result.first.begin()) : random.below(n));
  }
  return result;
}

// The plainest family: what a sweep over lengths and alignments takes.
template <class T>
sample<T> draw_ordinary(const primitive<T>& f, random_source& random, std::size_t n,
                        double temperature = 1) {
  return draw(f, families_of(f)[f.first_is_logits() ? 1 : 0], random, n, temperature);
}

// A label needs a class.
template <class T>
bool allows_empty(const primitive<T>& f) {
  return !f.has_label();
}

}  // namespace gibbs_support
