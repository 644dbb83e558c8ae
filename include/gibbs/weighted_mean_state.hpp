// SPDX-License-Identifier: MIT
//
// weighted_mean_state: the mean of vectors weighted by the softmax of logits that come in parts:
// the output of attention, keys and values block by block.
#ifndef GIBBS_WEIGHTED_MEAN_STATE_HPP
#define GIBBS_WEIGHTED_MEAN_STATE_HPP

#include <algorithm>
#include <cstddef>
#include <limits>
#include <ranges>
#include <span>

#include "accuracy.hpp"
#include "log_sum_exp_state.hpp"
#include "matrix_view.hpp"
#include "softmax.hpp"

namespace gibbs {

/// The state of log_sum_exp_state and, in memory that the caller owns, the mean so far. The memory
/// is 2 * width numbers: the mean, and what was lost when it was rounded to T. It must live as long
/// as the state; copies of the state share it, so copy it along with them.
///
///     std::vector<float> memory(2 * width);
///     gibbs::weighted_mean_state<float> head(memory, {.temperature = std::sqrt(width)});
///     for (block : cache) head.add(block.scores, block.values);  // scores: of the keys
///     use(head.mean());
///
/// Temperatures, and states without mass, as for log_sum_exp_state.
///
/// Accuracy of each element of the mean: accuracy::weighted_mean ulp of the same mean of absolute
/// values, and where a probability is subnormal, accuracy::softmax_subnormal of its last place,
/// times the element. Overflow is possible where the mean comes within its error of the largest
/// number.
///
/// Special values: a vector whose logit is -infinity is not read. NaN, +infinity or nothing but
/// -infinity among the logits, and nothing at all, give a mean of NaN. Elements of the vectors are
/// multiplied and added as IEEE has it.
///
/// Errors: std::invalid_argument for a temperature less than 0 or NaN, for memory of an odd size,
/// and if sizes differ. Memory and vectors must not overlap; this is not checked.
template <detail::float_type T>
class weighted_mean_state {
 public:
  GIBBS_INLINE explicit weighted_mean_state(std::span<T> memory, const logit_options& options = {})
      : memory_(memory.data()), width_(memory.size() / 2), temperature_(options.temperature) {
    detail::check_temperature("weighted_mean_state", options);
    if (memory.size() % 2 != 0) {
      detail::fail("weighted_mean_state", "memory has ", memory.size(), " elements, an odd number");
    }
    fill(std::numeric_limits<T>::quiet_NaN());
  }

  /// Takes in a block: row i of vectors has the weight exp(logits[i] / temperature).
  template <detail::range_of<T> Logits, class Arch = detail::default_arch>
  void add(const Logits& logits, matrix_view<const T> vectors);

  /// Takes in one vector.
  template <detail::range_of<T> Vector, class Arch = detail::default_arch>
  void add(T logit, const Vector& vector);

  /// Takes in all that the other one has taken in, and leaves its memory as it is. Errors:
  /// std::invalid_argument if the widths differ, or if both have mass and their temperatures
  /// differ.
  template <class Arch = detail::default_arch>
  void merge(const weighted_mean_state& other);

  /// The mean of all vectors so far, in the caller's memory.
  GIBBS_INLINE std::span<const T> mean() const { return {memory_, width_}; }

  /// log_sum_exp of all logits so far.
  template <class Arch = detail::default_arch>
  T log_sum_exp() const;

 private:
  GIBBS_INLINE void fill(T value) {
    for (std::size_t j = 0; j < width_; ++j) {
      memory_[j] = value;
      memory_[width_ + j] = 0;
    }
  }

