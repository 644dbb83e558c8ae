// SPDX-License-Identifier: MIT
// How do Eigen's matrices and vectors meet gibbs? Row-major ones as they are, blocks by their outer
// stride; vectors as ranges, and the columns of a column-major matrix through its transpose.
#include <Eigen/Core>
#include <cstddef>
#include <cstdio>
#include <gibbs/gibbs.hpp>
#include <span>
#include <type_traits>

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Any row-major expression with storage: a matrix, a map, a block of one.
template <class Dense>
auto view(Dense&& m) {
  static_assert(std::remove_reference_t<Dense>::IsRowMajor);
  return gibbs::matrix_view(m.data(), static_cast<std::size_t>(m.rows()),
                            static_cast<std::size_t>(m.cols()),
                            static_cast<std::size_t>(m.outerStride()));
}

template <class Vector>
auto range(Vector&& v) {
  return std::span(v.data(), static_cast<std::size_t>(v.size()));
}

int main() {
  row_major logits(2, 6);
  logits << 9, 1, 2, 3, 4, 9,  //
      9, 4, 3, 2, 1, 9;
  row_major p = row_major::Zero(2, 6);
  // The four columns in the middle; the others stay as they are.
  gibbs::softmax(view(logits.middleCols(1, 4)), view(p.middleCols(1, 4)));
  Eigen::VectorXf entropies(2);
  gibbs::entropy(view(p.middleCols(1, 4)), range(entropies));
  for (Eigen::Index i = 0; i < 2; ++i) {
    std::printf("p =");
    for (Eigen::Index j = 0; j < 6; ++j) std::printf(" %.4f", static_cast<double>(p(i, j)));
    std::printf(", entropy %.4f nats\n", static_cast<double>(entropies[i]));
  }

  // In Eigen's own order columns are contiguous: the transpose is row-major.
  Eigen::MatrixXd columns(3, 2);
  columns << 0, 1,  //
      0, 2,         //
      0, 3;
  Eigen::VectorXd sums(2);
  gibbs::log_sum_exp(view(columns.transpose()), range(sums));
  std::printf("log-sum-exp of the columns: %.4f %.4f\n", sums[0], sums[1]);
}
