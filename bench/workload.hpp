// SPDX-License-Identifier: MIT
// What the benchmarks run on: shapes and inputs. Small rows come as a batch of about 2^16 elements,
// which is how they are met (classifier heads, routers, attention tiles).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "support/registry.hpp"

namespace bench {

struct shape {
  std::size_t rows;
  std::size_t columns;
  std::string name() const { return std::to_string(rows) + "x" + std::to_string(columns); }
};

inline constexpr shape shapes[] = {
    {4096, 4},  {4096, 10}, {4096, 16}, {1024, 64},  {512, 128},   {1, 128},
    {64, 1000}, {16, 4096}, {2, 32768}, {1, 128256}, {1, 1 << 20}, {1, 16 << 20},
};

/// Memory whose start is `shift` elements past a cache line, and past a page boundary by an amount
/// of its own, so that two buffers never meet in the same cache sets line by line.
template <class T>
class buffer {
 public:
  buffer() = default;
  buffer(std::size_t size, std::size_t number, std::size_t shift = 0)
      : storage_(size + (4096 + number * 1088 + 64) / sizeof(T) + shift), size_(size) {
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
    const auto page = (address + 4095) / 4096 * 4096 - address;
    offset_ = (page + number * 1088) / sizeof(T) + shift;
  }
  T* data() { return storage_.data() + offset_; }
  const T* data() const { return storage_.data() + offset_; }
  std::size_t size() const { return size_; }

 private:
  std::vector<T> storage_;
  std::size_t size_ = 0;
  std::size_t offset_ = 0;
};

/// Inputs for any primitive at one shape, and room for its results.
template <class T>
class workload {
 public:
  explicit workload(const shape& s, std::size_t shift = 0)
      : shape_(s),
        x_(s.rows * s.columns, 0, shift),
        y_(s.rows * s.columns, 1, shift),
        p_(s.rows * s.columns, 2, shift),
        q_(s.rows * s.columns, 3, shift),
        out_(s.rows * s.columns, 4, shift),
        scalars_(s.rows),
        labels_(s.rows) {
    fill_logits(x_, 1);
    fill_logits(y_, 2);
    fill_probabilities(p_, x_);
    fill_probabilities(q_, y_);
    for (std::size_t r = 0; r < s.rows; ++r)
      labels_[r] = static_cast<gibbs_support::label_type>(r * 7919 % s.columns);
  }

  const shape& dimensions() const { return shape_; }
  std::size_t elements() const { return shape_.rows * shape_.columns; }

  const T* first(const gibbs_support::primitive<T>& f) const {
    return (f.first_is_logits() ? x_ : p_).data();
  }
  const T* second(const gibbs_support::primitive<T>& f) const {
    if (!f.has_second()) return nullptr;
    return (f.second_is_logits() ? y_ : q_).data();
  }
  const std::vector<gibbs_support::label_type>& labels() const { return labels_; }
  T* out() { return out_.data(); }
  T* scalars() { return scalars_.data(); }

  gibbs_support::matrix_arguments<T> arguments(const gibbs_support::primitive<T>& f) const {
    const auto [rows, columns] = shape_;
    return {.first = {first(f), rows, columns},
            .second = {second(f), f.has_second() ? rows : 0, f.has_second() ? columns : 0},
            .labels = labels_,
            .temperature = 1};
  }
  /// Reductions write to the start of out(), as the peers do.
  gibbs_support::matrix_results<T> results(const gibbs_support::primitive<T>& f) {
    if (!f.writes_row()) return {.scalars = {out_.data(), shape_.rows}};
    return {.rows = {out_.data(), shape_.rows, shape_.columns}, .scalars = scalars_};
  }

 private:
  static void fill_logits(buffer<T>& logits, unsigned seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal(0, 4);
    const std::size_t size = logits.size();
    const std::size_t fresh = (std::min)(size, std::size_t{1} << 18);
    T* data = logits.data();
    for (std::size_t i = 0; i < fresh; ++i) data[i] = static_cast<T>(normal(random));
    for (std::size_t i = fresh; i < size; ++i) data[i] = data[i - fresh];
  }

  void fill_probabilities(buffer<T>& p, const buffer<T>& logits) const {
    for (std::size_t r = 0; r < shape_.rows; ++r) {
      const T* x = logits.data() + r * shape_.columns;
      T* out = p.data() + r * shape_.columns;
      double sum = 0;
      for (std::size_t i = 0; i < shape_.columns; ++i) sum += std::exp(static_cast<double>(x[i]));
      for (std::size_t i = 0; i < shape_.columns; ++i)
        out[i] = static_cast<T>(std::exp(static_cast<double>(x[i])) / sum);
    }
  }

  shape shape_;
  buffer<T> x_, y_, p_, q_, out_;
  std::vector<T> scalars_;
  std::vector<gibbs_support::label_type> labels_;
};

/// Bytes that any implementation has to move: each input once, each output once.
template <class T>
std::size_t least_traffic(const gibbs_support::primitive<T>& f, const shape& s) {
  const std::size_t matrices = 1u + (f.has_second() ? 1u : 0u) + (f.writes_row() ? 1u : 0u);
  return matrices * s.rows * s.columns * sizeof(T) + (f.gives_scalar() ? s.rows * sizeof(T) : 0);
}

}  // namespace bench
