// SPDX-License-Identifier: MIT
// How do xtensor's containers meet gibbs? One-dimensional ones as ranges, two-dimensional ones by
// their data and strides.
#include <array>
#include <cstddef>
#include <cstdio>
#include <gibbs/gibbs.hpp>
#include <type_traits>
#include <xtensor/xtensor.hpp>

// A container of two dimensions in row-major order.
template <class Tensor>
auto view(Tensor&& t) {
  static_assert(std::remove_reference_t<Tensor>::static_layout == xt::layout_type::row_major);
  return gibbs::matrix_view(t.data(), t.shape(0), t.shape(1));
}

int main() {
  const xt::xtensor<double, 2> logits{{1, 2, 3}, {3, 3, 3}};
  xt::xtensor<double, 2> p(logits.shape());
  xt::xtensor<double, 1> entropies(std::array<std::size_t, 1>{2});
  gibbs::softmax(view(logits), view(p));
  gibbs::entropy_from_logits(view(logits), entropies);
  for (std::size_t i = 0; i < 2; ++i) {
    std::printf("p = %.4f %.4f %.4f, entropy %.4f nats\n", p(i, 0), p(i, 1), p(i, 2), entropies(i));
  }
  // The storage itself is a range: here all six elements as one row.
  std::printf("log-sum-exp of all: %.4f\n", gibbs::log_sum_exp(logits.storage()));
}