  T* memory_;
  std::size_t width_;
  detail::logits_sum<T> sum_;
  double temperature_;
};

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// How many logits become probabilities at a time, on the stack.
inline constexpr std::size_t mean_block = 256;

/// Whether there is a mean, and not NaN.
template <class T>
GIBBS_INLINE bool has_mean(const logits_sum<T>& s) {
  const double rest = static_cast<double>(s.rest);
  return is_finite(static_cast<double>(s.largest)) && rest == rest;
}

/// The part's share in the mass of the whole.
template <class T, class Arch>
wide<T> share(const logits_sum<T>& part, const logits_sum<T>& whole, const temperature<T>& t) {
  if (!part.has_mass()) return wide<T>(0.0);
  const wide<T> weight = scaled_exp<Arch>(gap(whole.largest, part.largest, t));
  return part.mass() * weight * wide<T>(1 / sum_unit) / whole.mass();
}

/// An element of a mean, memory[0] + memory[width].
template <class T>
GIBBS_INLINE wide<T> read_wide(const T* memory, std::size_t width) {
  return wide<T>(memory[0]) + wide<T>(memory[width]);
}
template <class T>
GIBBS_INLINE void write_wide(T* memory, std::size_t width, wide<T> x) {
  const bool finite = is_finite(static_cast<double>(static_cast<T>(x)));
  memory[0] = static_cast<T>(x);
  memory[width] = finite ? split<T>(x).lo : T(0);
}

/// mean = mean * old_share + (the sum of p[i] times row i of vectors) * new_share. A mean whose
/// share is 0 is not read.
template <class T, class Arch>
GIBBS_KERNEL void add_rows(T* memory, std::size_t width, const T* logits, const T* p,
                           const matrix_view<const T>& rows, wide<T> old_share, wide<T> new_share) {
  using B = batch<T, Arch>;
  constexpr std::size_t step = lanes<T, Arch>;
  for (std::size_t j = 0; j < width; j += step) {
    const std::size_t count = (std::min)(step, width - j);
    sums<T, Arch, 1> all;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      if (logits[i] == -infinity<T>) continue;
      all.add({{B(p[i]) * read_first<T, Arch>(row_of(rows, i) + j, count, T(0))}});
    }
    auto total = all.total_of_lanes(0);
    alignas(64) T hi[step];
    alignas(64) T lo[step];
    total.hi.store_aligned(hi);
    total.lo.store_aligned(lo);
    for (std::size_t k = 0; k < count; ++k) {
      // A sum that became infinite left a NaN in its error.
      const bool finite = is_finite(static_cast<double>(hi[k]));
      wide<T> x = (wide<T>(hi[k]) + wide<T>(finite ? lo[k] : T(0))) * new_share;
      T* const element = memory + j + k;
      if (static_cast<double>(old_share) != 0) x = x + read_wide(element, width) * old_share;
      write_wide<T>(element, width, x);
    }
  }
}

}  // namespace detail

template <detail::float_type T>
template <detail::range_of<T> Logits, class Arch>
void weighted_mean_state<T>::add(const Logits& logits, matrix_view<const T> vectors) {
  constexpr auto function = "weighted_mean_state::add";
  const T* const x = std::ranges::data(logits);
  const std::size_t n = std::ranges::size(logits);
  detail::check_size(function, "logits", n, vectors.rows());
  if (vectors.columns() != width_) {
    detail::fail(function, "vectors has ", vectors.columns(), " columns for a mean of ", width_);
  }
  const detail::temperature<T> t(temperature_);
  for (std::size_t i = 0; i < n; i += detail::mean_block) {
    const std::size_t count = (std::min)(detail::mean_block, n - i);
    const auto part = detail::sum_of_row<T, Arch>(x + i, count, t);
    auto whole = sum_;
    detail::merge<T, Arch>(whole, part, t);
    if (!detail::has_mean(whole)) {
      fill(std::numeric_limits<T>::quiet_NaN());
    } else if (part.has_mass()) {
      T p[detail::mean_block];
      softmax<const T, Arch>({x + i, 1, count}, {p, 1, count}, {.temperature = temperature_});
      const std::size_t stride = vectors.row_stride();
      detail::add_rows<T, Arch>(
          memory_, width_, x + i, p, {vectors.data() + i * stride, count, width_, stride},
          detail::share<T, Arch>(sum_, whole, t), detail::share<T, Arch>(part, whole, t));
    }
    sum_ = whole;
  }
}

template <detail::float_type T>
template <detail::range_of<T> Vector, class Arch>
void weighted_mean_state<T>::add(T logit, const Vector& vector) {
  add<std::span<const T>, Arch>(std::span<const T>(&logit, 1), detail::as_row(vector));
}

template <detail::float_type T>
template <class Arch>
void weighted_mean_state<T>::merge(const weighted_mean_state& other) {
  constexpr auto function = "weighted_mean_state::merge";
  if (other.width_ != width_) {
    detail::fail(function, "the other state's width is ", other.width_, ", it must be ", width_);
  }
  temperature_ =
      detail::common_temperature(function, sum_, temperature_, other.sum_, other.temperature_);
  const detail::temperature<T> t(temperature_);
  auto whole = sum_;
  detail::merge<T, Arch>(whole, other.sum_, t);
  if (!detail::has_mean(whole)) {
    fill(std::numeric_limits<T>::quiet_NaN());
  } else {
    const auto mine = detail::share<T, Arch>(sum_, whole, t);
    const auto others = detail::share<T, Arch>(other.sum_, whole, t);
    for (std::size_t j = 0; j < width_; ++j) {
      detail::wide<T> x(0.0);
      if (static_cast<double>(mine) != 0) x = detail::read_wide(memory_ + j, width_) * mine;
      if (static_cast<double>(others) != 0) {
        x = x + detail::read_wide<T>(other.memory_ + j, width_) * others;
      }
      detail::write_wide<T>(memory_ + j, width_, x);
    }
  }
  sum_ = whole;
}

template <detail::float_type T>
template <class Arch>
T weighted_mean_state<T>::log_sum_exp() const {
  return detail::log_sum_exp_of<T, Arch>(sum_, detail::temperature<T>(temperature_));
}

}  // namespace gibbs

#endif  // GIBBS_WEIGHTED_MEAN_STATE_HPP
