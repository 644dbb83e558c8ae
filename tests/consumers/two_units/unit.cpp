// SPDX-License-Identifier: MIT
#include "../check.hpp"

#ifdef WITH_POLICIES
#include <gibbs/parallel.hpp>

namespace {
bool check_policy() {
  std::vector<float> logits(1000), p(1000);
  std::vector<int> labels(10);
  std::vector<float> losses(10);
  gibbs::softmax(std::execution::par, logits, p);
  gibbs::cross_entropy_from_logits(
      std::execution::par, gibbs::matrix_view<const float>(logits.data(), 10, 100), labels, losses);
  return near_to("softmax with a policy", p[999], 1e-3) &&
         near_to("cross_entropy_from_logits with a policy", losses[9], std::log(100.0)) &&
         near_to("log_sum_exp with a policy", gibbs::log_sum_exp(std::execution::par, logits),
                 std::log(1000.0));
}
}  // namespace
#else
namespace {
bool check_policy() { return true; }
}  // namespace
#endif

bool UNIT() { return check() && check_policy(); }
