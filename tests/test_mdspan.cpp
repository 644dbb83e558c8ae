// SPDX-License-Identifier: MIT
// Faults that this file catches: an mdspan that is refused where a matrix_view is not, loses its
// stride, or is read across where its rows are not contiguous. Where the standard library has no
// mdspan (C++23), a class with the same interface takes its place.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>
#if __has_include(<version>)
#include <version>
#endif
#include <gibbs/dispatch.hpp>
#include <gibbs/instantiate.hpp>
#if defined(__cpp_lib_mdspan)
#include <mdspan>
#endif

namespace {

#if defined(GIBBS_TEST_DISPATCH)
namespace tested = gibbs::dispatch;
#else
namespace tested = gibbs;
#endif

#if defined(__cpp_lib_mdspan)
template <class T>
using matrix = std::mdspan<T, std::dextents<std::size_t, 2>>;
template <class T>
using strided = std::mdspan<T, std::dextents<int, 2>, std::layout_stride>;

template <class T>
strided<T> make_strided(T* data, int rows, int columns, int row_stride, int column_stride) {
  return {data,
          std::layout_stride::mapping<std::dextents<int, 2>>(
              std::dextents<int, 2>(rows, columns), std::array<int, 2>{row_stride, column_stride})};
}
#else
template <class T, class Index>
class two_dimensions {
 public:
  using value_type = std::remove_cv_t<T>;
  using data_handle_type = T*;
  using reference = T&;
  using layout_type = void;
  using accessor_type = void;
  static constexpr std::size_t rank() { return 2; }

  two_dimensions(T* data, Index rows, Index columns)
      : two_dimensions(data, rows, columns, columns, 1) {}
  two_dimensions(T* data, Index rows, Index columns, Index row_stride, Index column_stride)
      : data_(data), extents_{rows, columns}, strides_{row_stride, column_stride} {}
  T* data_handle() const { return data_; }
  Index extent(std::size_t i) const { return extents_[i]; }
  Index stride(std::size_t i) const { return strides_[i]; }

 private:
  T* data_;
  std::array<Index, 2> extents_;
  std::array<Index, 2> strides_;
};

template <class T>
using matrix = two_dimensions<T, std::size_t>;
template <class T>
using strided = two_dimensions<T, int>;

template <class T>
strided<T> make_strided(T* data, int rows, int columns, int row_stride, int column_stride) {
  return {data, rows, columns, row_stride, column_stride};
}
#endif

}  // namespace

TEST_CASE_TEMPLATE("mdspan: every function, alone and beside a matrix_view", T, float, double) {
  using gibbs::matrix_view;
  const std::size_t rows = 3, columns = 5;
  const gibbs::logit_options cold{.temperature = 0.5};
  std::vector<T> x, p;
  for (std::size_t i = 0; i < 32; ++i) {
    x.push_back(static_cast<T>(i * i % 7));
    p.push_back(static_cast<T>(1 + i % 3) / 16);
  }
  const std::vector<int> labels{4, 0, 2};
  std::vector<T> out(rows * columns), wanted_out(rows * columns);
  std::vector<T> results(rows), wanted(rows);

  // Rows that are 7 apart.
  const matrix_view<const T> logits(x.data(), rows, columns, 7);
  const matrix_view<const T> q(p.data(), rows, columns);
  const matrix_view<T> to(wanted_out.data(), rows, columns);
  const strided<const T> m_logits = make_strided<const T>(x.data(), 3, 5, 7, 1);
  const matrix<const T> m_q(p.data(), rows, columns);
  const matrix<T> m_to(out.data(), rows, columns);
  const auto same = [&] { return out == wanted_out && results == wanted; };

  tested::softmax(logits, to, cold);
  tested::softmax(m_logits, m_to, cold);
  CHECK(same());
  tested::softmax(m_logits, matrix_view<T>(out.data(), rows, columns), cold);
  CHECK(same());
  tested::softmax(logits, m_to, {.temperature = 0.5});
  CHECK(same());
  tested::softmax_with_log_sum_exp(logits, to, wanted, cold);
  tested::softmax_with_log_sum_exp(m_logits, m_to, results, cold);
  CHECK(same());
  tested::log_softmax(logits, to, cold);
  tested::log_softmax(m_logits, m_to, cold);
  CHECK(same());
  tested::log_sum_exp(logits, wanted, cold);
  tested::log_sum_exp(m_logits, results, cold);
  CHECK(same());
  tested::entropy(q, wanted);
  tested::entropy(m_q, results);
  CHECK(same());
  tested::entropy_from_logits(logits, wanted, cold);
  tested::entropy_from_logits(m_logits, results, cold);
  CHECK(same());
  tested::cross_entropy(q, logits, wanted);
  tested::cross_entropy(m_q, m_logits, results);
  CHECK(same());
  tested::cross_entropy_from_logits(logits, labels, wanted, cold);
  tested::cross_entropy_from_logits(m_logits, labels, results, cold);
  CHECK(same());
  tested::cross_entropy_from_logits(logits, q, wanted, cold);
  tested::cross_entropy_from_logits(m_logits, q, results, cold);
  CHECK(same());
  tested::kl_divergence(q, logits, wanted);
  tested::kl_divergence(q, m_logits, results);
  CHECK(same());
  tested::kl_divergence_from_logits(logits, q, wanted, cold);
  tested::kl_divergence_from_logits(m_logits, m_q, results, cold);
  CHECK(same());
}

TEST_CASE("mdspan: columns that are not side by side are refused") {
  std::vector<float> x(20, 1.0f);
  std::vector<float> results(3, -7.0f);
  std::string message;
  try {
    tested::log_sum_exp(make_strided<const float>(x.data(), 3, 5, 1, 3), results);
  } catch (const std::invalid_argument& e) {
    message = e.what();
  }
  CHECK(message ==
        "gibbs::log_sum_exp: an mdspan has a stride of 3 between the elements of a row, it must be "
        "1");
  CHECK(results[0] == -7.0f);
  tested::log_sum_exp(make_strided<const float>(x.data(), 3, 1, 1, 3), results);  // one column
  CHECK(results[0] == 1.0f);
}
