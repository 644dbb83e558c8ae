// SPDX-License-Identifier: MIT
//
// Rows and columns over memory that someone else owns.
#ifndef GIBBS_MATRIX_VIEW_HPP
#define GIBBS_MATRIX_VIEW_HPP

#include <cstddef>
#include <span>
#include <type_traits>

#include "detail/inline.hpp"

namespace gibbs {

/// A row-major matrix of float or double (const for input): row i begins at data() + i *
/// row_stride() and has columns() elements; what lies between the rows is neither read nor written.
/// Copying it copies no data. (Functions take it by reference all the same: where they are not
/// inlined, a copy on the stack takes as long as a row of 16 elements.)
///
/// For input the rows may overlap, and a row stride of 0 repeats one row. Rows of output must not
/// overlap. Where a function writes one result a row, the results must not lie inside a matrix of
/// the same call: that is a std::invalid_argument, with nothing written. So is a matrix that would
/// take more than half of the address space.
template <class T>
class matrix_view {
  static_assert(std::is_same_v<std::remove_const_t<T>, float> ||
                    std::is_same_v<std::remove_const_t<T>, double>,
                "gibbs::matrix_view has elements of type float or double");

 public:
  using element_type = T;
  using value_type = std::remove_const_t<T>;

  constexpr matrix_view() noexcept = default;

  /// Rows one behind the other.
  GIBBS_INLINE constexpr matrix_view(T* data, std::size_t rows, std::size_t columns) noexcept
      : matrix_view(data, rows, columns, columns) {}

  /// Rows row_stride elements apart. A matrix without columns has a row stride of 0, whatever is
  /// said here, so that data may be null then.
  GIBBS_INLINE constexpr matrix_view(T* data, std::size_t rows, std::size_t columns,
                                     std::size_t row_stride) noexcept
      : data_(data), rows_(rows), columns_(columns), row_stride_(columns == 0 ? 0 : row_stride) {}

  /// A view to write through is also one to read through.
  template <class U>
  requires(std::is_same_v<const U, T> && !std::is_same_v<U, T>) GIBBS_INLINE
      constexpr matrix_view(const matrix_view<U>& other) noexcept
      : matrix_view(other.data(), other.rows(), other.columns(), other.row_stride()) {}

  GIBBS_INLINE constexpr T* data() const noexcept { return data_; }
  GIBBS_INLINE constexpr std::size_t rows() const noexcept { return rows_; }
  GIBBS_INLINE constexpr std::size_t columns() const noexcept { return columns_; }
  GIBBS_INLINE constexpr std::size_t row_stride() const noexcept { return row_stride_; }

  /// Row i < rows(), not checked.
  GIBBS_INLINE constexpr std::span<T> row(std::size_t i) const noexcept {
    return {data_ + i * row_stride_, columns_};
  }

 private:
  T* data_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::size_t row_stride_ = 0;
};

}  // namespace gibbs

#endif  // GIBBS_MATRIX_VIEW_HPP
