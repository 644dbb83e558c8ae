// SPDX-License-Identifier: MIT
//
// What one architecture offers to gibbs::dispatch: functions of whole matrices, in a constant
// table. Nothing in here depends on xsimd or on the flags of the unit.
#ifndef GIBBS_DETAIL_DISPATCH_TABLE_HPP
#define GIBBS_DETAIL_DISPATCH_TABLE_HPP

#include <concepts>

#include "../matrix_view.hpp"
#include "inline.hpp"
#include "labels.hpp"

#if defined(__x86_64__) || defined(__i386__)
#define GIBBS_DISPATCH_X86 1
#else
#define GIBBS_DISPATCH_X86 0
#endif

namespace gibbs::detail {

/// The members have the names of the functions in the headers, less "_rows".
template <class T>
struct dispatch_functions {
  using in = const matrix_view<const T>&;
  using out = const matrix_view<T>&;

  void (*softmax)(in logits, out, double temperature);
  void (*softmax_with_log_sum_exp)(in logits, out, T* results, double temperature);
  void (*log_softmax)(in logits, out, double temperature);
  void (*log_sum_exp)(in logits, T* results, double temperature);
  void (*entropy)(in p, T* results);
  void (*entropy_from_logits)(in logits, T* results, double temperature);
  void (*cross_entropy)(in p, in q, T* results);
  void (*cross_entropy_label)(in logits, label_view, T* results, double temperature);
  void (*cross_entropy_target)(in logits, in target, T* results, double temperature);
  void (*kl_divergence)(in p, in q, T* results);
  void (*kl_divergence_from_logits)(in p_logits, in q_logits, T* results, double temperature);
};

struct dispatch_table {
  const char* name;
  dispatch_functions<float> of_float;
  dispatch_functions<double> of_double;
};

/// Each is defined in a unit of its own, by GIBBS_DISPATCH_UNIT; on x86 there are all three.
extern const dispatch_table dispatch_base;
extern const dispatch_table dispatch_avx2;
extern const dispatch_table dispatch_avx512;

/// The one for this machine. Defined in a further unit, by GIBBS_DISPATCH_SELECT.
const dispatch_table& dispatched() noexcept;

template <class T>
GIBBS_INLINE const dispatch_functions<T>& dispatched_for() noexcept {
  if constexpr (std::same_as<T, float>) {
    return dispatched().of_float;
  } else {
    return dispatched().of_double;
  }
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_DISPATCH_TABLE_HPP
