// SPDX-License-Identifier: MIT
// What callgrind counts the instructions of: counts.cmake runs it and compares with counts.txt.
// Each function below runs one primitive once, on input whose size is in its name: T, rows x
// columns.
#include <cstddef>
#include <cstdio>
#include <gibbs/instantiate.hpp>
#include <vector>

#include "support/inputs.hpp"

namespace {

template <class T, std::size_t rows, std::size_t columns>
struct workload {
  std::vector<T> x, y, p, q, out, results;
  std::vector<int> labels;

  workload()
      : x(rows * columns),
        y(rows * columns),
        p(rows * columns),
        q(rows * columns),
        out(rows * columns),
        results(rows),
        labels(rows) {
    gibbs_support::random_source random(1);
    for (T& v : x) v = static_cast<T>(random.uniform(-9, 9));
    for (T& v : y) v = static_cast<T>(random.uniform(-9, 9));
    gibbs::softmax(view(x), to(p));
    gibbs::softmax(view(y), to(q));
  }
  gibbs::matrix_view<const T> view(const std::vector<T>& m) const {
    return {m.data(), rows, columns};
  }
  gibbs::matrix_view<T> to(std::vector<T>& m) const { return {m.data(), rows, columns}; }
};

template <class T, std::size_t rows, std::size_t columns>
workload<T, rows, columns>& data() {
  static workload<T, rows, columns> instance;
  return instance;
}

}  // namespace

// Names that are the same in every program and with every compiler.
#define GIBBS_COUNT_OF(name, primitive, type, rows, columns, ...)                          \
  extern "C" __attribute__((noinline)) void count_##name##_##type##_##rows##x##columns() { \
    auto& d = data<type, rows, columns>();                                                 \
    using gibbs::primitive;                                                                \
    primitive(__VA_ARGS__);                                                                \
  }
#define GIBBS_COUNT(primitive, type, rows, columns, ...) \
  GIBBS_COUNT_OF(primitive, primitive, type, rows, columns, __VA_ARGS__)
#define GIBBS_COUNT_ALL(type, rows, columns)                                                    \
  GIBBS_COUNT(softmax, type, rows, columns, d.view(d.x), d.to(d.out))                           \
  GIBBS_COUNT(log_softmax, type, rows, columns, d.view(d.x), d.to(d.out))                       \
  GIBBS_COUNT(log_sum_exp, type, rows, columns, d.view(d.x), d.results)                         \
  GIBBS_COUNT(entropy, type, rows, columns, d.view(d.p), d.results)                             \
  GIBBS_COUNT(entropy_from_logits, type, rows, columns, d.view(d.x), d.results)                 \
  GIBBS_COUNT(cross_entropy, type, rows, columns, d.view(d.p), d.view(d.q), d.results)          \
  GIBBS_COUNT(cross_entropy_from_logits, type, rows, columns, d.view(d.x), d.labels, d.results) \
  GIBBS_COUNT(kl_divergence, type, rows, columns, d.view(d.p), d.view(d.q), d.results)          \
  GIBBS_COUNT(kl_divergence_from_logits, type, rows, columns, d.view(d.x), d.view(d.y), d.results)
#define GIBBS_RUN_ALL(type, rows, columns)                       \
  data<type, rows, columns>();                                   \
  count_softmax_##type##_##rows##x##columns();                   \
  count_log_softmax_##type##_##rows##x##columns();               \
  count_log_sum_exp_##type##_##rows##x##columns();               \
  count_entropy_##type##_##rows##x##columns();                   \
  count_entropy_from_logits_##type##_##rows##x##columns();       \
  count_cross_entropy_##type##_##rows##x##columns();             \
  count_cross_entropy_from_logits_##type##_##rows##x##columns(); \
  count_kl_divergence_##type##_##rows##x##columns();             \
  count_kl_divergence_from_logits_##type##_##rows##x##columns();

// At a low temperature some results are subnormal.
#define GIBBS_COUNT_COLD(type, rows, columns)                                          \
  GIBBS_COUNT_OF(softmax_cold, softmax, type, rows, columns, d.view(d.x), d.to(d.out), \
                 gibbs::logit_options{.temperature = 0.1})                             \
  GIBBS_COUNT_OF(entropy_cold, entropy, type, rows, columns, d.view(d.out), d.results)
#define GIBBS_RUN_COLD(type, rows, columns)         \
  count_softmax_cold_##type##_##rows##x##columns(); \
  count_entropy_cold_##type##_##rows##x##columns();

GIBBS_COUNT_ALL(float, 128, 10)
GIBBS_COUNT_ALL(float, 64, 100)
GIBBS_COUNT_ALL(float, 1, 100)
GIBBS_COUNT_ALL(float, 2, 4096)
GIBBS_COUNT_ALL(double, 128, 10)
GIBBS_COUNT_ALL(double, 64, 100)
GIBBS_COUNT_ALL(double, 1, 100)
GIBBS_COUNT_ALL(double, 2, 4096)
GIBBS_COUNT_COLD(float, 2, 4096)

int main() {
  GIBBS_RUN_ALL(float, 128, 10)
  GIBBS_RUN_ALL(float, 64, 100)
  GIBBS_RUN_ALL(float, 1, 100)
  GIBBS_RUN_ALL(float, 2, 4096)
  GIBBS_RUN_ALL(double, 128, 10)
  GIBBS_RUN_ALL(double, 64, 100)
  GIBBS_RUN_ALL(double, 1, 100)
  GIBBS_RUN_ALL(double, 2, 4096)
  GIBBS_RUN_COLD(float, 2, 4096)
}
