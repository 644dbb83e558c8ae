// SPDX-License-Identifier: MIT
//
// log_sum_exp_state: log_sum_exp of logits that come in parts, from a stream, threads or machines.
#ifndef GIBBS_LOG_SUM_EXP_STATE_HPP
#define GIBBS_LOG_SUM_EXP_STATE_HPP

#include <cstddef>
#include <limits>
#include <ranges>

#include "detail/arguments.hpp"
#include "detail/logits.hpp"

namespace gibbs {

/// What must be known of some logits to go on with others: their maximum and the sum of
/// exp((x - max) / temperature) over all but one maximum. Parts of a row, each with a state of its
/// own, are merged in any order; the order and the parts change the result by no more than the
/// accuracy of value() allows.
///
///     gibbs::log_sum_exp_state<float> state({.temperature = 0.7});
///     while (next(block)) state.add(block);
///     state.merge(state_of_another_thread);
///     float log_sum = state.value();
///
/// A small value, trivially copyable: it may be sent to another machine as bytes. A state in which
/// there is nothing, or nothing but -infinity, has no mass: it is neutral in a merge.
///
/// Special values as for log_sum_exp, and they stay: after NaN everything is NaN.
///
/// Errors: std::invalid_argument for a temperature less than 0 or NaN.
template <detail::float_type T>
class log_sum_exp_state {
 public:
  log_sum_exp_state() = default;  // temperature 1
  GIBBS_INLINE explicit log_sum_exp_state(const logit_options& options)
      : temperature_(options.temperature) {
    detail::check_temperature("log_sum_exp_state", options);
  }

  /// Takes in a block of logits, of any length. This is as fast as log_sum_exp of the block.
  template <detail::range_of<T> Logits, class Arch = detail::default_arch>
  void add(const Logits& logits);

  /// Takes in one logit.
  template <class Arch = detail::default_arch>
  void add(T logit);

  /// Takes in all that the other one has taken in. If one of the two has no mass, the temperature
  /// is that of the other one; so log_sum_exp_state<T>() starts any reduction. Otherwise, errors:
  /// std::invalid_argument if their temperatures differ.
  template <class Arch = detail::default_arch>
  void merge(const log_sum_exp_state& other);

  /// log_sum_exp of all logits so far. Accuracy: as log_sum_exp, accuracy::log_sum_exp ulp of the
  /// larger of |max / temperature| and |log of the sum of exp((x - max) / temperature)|.
  template <class Arch = detail::default_arch>
  T value() const;

  /// -log(softmax) of one of the logits so far: the cross-entropy, in nats, of the class whose
  /// logit it is. Accuracy: accuracy::cross_entropy_from_logits ulp; unlike value() - logit /
  /// temperature it is good near 0 too. Special values: a logit of -infinity gives +infinity; NaN,
  /// +infinity or nothing but -infinity so far give NaN. Errors: std::invalid_argument for a logit
  /// that is larger than all so far.
  template <class Arch = detail::default_arch>
  T cross_entropy(T logit) const;

 private:
  detail::logits_sum<T> sum_;
  double temperature_ = 1;
};

// ---------------------------------------------------------------------------------------------------

namespace detail {

/// The temperature of two states together.
template <class T>
GIBBS_INLINE double common_temperature(const char* function, const logits_sum<T>& a, double t,
                                       const logits_sum<T>& b, double other) {
  if (!b.has_mass()) return t;
  if (a.has_mass() && t != other) {
    fail(function, "the other state's temperature is ", other, ", it must be ", t);
  }
  return other;
}

}  // namespace detail

template <detail::float_type T>
template <detail::range_of<T> Logits, class Arch>
void log_sum_exp_state<T>::add(const Logits& logits) {
  const detail::temperature<T> t(temperature_);
  detail::merge<T, Arch>(
      sum_, detail::sum_of_row<T, Arch>(std::ranges::data(logits), std::ranges::size(logits), t),
      t);
}

template <detail::float_type T>
template <class Arch>
void log_sum_exp_state<T>::add(T logit) {
  detail::merge<T, Arch>(sum_, detail::sum_of_one<T, Arch>(logit),
                         detail::temperature<T>(temperature_));
}

template <detail::float_type T>
template <class Arch>
void log_sum_exp_state<T>::merge(const log_sum_exp_state& other) {
  temperature_ = detail::common_temperature("log_sum_exp_state::merge", sum_, temperature_,
                                            other.sum_, other.temperature_);
  detail::merge<T, Arch>(sum_, other.sum_, detail::temperature<T>(temperature_));
}

template <detail::float_type T>
template <class Arch>
T log_sum_exp_state<T>::value() const {
  return detail::log_sum_exp_of<T, Arch>(sum_, detail::temperature<T>(temperature_));
}

template <detail::float_type T>
template <class Arch>
T log_sum_exp_state<T>::cross_entropy(T logit) const {
  if (logit > sum_.largest) {
    detail::fail("log_sum_exp_state::cross_entropy", "logit is ", logit, ", the largest so far is ",
                 sum_.largest);
  }
  if (!detail::is_finite(static_cast<double>(sum_.largest)) || logit != logit) {
    return std::numeric_limits<T>::quiet_NaN();
  }
  const detail::temperature<T> t(temperature_);
  return static_cast<T>(t.difference(sum_.largest, logit) + sum_.log_mass());
}

}  // namespace gibbs

#endif  // GIBBS_LOG_SUM_EXP_STATE_HPP
