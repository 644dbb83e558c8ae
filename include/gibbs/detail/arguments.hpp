// SPDX-License-Identifier: MIT
//
// What the public functions take, and the checks that they make before anything is read or written.
#ifndef GIBBS_DETAIL_ARGUMENTS_HPP
#define GIBBS_DETAIL_ARGUMENTS_HPP

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ranges>
#include <type_traits>
#include <utility>

#include "../error.hpp"
#include "../matrix_view.hpp"
#include "inline.hpp"

namespace gibbs {

/// How logits become a distribution: p is proportional to exp(logit / temperature).
struct logit_options {
  /// 0 is the limit: all mass on the largest logits; +infinity: uniform. Less than 0 or NaN is an
  /// error.
  double temperature = 1;
};

namespace detail {

template <class R>
concept contiguous = std::ranges::contiguous_range<R> && std::ranges::sized_range<R>;

template <class R>
using element = std::remove_cv_t<std::ranges::range_value_t<R>>;

template <class T>
concept float_type = std::same_as<T, float> || std::same_as<T, double>;

template <class R>
concept float_range = contiguous<R> && float_type<element<R>>;

template <class R, class T>
concept range_of = contiguous<R> && std::same_as<element<R>, T>;

template <class R, class T>
concept output_of =
    range_of<R, T> && !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

/// The standard signed and unsigned integer types; those for characters and bool are none.
template <class L>
concept label_type =
    std::same_as<L, signed char> || std::same_as<L, short> || std::same_as<L, int> ||
    std::same_as<L, long> || std::same_as<L, long long> || std::same_as<L, unsigned char> ||
    std::same_as<L, unsigned short> || std::same_as<L, unsigned> ||
    std::same_as<L, unsigned long> || std::same_as<L, unsigned long long>;

template <class R>
concept label_range = contiguous<R> && label_type<element<R>>;

/// Both forms of every function come down to matrices; a range is a matrix of one row.
template <float_range R>
GIBBS_INLINE matrix_view<const element<R>> as_row(const R& range) {
  const std::size_t n = std::ranges::size(range);
  return {std::ranges::data(range), 1, n, n};
}
template <float_range R>
GIBBS_INLINE matrix_view<element<R>> as_output_row(R& range) {
  const std::size_t n = std::ranges::size(range);
  return {std::ranges::data(range), 1, n, n};
}

GIBBS_INLINE void check_temperature(const char* function, const logit_options& options) {
  // Bits, since a file that only calls gibbs::dispatch may be compiled with -ffast-math. The
  // positive numbers end with infinity, what is beyond is NaN or negative.
  const auto bits = std::bit_cast<std::uint64_t>(options.temperature);
  constexpr std::uint64_t infinity = std::uint64_t(0x7ff) << 52;
  if (bits > infinity && bits != std::uint64_t(1) << 63) {
    fail(function, "temperature is ", options.temperature, ", it must be 0 or more");
  }
}

template <class A, class B>
GIBBS_INLINE void check_same_shape(const char* function, const char* a_name,
                                   const matrix_view<A>& a, const char* b_name,
                                   const matrix_view<B>& b) {
  if (a.rows() != b.rows() || a.columns() != b.columns()) {
    fail(function, b_name, " has ", b.rows(), " x ", b.columns(), " elements, ", a_name, " has ",
         a.rows(), " x ", a.columns());
  }
}

GIBBS_INLINE void check_size(const char* function, const char* name, std::size_t size,
                             std::size_t rows) {
  if (size != rows) fail(function, name, " has ", size, " elements for ", rows, " rows");
}

template <label_type L>
GIBBS_INLINE void check_label(const char* function, L label, std::size_t classes) {
  if (std::cmp_less(label, 0) || std::cmp_greater_equal(label, classes)) {
    fail(function, "label is ", label, ", it must be 0 or more and less than ", classes,
         ", the number of classes");
  }
}

template <label_type L>
GIBBS_INLINE void check_labels(const char* function, const L* labels, std::size_t rows,
                               std::size_t classes) {
  for (std::size_t i = 0; i < rows; ++i) {
    if (std::cmp_less(labels[i], 0) || std::cmp_greater_equal(labels[i], classes)) {
      fail(function, "labels[", i, "] is ", labels[i], ", it must be 0 or more and less than ",
           classes, ", the number of classes");
    }
  }
}

template <class T>
GIBBS_INLINE std::uintptr_t address(const T* p) {
  return reinterpret_cast<std::uintptr_t>(p);
}

/// The bytes from the first to the last element. What no memory can hold is refused.
template <class T>
GIBBS_INLINE std::uintptr_t checked_extent(const char* function, const matrix_view<T>& matrix) {
  constexpr std::size_t most = (std::numeric_limits<std::size_t>::max)() / 2 / sizeof(T);
  const std::size_t rows = matrix.rows();
  const std::size_t columns = matrix.columns();
  const std::size_t stride = matrix.row_stride();
  if (rows == 0) return 0;
  if (columns > most || (stride > 0 && rows - 1 > (most - columns) / stride)) {
    fail(function, "a matrix has ", rows, " rows of ", columns, " elements, ", stride,
         " elements apart: that is more than any memory holds");
  }
  return ((rows - 1) * stride + columns) * sizeof(T);
}

/// Output may be the input itself, element on element, or must have no element in common with it.
template <class In, class T>
GIBBS_INLINE void check_overlap(const char* function, const char* in_name,
                                const matrix_view<In>& in, const matrix_view<T>& out) {
  const std::size_t rows = out.rows();
  const std::size_t columns = out.columns();
  if (rows == 0 || columns == 0) return;
  if (rows > 1 && out.row_stride() < columns) {
    fail(function, "out has a row stride of ", out.row_stride(), " and ", columns,
         " columns: its rows overlap");
  }
  const std::uintptr_t in_bytes = checked_extent(function, in);
  const std::uintptr_t out_bytes = checked_extent(function, out);
  const bool same_stride = rows == 1 || in.row_stride() == out.row_stride();
  if (in.data() == out.data() && same_stride) return;
  const std::uintptr_t in_begin = address(in.data());
  const std::uintptr_t out_begin = address(out.data());
  if (in_begin + in_bytes <= out_begin || out_begin + out_bytes <= in_begin) return;
  const std::uintptr_t distance =
      out_begin > in_begin ? out_begin - in_begin : in_begin - out_begin;
  if (same_stride && rows > 1) {
    // Columns of one buffer side by side.
    const std::size_t stride = out.row_stride() * sizeof(T);
    const std::size_t offset = distance % stride;
    if (offset >= columns * sizeof(T) && stride - offset >= columns * sizeof(T)) return;
  }
  fail(function, "out overlaps ", in_name, ": they begin ", distance, " bytes apart; out must be ",
       in_name, " itself or have no element in common with it");
}

/// No result may lie between the first and the last element of a matrix that is still to be read or
/// has been written.
template <class In, class T>
GIBBS_INLINE void check_results_apart(const char* function, const T* results, std::size_t rows,
                                      const matrix_view<In>& matrix) {
  if (rows == 0 || matrix.columns() == 0) return;
  const std::uintptr_t begin = address(matrix.data());
  const std::uintptr_t end = begin + checked_extent(function, matrix);
  const std::uintptr_t first = address(results);
  if (first < end && begin < first + rows * sizeof(T)) {
    fail(function, "results overlaps a matrix: they begin ",
         first < begin ? begin - first : first - begin, " bytes apart");
  }
}

/// One result a row, apart from all matrices of the call.
template <class Results, class First, class... Others>
GIBBS_INLINE void check_results(const char* function, const Results& results, const First& matrix,
                                const Others&... others) {
  const auto* const data = std::ranges::data(results);
  const std::size_t rows = matrix.rows();
  check_size(function, "results", std::ranges::size(results), rows);
  check_results_apart(function, data, rows, matrix);
  (check_results_apart(function, data, rows, others), ...);
}

/// The arguments of what makes a matrix of another one.
template <class In, class T>
GIBBS_INLINE void check_map(const char* function, const matrix_view<In>& logits,
                            const matrix_view<T>& out, const logit_options& options) {
  check_temperature(function, options);
  check_same_shape(function, "logits", logits, "out", out);
  check_overlap(function, "logits", logits, out);
}

/// The arguments of what makes a result of each row and its label.
template <class In, class Labels, class Results>
GIBBS_INLINE void check_labelled(const char* function, const matrix_view<In>& logits,
                                 const Labels& labels, const Results& results,
                                 const logit_options& options) {
  check_temperature(function, options);
  check_size(function, "labels", std::ranges::size(labels), logits.rows());
  check_results(function, results, logits);
  check_labels(function, std::ranges::data(labels), logits.rows(), logits.columns());
}

}  // namespace detail
}  // namespace gibbs

#endif  // GIBBS_DETAIL_ARGUMENTS_HPP
