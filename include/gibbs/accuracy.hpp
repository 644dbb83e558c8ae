// SPDX-License-Identifier: MIT
//
// The promised error bounds, in ulp of the exact result: the spacing of the numbers of type T
// around it, the spacing of subnormal numbers where it is subnormal. Tests assert them,
// documentation quotes them from here.
#ifndef GIBBS_ACCURACY_HPP
#define GIBBS_ACCURACY_HPP

#include "detail/simd.hpp"

namespace gibbs::accuracy {

/// Each element, for any temperature and any finite logits. The weights, their sum and the quotient
/// are rounded once each, without a fused multiply-add a little more.
template <class T, class Arch = detail::default_arch>
inline constexpr double softmax = detail::has_fma<Arch> ? 4 : 4.5;

/// Each element that is subnormal.
template <class T, class Arch = detail::default_arch>
inline constexpr double softmax_subnormal = 1;

/// Each element, near 0 too.
template <class T, class Arch = detail::default_arch>
inline constexpr double log_softmax = 3;

/// Ulp of the larger of |max / temperature| and |log of the sum of exp((x - max) / temperature)|.
/// Without tables in registers, which AVX-512 has, more of a weight is left to its second part, and
/// more is lost where weights are added up.
template <class T, class Arch = detail::default_arch>
inline constexpr double log_sum_exp = detail::has_look_up<Arch> ? 2 : 3;

/// For probabilities up to 1.
template <class T, class Arch = detail::default_arch>
inline constexpr double entropy = 4;

template <class T, class Arch = detail::default_arch>
inline constexpr double entropy_from_logits = 4;

/// For probabilities up to 1.
template <class T, class Arch = detail::default_arch>
inline constexpr double cross_entropy = 4;

/// With a label and with a target distribution.
template <class T, class Arch = detail::default_arch>
inline constexpr double cross_entropy_from_logits = 4;

/// Of the sum of p log(p / q) - p + q.
template <class T, class Arch = detail::default_arch>
inline constexpr double kl_divergence = 4;

/// Or the condition of the input, if that is larger: the change that is caused by changes of each
/// logit by an epsilon of itself.
template <class T, class Arch = detail::default_arch>
inline constexpr double kl_divergence_from_logits = 8;

/// Of the same mean of absolute values.
template <class T, class Arch = detail::default_arch>
inline constexpr double weighted_mean = 4;

}  // namespace gibbs::accuracy

#endif  // GIBBS_ACCURACY_HPP
