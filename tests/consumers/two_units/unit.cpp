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

// An mdspan in all but name.
struct table {
  using value_type = float;
  using data_handle_type = float*;
  using reference = float&;
  using layout_type = void;
  using accessor_type = void;
  static constexpr std::size_t rank() { return 2; }
  float* data_handle() const { return data; }
  std::size_t extent(std::size_t i) const { return i == 0 ? 2 : 50; }
  std::size_t stride(std::size_t i) const { return i == 0 ? 50 : 1; }
  float* data;
};

namespace {
bool check_mdspan() {
  std::vector<float> logits(100);
  std::vector<float> results(2);
  gibbs::softmax(table{logits.data()}, table{logits.data()});
  gibbs::entropy(table{logits.data()}, results);
  return near_to("entropy of an mdspan", results[1], std::log(50.0));
}
}  // namespace

bool UNIT() { return check() && check_policy() && check_mdspan(); }
