// SPDX-License-Identifier: MIT
//
// For programs of many files: gibbs.hpp, whose kernels are compiled in one file of the program.
//
//     #include <gibbs/instantiate.hpp>  // in each file, in the place of the other headers
//
//     GIBBS_INSTANTIATE();  // in one file, outside of namespaces, with the -m flags of the others
//
// Calls, results and speed are the same; a file that calls every function compiles in less than a
// third of the time. Execution policies (gibbs/parallel.hpp) are compiled where they are called.
#ifndef GIBBS_INSTANTIATE_HPP
#define GIBBS_INSTANTIATE_HPP

#include "gibbs.hpp"

// One line for each function that the headers share: "extern template" keeps it out of a file.
#define GIBBS_DETAIL_KERNELS(template_or_extern, T)                                                \
  template_or_extern void softmax_rows<T, default_arch>(const matrix_view<const T>&,               \
                                                        const matrix_view<T>&, double);            \
  template_or_extern void softmax_with_log_sum_exp_rows<T, default_arch>(                          \
      const matrix_view<const T>&, const matrix_view<T>&, T*, double);                             \
  template_or_extern void log_softmax_rows<T, default_arch>(const matrix_view<const T>&,           \
                                                            const matrix_view<T>&, double);        \
  template_or_extern void log_sum_exp_rows<T, default_arch>(const matrix_view<const T>&, T*,       \
                                                            double);                               \
  template_or_extern void entropy_rows<T, default_arch>(const matrix_view<const T>&, T*);          \
  template_or_extern void entropy_from_logits_rows<T, default_arch>(const matrix_view<const T>&,   \
                                                                    T*, double);                   \
  template_or_extern void cross_entropy_rows<T, default_arch>(const matrix_view<const T>&,         \
                                                              const matrix_view<const T>&, T*);    \
  template_or_extern void cross_entropy_label_rows<T, default_arch>(const matrix_view<const T>&,   \
                                                                    label_view, T*, double);       \
  template_or_extern void cross_entropy_target_rows<T, default_arch>(                              \
      const matrix_view<const T>&, const matrix_view<const T>&, T*, double);                       \
  template_or_extern void kl_divergence_rows<T, default_arch>(const matrix_view<const T>&,         \
                                                              const matrix_view<const T>&, T*);    \
  template_or_extern void kl_divergence_from_logits_rows<T, default_arch>(                         \
      const matrix_view<const T>&, const matrix_view<const T>&, T*, double);                       \
  template_or_extern void add_rows<T, default_arch>(                                               \
      T*, std::size_t, const T*, const T*, const matrix_view<const T>&, wide<T>, wide<T>);         \
  template_or_extern logits_sum<T> sum_of_row<T, default_arch>(const T*, std::size_t,              \
                                                               const temperature<T>&, one_by_one); \
  template_or_extern logits_sum<T> sum_of_piece<T, default_arch>(const T*, std::size_t,            \
                                                                 const temperature<T>&);           \
  template_or_extern entropy_sum<T> entropy_sum_of_piece<T, default_arch>(const T*, std::size_t,   \
                                                                          const temperature<T>&);  \
  template_or_extern entropy_sum<T> entropy_sum_of_row<T, default_arch>(                           \
      const T*, std::size_t, const temperature<T>&, one_by_one)

#define GIBBS_INSTANTIATE()               \
  namespace gibbs::detail {               \
  GIBBS_DETAIL_KERNELS(template, float);  \
  GIBBS_DETAIL_KERNELS(template, double); \
  }                                       \
  static_assert(true)

namespace gibbs::detail {

GIBBS_DETAIL_KERNELS(extern template, float);
GIBBS_DETAIL_KERNELS(extern template, double);

}  // namespace gibbs::detail

#endif  // GIBBS_INSTANTIATE_HPP
