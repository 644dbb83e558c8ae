// SPDX-License-Identifier: MIT
//
// entropy_state: entropy_from_logits of logits that come in parts.
#ifndef GIBBS_ENTROPY_STATE_HPP
#define GIBBS_ENTROPY_STATE_HPP

#include <concepts>
#include <cstddef>
#include <limits>
#include <ranges>

#include "entropy.hpp"
#include "log_sum_exp_state.hpp"

namespace gibbs {

/// The state of log_sum_exp_state and the sum of exp((x - max) / T) (max - x) / T beside it. It is
/// used in the same way, and its rules for temperatures, states without mass and copies are the
/// same.
///
/// Special values as for entropy_from_logits: NaN, +infinity or nothing but -infinity give NaN,
/// nothing at all 0.
///
/// Errors: std::invalid_argument for a temperature less than 0 or NaN.
template <std::floating_point T>
class entropy_state {
 public:
  entropy_state() = default;  // temperature 1
  GIBBS_INLINE explicit entropy_state(const logit_options& options)
      : temperature_(options.temperature) {
    detail::check_temperature("entropy_state", options);
  }

  /// Takes in a block of logits, of any length.
  template <detail::range_of<T> Logits, class Arch = detail::default_arch>
  void add(const Logits& logits);

  /// Takes in one logit.
  template <class Arch = detail::default_arch>
  void add(T logit);

  /// Takes in all that the other one has taken in. Errors: std::invalid_argument if both have mass
  /// and their temperatures differ.
  template <class Arch = detail::default_arch>
  void merge(const entropy_state& other);

  /// The entropy, in nats, of the softmax of all logits so far. Accuracy:
  /// accuracy::entropy_from_logits ulp.
  template <class Arch = detail::default_arch>
  T value() const;

 private:
  template <class Arch>
  void merge(detail::logits_sum<T> sum, detail::wide<T> distances);

  detail::logits_sum<T> sum_;
  detail::wide<T> distances_ = detail::wide<T>(0.0);  // times sum_unit
  double temperature_ = 1;
};

// ---------------------------------------------------------------------------------------------------

template <std::floating_point T>
template <detail::range_of<T> Logits, class Arch>
void entropy_state<T>::add(const Logits& logits) {
  using detail::wide;
  const std::size_t n = std::ranges::size(logits);
  if (n == 0) return;
  const detail::temperature<T> t(temperature_);
  const auto total = detail::entropy_total_of_row<T, Arch>(std::ranges::data(logits), n, t);
  const auto sum = detail::sum_of_total<T, Arch>(total.weights, std::ranges::data(logits), n);
  merge<Arch>(sum, detail::is_finite(static_cast<double>(sum.largest))
                       ? total.distances * wide<T>(detail::sum_unit)
                       : wide<T>(std::numeric_limits<double>::quiet_NaN()));
}

template <std::floating_point T>
template <class Arch>
void entropy_state<T>::add(T logit) {
  const bool finite = detail::is_finite(static_cast<double>(logit));
  merge<Arch>(detail::sum_of_one<T, Arch>(logit),
              detail::wide<T>(finite ? 0.0 : std::numeric_limits<double>::quiet_NaN()));
}

template <std::floating_point T>
template <class Arch>
void entropy_state<T>::merge(const entropy_state& other) {
  temperature_ = detail::common_temperature("entropy_state::merge", sum_, temperature_, other.sum_,
                                            other.temperature_);
  merge<Arch>(other.sum_, other.distances_);
}

template <std::floating_point T>
template <class Arch>
void entropy_state<T>::merge(detail::logits_sum<T> sum, detail::wide<T> distances) {
  using detail::wide;
  const bool larger = sum.largest > sum_.largest;
  detail::exchange_if(larger, sum, sum_);
  detail::exchange_if(larger, distances, distances_);
  if (sum.has_mass()) {
    const wide<T> gap =
        detail::gap(sum_.largest, sum.largest, detail::temperature<T>(temperature_));
    const wide<T> weight = detail::largest_weight<T, Arch>(sum, gap);
    sum_.rest = sum_.rest + sum.mass() * weight;
    distances_ =
        distances_ + gap * sum.mass() * weight + distances * weight * wide<T>(1 / detail::sum_unit);
  } else {
    sum_.rest = sum_.rest + sum.rest;
    if (!sum_.has_mass()) distances_ = distances_ + distances;
  }
}

template <std::floating_point T>
template <class Arch>
T entropy_state<T>::value() const {
  if (!sum_.has_mass()) return static_cast<T>(distances_);
  return static_cast<T>(sum_.log_mass() +
                        distances_ * detail::wide<T>(1 / detail::sum_unit) / sum_.mass());
}

}  // namespace gibbs

#endif  // GIBBS_ENTROPY_STATE_HPP
