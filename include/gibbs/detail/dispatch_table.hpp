// SPDX-License-Identifier: MIT
//
// What one architecture offers to gibbs::dispatch: functions of whole matrices, in a constant
// table. Nothing in here depends on xsimd or on the flags of the unit.
#ifndef GIBBS_DETAIL_DISPATCH_TABLE_HPP
#define GIBBS_DETAIL_DISPATCH_TABLE_HPP

#include <concepts>
#include <type_traits>

#include "../matrix_view.hpp"
#include "inline.hpp"

#if defined(__x86_64__) || defined(__i386__)
#define GIBBS_DISPATCH_X86 1
#else
#define GIBBS_DISPATCH_X86 0
#endif

namespace gibbs::detail {

template <class T, class Label>
using label_rows_function = void (*)(matrix_view<const T> logits, const Label* labels, T* results,
                                     double temperature);

/// Labels of a signed type are read as those of its unsigned counterpart: they have been checked
/// before, and none is less than 0.
template <class T>
struct label_rows_functions {
  label_rows_function<T, unsigned char> of_char;
  label_rows_function<T, unsigned short> of_short;
  label_rows_function<T, unsigned> of_int;
  label_rows_function<T, unsigned long> of_long;
  label_rows_function<T, unsigned long long> of_long_long;

  template <class L>
  GIBBS_INLINE void operator()(matrix_view<const T> logits, const L* labels, T* results,
                               double temperature) const {
    using U = std::make_unsigned_t<L>;
    const U* const same = reinterpret_cast<const U*>(labels);
    if constexpr (std::same_as<U, unsigned char>) {
      of_char(logits, same, results, temperature);
    } else if constexpr (std::same_as<U, unsigned short>) {
      of_short(logits, same, results, temperature);
    } else if constexpr (std::same_as<U, unsigned>) {
      of_int(logits, same, results, temperature);
    } else if constexpr (std::same_as<U, unsigned long>) {
      of_long(logits, same, results, temperature);
    } else {
      of_long_long(logits, same, results, temperature);
    }
  }
};

/// The members have the names of the functions in the headers, less "_rows".
template <class T>
struct dispatch_functions {
  using in = matrix_view<const T>;
  using out = matrix_view<T>;

  void (*softmax)(in logits, out, double temperature);
  void (*softmax_with_log_sum_exp)(in logits, out, T* results, double temperature);
  void (*log_softmax)(in logits, out, double temperature);
  void (*log_sum_exp)(in logits, T* results, double temperature);
  void (*entropy)(in p, T* results);
  void (*entropy_from_logits)(in logits, T* results, double temperature);
  void (*cross_entropy)(in p, in q, T* results);
  label_rows_functions<T> cross_entropy_label;
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
