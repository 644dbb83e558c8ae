// SPDX-License-Identifier: MIT
//
// entropy_state: entropy_from_logits of logits that come in parts.
#ifndef GIBBS_ENTROPY_STATE_HPP
#define GIBBS_ENTROPY_STATE_HPP

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
template <detail::float_type T>
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
  detail::entropy_sum<T> sum_;
  double temperature_ = 1;
};

// ---------------------------------------------------------------------------------------------------

template <detail::float_type T>
template <detail::range_of<T> Logits, class Arch>
void entropy_state<T>::add(const Logits& logits) {
  const detail::temperature<T> t(temperature_);
  detail::merge<T, Arch>(
      sum_,
      detail::entropy_sum_of_row<T, Arch>(std::ranges::data(logits), std::ranges::size(logits), t),
      t);
}

template <detail::float_type T>
template <class Arch>
void entropy_state<T>::add(T logit) {
  const bool finite = detail::is_finite(static_cast<double>(logit));
  detail::merge<T, Arch>(sum_,
                         {detail::sum_of_one<T, Arch>(logit),
                          detail::wide<T>(finite ? 0.0 : std::numeric_limits<double>::quiet_NaN())},
                         detail::temperature<T>(temperature_));
}

template <detail::float_type T>
template <class Arch>
void entropy_state<T>::merge(const entropy_state& other) {
  temperature_ = detail::common_temperature("entropy_state::merge", sum_.weights, temperature_,
                                            other.sum_.weights, other.temperature_);
  detail::merge<T, Arch>(sum_, other.sum_, detail::temperature<T>(temperature_));
}

template <detail::float_type T>
template <class Arch>
T entropy_state<T>::value() const {
  return detail::entropy_of<T, Arch>(sum_);
}

}  // namespace gibbs

#endif  // GIBBS_ENTROPY_STATE_HPP
