// SPDX-License-Identifier: MIT
// Faults that this file catches: a function of gibbs::dispatch that calls another one than it says,
// mixes up its arguments or the element types; a label type read as another; a limit from the
// environment that is not kept, or named otherwise; code for one architecture that is linked into
// another (the headers are compiled in here for the architecture in use, so bits must be equal).
// Bounds, special values and errors are tested by test_sweep.cpp and test_contract.cpp, compiled a
// second time to call gibbs::dispatch.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <gibbs/dispatch.hpp>
#include <gibbs/instantiate.hpp>
#include <string_view>
#include <vector>

#include "support/check.hpp"
#include "support/inputs.hpp"

namespace {

using namespace gibbs_support;
using gibbs::logit_options;
using gibbs::matrix_view;

#define GIBBS_FORWARD(name)                                         \
  template <class... Arguments>                                     \
  static auto name(Arguments&&... arguments) {                      \
    return GIBBS_API::name(static_cast<Arguments&&>(arguments)...); \
  }
#define GIBBS_FORWARD_ALL                  \
  GIBBS_FORWARD(softmax)                   \
  GIBBS_FORWARD(softmax_with_log_sum_exp)  \
  GIBBS_FORWARD(log_softmax)               \
  GIBBS_FORWARD(log_sum_exp)               \
  GIBBS_FORWARD(entropy)                   \
  GIBBS_FORWARD(entropy_from_logits)       \
  GIBBS_FORWARD(cross_entropy)             \
  GIBBS_FORWARD(cross_entropy_from_logits) \
  GIBBS_FORWARD(kl_divergence)             \
  GIBBS_FORWARD(kl_divergence_from_logits)

#define GIBBS_API gibbs
struct headers {
  GIBBS_FORWARD_ALL
};
#undef GIBBS_API
#define GIBBS_API gibbs::dispatch
struct dispatched {
  GIBBS_FORWARD_ALL
};
#undef GIBBS_API

template <class T>
struct inputs {
  std::size_t rows, columns;
  std::vector<T> x, y, p, q;
  std::vector<std::int64_t> labels;
  logit_options options;
};

// Everything that there is to call, one result behind the other.
template <class Api, class T>
std::vector<T> results_of(const inputs<T>& in) {
  const std::size_t rows = in.rows;
  const std::size_t size = rows * in.columns;
  std::vector<T> results;
  std::vector<T> out(size);
  std::vector<T> scalars(rows);
  const auto keep = [&](const std::vector<T>& values) {
    results.insert(results.end(), values.begin(), values.end());
  };
  const auto view = [&](const std::vector<T>& v) {
    return matrix_view<const T>(v.data(), rows, in.columns);
  };
  const matrix_view<T> to(out.data(), rows, in.columns);
  const logit_options& options = in.options;

  Api::softmax(view(in.x), to, options);
  keep(out);
  Api::softmax_with_log_sum_exp(view(in.y), to, scalars, options);
  keep(out);
  keep(scalars);
  Api::log_softmax(view(in.x), to, options);
  keep(out);
  Api::log_sum_exp(view(in.x), scalars, options);
  keep(scalars);
  Api::entropy(view(in.p), scalars);
  keep(scalars);
  Api::entropy_from_logits(view(in.y), scalars, options);
  keep(scalars);
  Api::cross_entropy(view(in.p), view(in.q), scalars);
  keep(scalars);
  Api::cross_entropy_from_logits(view(in.x), in.labels, scalars, options);
  keep(scalars);
  Api::cross_entropy_from_logits(view(in.x), view(in.p), scalars, options);
  keep(scalars);
  Api::kl_divergence(view(in.p), view(in.q), scalars);
  keep(scalars);
  Api::kl_divergence_from_logits(view(in.x), view(in.y), scalars, options);
  keep(scalars);

  out.resize(size);
  Api::softmax(in.x, out, options);
  keep(out);
  results.push_back(Api::softmax_with_log_sum_exp(in.y, out, options));
  keep(out);
  Api::log_softmax(in.x, out, options);
  keep(out);
  results.push_back(Api::log_sum_exp(in.x, options));
  results.push_back(Api::entropy(in.p));
  results.push_back(Api::entropy_from_logits(in.y, options));
  results.push_back(Api::cross_entropy(in.p, in.q));
  if (size > 0) results.push_back(Api::cross_entropy_from_logits(in.x, size - 1, options));
  results.push_back(Api::cross_entropy_from_logits(in.x, in.p, options));
  results.push_back(Api::kl_divergence(in.p, in.q));
  results.push_back(Api::kl_divergence_from_logits(in.x, in.y, options));
  return results;
}

}  // namespace

TEST_CASE("the architecture is the one that was asked for") {
  const char* const wanted = std::getenv("GIBBS_EXPECTED_ARCHITECTURE");
  REQUIRE(wanted != nullptr);
  CHECK(gibbs::dispatch::architecture() == std::string_view(wanted));
  // Read once.
  setenv("GIBBS_MAX_ARCHITECTURE", "sse2", 1);
  CHECK(gibbs::dispatch::architecture() == std::string_view(wanted));
}

TEST_CASE_TEMPLATE("the same bits as from the headers", T, float, double) {
  fault_log log;
  for (std::size_t columns : sizes{1, 2, 3, 4, 7, 10, 16, 17, 33, 64, 100, 257, 1000, 5000}) {
    for (std::size_t rows : sizes{1, 2, 5, 19}) {
      for (double temperature : {1.0, 0.7, 1e-39, 0.0}) {
        random_source random(100 * columns + rows);
        inputs<T> in{rows, columns, {}, {}, {}, {}, {}, {.temperature = temperature}};
        for (std::vector<T>* v : {&in.x, &in.y, &in.p, &in.q}) v->resize(rows * columns);
        for (T& v : in.x) v = static_cast<T>(4 * random.normal());
        for (T& v : in.y) v = static_cast<T>(20 * random.normal());
        for (T& v : in.p) v = static_cast<T>(random.uniform());
        for (T& v : in.q) v = static_cast<T>(random.uniform());
        for (std::size_t i = 0; i < rows; ++i) {
          in.labels.push_back(static_cast<std::int64_t>(random.below(columns)));
        }
        const std::vector<T> wanted = results_of<headers>(in);
        const std::vector<T> got = results_of<dispatched>(in);
        REQUIRE(wanted.size() == got.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
          log.expect(same_bits(got[i], wanted[i]), "dispatch ", rows, " x ", columns, " T ",
                     temperature, " result ", i, ": ", got[i], ", headers ", wanted[i]);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("labels of every standard integer type", L, signed char, unsigned char, short,
                   unsigned short, int, unsigned, long, unsigned long, long long,
                   unsigned long long) {
  const std::size_t rows = 6;
  const std::size_t columns = 100;
  random_source random(7);
  std::vector<float> x(rows * columns);
  for (float& v : x) v = static_cast<float>(random.normal());
  const std::vector<L> labels{L(0), L(99), L(1), L(64), L(98), L(50)};
  std::vector<float> wanted(rows);
  std::vector<float> got(rows);
  const matrix_view<const float> view(x.data(), rows, columns);
  gibbs::cross_entropy_from_logits(view, labels, wanted);
  gibbs::dispatch::cross_entropy_from_logits(view, labels, got);
  CHECK(got == wanted);
  CHECK(gibbs::dispatch::cross_entropy_from_logits(view.row(1), labels[1]) == wanted[1]);
}
