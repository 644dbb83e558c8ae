// SPDX-License-Identifier: MIT
#include <gibbs/instantiate.hpp>

#include "../check.hpp"

namespace {

// Each function, and what the states share with them.
template <class T>
bool each() {
  using gibbs::matrix_view;
  const std::vector<T> x{1, 2, 3, 4};
  const std::vector<T> p{T(0.1), T(0.2), T(0.3), T(0.4)};
  std::vector<T> out(4);
  gibbs::log_softmax(x, out);
  T sum =
      gibbs::softmax_with_log_sum_exp(x, out) + gibbs::entropy(p) + gibbs::entropy_from_logits(x);
  sum += gibbs::cross_entropy(p, p) + gibbs::cross_entropy_from_logits(x, 1);
  sum += gibbs::cross_entropy_from_logits(x, p) + gibbs::kl_divergence(p, p);
  sum += gibbs::kl_divergence_from_logits(x, p);
  gibbs::log_sum_exp_state<T> log_sum;
  log_sum.add(x);
  gibbs::entropy_state<T> entropy;
  entropy.add(x);
  std::vector<T> memory(2);
  gibbs::weighted_mean_state<T> mean(memory);
  mean.add(x, matrix_view<const T>(out.data(), 4, 1, 1));
  sum += log_sum.value() + entropy.value() + mean.log_sum_exp();
  return sum > 0;
}

}  // namespace

int main() { return check() && each<float>() && each<double>() ? 0 : 1; }
