// SPDX-License-Identifier: MIT
//
// std::mdspan of two dimensions in the place of a matrix_view, on its own or beside one: any class
// with its interface, such as that of its reference implementation. The functions are the same for
// gibbs and for gibbs::dispatch: whoever includes this says which by GIBBS_MDSPAN_NAMESPACE, after
// its functions for matrix_view.
#ifndef GIBBS_DETAIL_MDSPAN_FUNCTIONS_HPP
#define GIBBS_DETAIL_MDSPAN_FUNCTIONS_HPP

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "../matrix_view.hpp"
#include "arguments.hpp"

namespace gibbs::detail {

template <class M>
concept mdspan_like = M::rank()
== 2 && requires(const M& m) {
  typename M::layout_type;
  typename M::accessor_type;
  { m.data_handle() } -> std::convertible_to<const typename M::value_type*>;
  // Not an accessor that scales or converts.
  requires std::is_same_v<typename M::reference, decltype(*m.data_handle())>;
  { m.extent(0) } -> std::convertible_to<std::size_t>;
  { m.stride(1) } -> std::convertible_to<std::size_t>;
};

template <class M>
inline constexpr bool is_matrix_view = false;
template <class T>
inline constexpr bool is_matrix_view<matrix_view<T>> = true;

template <class M>
concept matrix_like = mdspan_like<M> || is_matrix_view<M>;

/// The elements of a row must lie side by side: with a stride other than 1 between them this is a
/// std::invalid_argument.
template <matrix_like M>
GIBBS_INLINE auto as_matrix(const char* function, const M& m) {
  if constexpr (is_matrix_view<M>) {
    return m;
  } else {
    using T = std::remove_pointer_t<typename M::data_handle_type>;
    const auto rows = static_cast<std::size_t>(m.extent(0));
    const auto columns = static_cast<std::size_t>(m.extent(1));
    if (columns > 1 && m.stride(1) != 1) {
      fail(function, "an mdspan has a stride of ", m.stride(1),
           " between the elements of a row, it must be 1");
    }
    return matrix_view<T>(m.data_handle(), rows, columns, static_cast<std::size_t>(m.stride(0)));
  }
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_MDSPAN_FUNCTIONS_HPP

#if defined(GIBBS_MDSPAN_NAMESPACE)
namespace GIBBS_MDSPAN_NAMESPACE {

template <detail::matrix_like In, detail::matrix_like Out>
requires(detail::mdspan_like<In> || detail::mdspan_like<Out>) GIBBS_INLINE
    void softmax(const In& logits, const Out& out, const logit_options& options = {}) {
  constexpr auto function = "softmax";
  GIBBS_MDSPAN_NAMESPACE::softmax(detail::as_matrix(function, logits),
                                  detail::as_matrix(function, out), options);
}

template <detail::matrix_like In, detail::matrix_like Out, class Results>
requires(detail::mdspan_like<In> || detail::mdspan_like<Out>) GIBBS_INLINE
    void softmax_with_log_sum_exp(const In& logits, const Out& out, Results&& results,
                                  const logit_options& options = {}) {
  constexpr auto function = "softmax_with_log_sum_exp";
  GIBBS_MDSPAN_NAMESPACE::softmax_with_log_sum_exp(
      detail::as_matrix(function, logits), detail::as_matrix(function, out), results, options);
}

template <detail::matrix_like In, detail::matrix_like Out>
requires(detail::mdspan_like<In> || detail::mdspan_like<Out>) GIBBS_INLINE
    void log_softmax(const In& logits, const Out& out, const logit_options& options = {}) {
  constexpr auto function = "log_softmax";
  GIBBS_MDSPAN_NAMESPACE::log_softmax(detail::as_matrix(function, logits),
                                      detail::as_matrix(function, out), options);
}

template <detail::mdspan_like In, class Results>
GIBBS_INLINE void log_sum_exp(const In& logits, Results&& results,
                              const logit_options& options = {}) {
  constexpr auto function = "log_sum_exp";
  GIBBS_MDSPAN_NAMESPACE::log_sum_exp(detail::as_matrix(function, logits), results, options);
}

template <detail::mdspan_like In, class Results>
GIBBS_INLINE void entropy(const In& p, Results&& results) {
  constexpr auto function = "entropy";
  GIBBS_MDSPAN_NAMESPACE::entropy(detail::as_matrix(function, p), results);
}

template <detail::mdspan_like In, class Results>
GIBBS_INLINE void entropy_from_logits(const In& logits, Results&& results,
                                      const logit_options& options = {}) {
  constexpr auto function = "entropy_from_logits";
  GIBBS_MDSPAN_NAMESPACE::entropy_from_logits(detail::as_matrix(function, logits), results,
                                              options);
}

template <detail::matrix_like P, detail::matrix_like Q, class Results>
requires(detail::mdspan_like<P> || detail::mdspan_like<Q>) GIBBS_INLINE
    void cross_entropy(const P& p, const Q& q, Results&& results) {
  constexpr auto function = "cross_entropy";
  GIBBS_MDSPAN_NAMESPACE::cross_entropy(detail::as_matrix(function, p),
                                        detail::as_matrix(function, q), results);
}

template <detail::mdspan_like In, detail::label_range Labels, class Results>
GIBBS_INLINE void cross_entropy_from_logits(const In& logits, const Labels& labels,
                                            Results&& results, const logit_options& options = {}) {
  constexpr auto function = "cross_entropy_from_logits";
  GIBBS_MDSPAN_NAMESPACE::cross_entropy_from_logits(detail::as_matrix(function, logits), labels,
                                                    results, options);
}

template <detail::matrix_like In, detail::matrix_like Target, class Results>
requires(detail::mdspan_like<In> || detail::mdspan_like<Target>) GIBBS_INLINE
    void cross_entropy_from_logits(const In& logits, const Target& target, Results&& results,
                                   const logit_options& options = {}) {
  constexpr auto function = "cross_entropy_from_logits";
  GIBBS_MDSPAN_NAMESPACE::cross_entropy_from_logits(
      detail::as_matrix(function, logits), detail::as_matrix(function, target), results, options);
}

template <detail::matrix_like P, detail::matrix_like Q, class Results>
requires(detail::mdspan_like<P> || detail::mdspan_like<Q>) GIBBS_INLINE
    void kl_divergence(const P& p, const Q& q, Results&& results) {
  constexpr auto function = "kl_divergence";
  GIBBS_MDSPAN_NAMESPACE::kl_divergence(detail::as_matrix(function, p),
                                        detail::as_matrix(function, q), results);
}

template <detail::matrix_like P, detail::matrix_like Q, class Results>
requires(detail::mdspan_like<P> || detail::mdspan_like<Q>) GIBBS_INLINE
    void kl_divergence_from_logits(const P& p_logits, const Q& q_logits, Results&& results,
                                   const logit_options& options = {}) {
  constexpr auto function = "kl_divergence_from_logits";
  GIBBS_MDSPAN_NAMESPACE::kl_divergence_from_logits(detail::as_matrix(function, p_logits),
                                                    detail::as_matrix(function, q_logits), results,
                                                    options);
}

}  // namespace GIBBS_MDSPAN_NAMESPACE
#undef GIBBS_MDSPAN_NAMESPACE
#endif
