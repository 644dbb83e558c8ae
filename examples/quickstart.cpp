// SPDX-License-Identifier: MIT
#include <cstdio>
#include <gibbs/gibbs.hpp>
#include <vector>

int main() {
  const std::vector<float> logits{2.0f, 1.0f, 0.1f};
  const std::vector<float> uniform(3, 1.0f / 3);
  std::vector<float> p(3);

  gibbs::softmax(logits, p, {.temperature = 0.7});
  std::printf("p          = %.4f %.4f %.4f\n", p[0], p[1], p[2]);
  std::printf("entropy    = %.4f bits\n", gibbs::to_bits(gibbs::entropy(p)));
  std::printf("KL(p || u) = %.4f nats\n", gibbs::kl_divergence(p, uniform));

  const std::vector<int> values{3, 1, 4, 2, 4};  // n + 1 integers in [1, n]
  std::printf("duplicate  = %d\n", gibbs::find_duplicate(values));
}
