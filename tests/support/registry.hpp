// SPDX-License-Identifier: MIT
// Every primitive on probability distributions, listed once. Tests, benchmarks and fuzz targets
// loop over primitives<T>(); one that is added here is swept, timed and fuzzed without more ado.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <gibbs/dispatch.hpp>
#include <gibbs/instantiate.hpp>
#include <span>
#include <string_view>

#include "baseline.hpp"

namespace gibbs_support {

// What the tests are of: the headers, or the library that chooses at run time.
#if defined(GIBBS_TEST_DISPATCH)
namespace tested = gibbs::dispatch;
#else
namespace tested = gibbs;
#endif

enum class primitive_id {
  softmax,
  softmax_with_log_sum_exp,
  log_softmax,
  log_sum_exp,
  entropy,
  entropy_from_logits,
  cross_entropy,
  cross_entropy_of_label,   // cross_entropy_from_logits(logits, label)
  cross_entropy_of_target,  // cross_entropy_from_logits(logits, target_p)
  kl_divergence,
  kl_divergence_from_logits,
};

enum class input_kind { logits, logits_and_label, logits_and_target, two_logits, p, p_and_q };
enum class output_kind { row, scalar, row_and_scalar };

using label_type = std::int32_t;

template <class T>
struct matrix_arguments {
  gibbs::matrix_view<const T> first;                  // logits, p_logits or p
  gibbs::matrix_view<const T> second{nullptr, 0, 0};  // target_p, q_logits or q, where there is one
  std::span<const label_type> labels{};               // one a row, where they are used
  double temperature = 1;
};

template <class T>
struct matrix_results {
  gibbs::matrix_view<T> rows{nullptr, 0, 0};  // where the output is a row
  std::span<T> scalars{};                     // where the output is one number a row
};

template <class T>
struct row_arguments {
  std::span<const T> first;
  std::span<const T> second{};
  label_type label = 0;
  double temperature = 1;
};

template <class T>
struct primitive {
  primitive_id id;
  std::string_view name;      // unique here, and readable in a benchmark's name
  std::string_view function;  // as the library calls it, e.g. in error messages
  input_kind input;
  output_kind output;
  bool uses_temperature;
  double bound;  // promised, in ulp

  void (*on_matrix)(const matrix_arguments<T>&, const matrix_results<T>&);
  T (*on_row)(const row_arguments<T>&, std::span<T> out);  // returns 0 if there is no scalar
  T (*baseline_on_row)(const row_arguments<T>&, std::span<T> out);

  constexpr bool has_second() const {
    return input == input_kind::logits_and_target || input == input_kind::two_logits ||
           input == input_kind::p_and_q;
  }
  constexpr bool has_label() const { return input == input_kind::logits_and_label; }
  constexpr bool first_is_logits() const {
    return input != input_kind::p && input != input_kind::p_and_q;
  }
  constexpr bool second_is_logits() const { return input == input_kind::two_logits; }
  constexpr bool writes_row() const { return output != output_kind::scalar; }
  constexpr bool gives_scalar() const { return output != output_kind::row; }
  constexpr bool in_place() const { return writes_row(); }
  constexpr double scalar_bound() const {
    return output == output_kind::row_and_scalar ? gibbs::accuracy::log_sum_exp<T> : bound;
  }

  void baseline_on_matrix(const matrix_arguments<T>& in, const matrix_results<T>& out) const {
    for (std::size_t i = 0; i < in.first.rows(); ++i) {
      const T scalar =
          baseline_on_row({.first = in.first.row(i),
                           .second = has_second() ? in.second.row(i) : std::span<const T>(),
                           .label = has_label() ? in.labels[i] : 0,
                           .temperature = in.temperature},
                          writes_row() ? out.rows.row(i) : std::span<T>());
      if (gives_scalar()) out.scalars[i] = scalar;
    }
  }
};

template <class T>
std::span<const primitive<T>> primitives() {
  using matrix_in = matrix_arguments<T>;
  using matrix_out = matrix_results<T>;
  using row_in = row_arguments<T>;
  using row_out = std::span<T>;

  static const std::array<primitive<T>, 11> table{{
      {
          .id = primitive_id::softmax,
          .name = "softmax",
          .function = "softmax",
          .input = input_kind::logits,
          .output = output_kind::row,
          .uses_temperature = true,
          .bound = gibbs::accuracy::softmax<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::softmax(in.first, out.rows, {.temperature = in.temperature});
              },
          .on_row =
              [](const row_in& in, row_out out) {
                tested::softmax(in.first, out, {.temperature = in.temperature});
                return T(0);
              },
          .baseline_on_row =
              [](const row_in& in, row_out out) {
                baseline::softmax(in.first, out, static_cast<T>(in.temperature));
                return T(0);
              },
      },
      {
          .id = primitive_id::softmax_with_log_sum_exp,
          .name = "softmax_with_log_sum_exp",
          .function = "softmax_with_log_sum_exp",
          .input = input_kind::logits,
          .output = output_kind::row_and_scalar,
          .uses_temperature = true,
          .bound = gibbs::accuracy::softmax<T>,  // of the row; the scalar has log_sum_exp's
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::softmax_with_log_sum_exp(in.first, out.rows, out.scalars,
                                                 {.temperature = in.temperature});
              },
          .on_row =
              [](const row_in& in, row_out out) {
                return tested::softmax_with_log_sum_exp(in.first, out,
                                                        {.temperature = in.temperature});
              },
          .baseline_on_row =
              [](const row_in& in, row_out out) {
                return baseline::softmax(in.first, out, static_cast<T>(in.temperature));
              },
      },
      {
          .id = primitive_id::log_softmax,
          .name = "log_softmax",
          .function = "log_softmax",
          .input = input_kind::logits,
          .output = output_kind::row,
          .uses_temperature = true,
          .bound = gibbs::accuracy::log_softmax<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::log_softmax(in.first, out.rows, {.temperature = in.temperature});
              },
          .on_row =
              [](const row_in& in, row_out out) {
                tested::log_softmax(in.first, out, {.temperature = in.temperature});
                return T(0);
              },
          .baseline_on_row =
              [](const row_in& in, row_out out) {
                baseline::log_softmax(in.first, out, static_cast<T>(in.temperature));
                return T(0);
              },
      },
      {
          .id = primitive_id::log_sum_exp,
          .name = "log_sum_exp",
          .function = "log_sum_exp",
          .input = input_kind::logits,
          .output = output_kind::scalar,
          .uses_temperature = true,
          .bound = gibbs::accuracy::log_sum_exp<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::log_sum_exp(in.first, out.scalars, {.temperature = in.temperature});
              },
          .on_row =
              [](const row_in& in, row_out) {
                return tested::log_sum_exp(in.first, {.temperature = in.temperature});
              },
          .baseline_on_row =
              [](const row_in& in, row_out) {
                return baseline::log_sum_exp(in.first, static_cast<T>(in.temperature));
              },
      },
      {
          .id = primitive_id::entropy,
          .name = "entropy",
          .function = "entropy",
          .input = input_kind::p,
          .output = output_kind::scalar,
          .uses_temperature = false,
          .bound = gibbs::accuracy::entropy<T>,
          .on_matrix = [](const matrix_in& in,
                          const matrix_out& out) { tested::entropy(in.first, out.scalars); },
          .on_row = [](const row_in& in, row_out) { return tested::entropy(in.first); },
          .baseline_on_row = [](const row_in& in, row_out) { return baseline::entropy(in.first); },
      },
      {
          .id = primitive_id::entropy_from_logits,
          .name = "entropy_from_logits",
          .function = "entropy_from_logits",
          .input = input_kind::logits,
          .output = output_kind::scalar,
          .uses_temperature = true,
          .bound = gibbs::accuracy::entropy_from_logits<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::entropy_from_logits(in.first, out.scalars, {.temperature = in.temperature});
              },
          .on_row =
              [](const row_in& in, row_out) {
                return tested::entropy_from_logits(in.first, {.temperature = in.temperature});
              },
          .baseline_on_row =
              [](const row_in& in, row_out) {
                return baseline::entropy_from_logits(in.first, static_cast<T>(in.temperature));
              },
      },
      {
          .id = primitive_id::cross_entropy,
          .name = "cross_entropy",
          .function = "cross_entropy",
          .input = input_kind::p_and_q,
          .output = output_kind::scalar,
          .uses_temperature = false,
          .bound = gibbs::accuracy::cross_entropy<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::cross_entropy(in.first, in.second, out.scalars);
              },
          .on_row = [](const row_in& in,
                       row_out) { return tested::cross_entropy(in.first, in.second); },
          .baseline_on_row = [](const row_in& in,
                                row_out) { return baseline::cross_entropy(in.first, in.second); },
      },
      {
          .id = primitive_id::cross_entropy_of_label,
          .name = "cross_entropy_from_logits",
          .function = "cross_entropy_from_logits",
          .input = input_kind::logits_and_label,
          .output = output_kind::scalar,
          .uses_temperature = true,
          .bound = gibbs::accuracy::cross_entropy_from_logits<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::cross_entropy_from_logits(in.first, in.labels, out.scalars,
                                                  {.temperature = in.temperature});
              },
          .on_row =
              [](const row_in& in, row_out) {
                return tested::cross_entropy_from_logits(in.first, in.label,
                                                         {.temperature = in.temperature});
              },
          .baseline_on_row =
              [](const row_in& in, row_out) {
                return baseline::cross_entropy_of_label(
                    in.first, static_cast<std::size_t>(in.label), static_cast<T>(in.temperature));
              },
      },
      {
          .id = primitive_id::cross_entropy_of_target,
          .name = "cross_entropy_from_logits_and_target",
          .function = "cross_entropy_from_logits",
          .input = input_kind::logits_and_target,
          .output = output_kind::scalar,
          .uses_temperature = true,
          .bound = gibbs::accuracy::cross_entropy_from_logits<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::cross_entropy_from_logits(in.first, in.second, out.scalars,
                                                  {.temperature = in.temperature});
              },
          .on_row =
              [](const row_in& in, row_out) {
                return tested::cross_entropy_from_logits(in.first, in.second,
                                                         {.temperature = in.temperature});
              },
          .baseline_on_row =
              [](const row_in& in, row_out) {
                return baseline::cross_entropy_of_target(in.first, in.second,
                                                         static_cast<T>(in.temperature));
              },
      },
      {
          .id = primitive_id::kl_divergence,
          .name = "kl_divergence",
          .function = "kl_divergence",
          .input = input_kind::p_and_q,
          .output = output_kind::scalar,
          .uses_temperature = false,
          .bound = gibbs::accuracy::kl_divergence<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::kl_divergence(in.first, in.second, out.scalars);
              },
          .on_row = [](const row_in& in,
                       row_out) { return tested::kl_divergence(in.first, in.second); },
          .baseline_on_row = [](const row_in& in,
                                row_out) { return baseline::kl_divergence(in.first, in.second); },
      },
      {
          .id = primitive_id::kl_divergence_from_logits,
          .name = "kl_divergence_from_logits",
          .function = "kl_divergence_from_logits",
          .input = input_kind::two_logits,
          .output = output_kind::scalar,
          .uses_temperature = true,
          .bound = gibbs::accuracy::kl_divergence_from_logits<T>,
          .on_matrix =
              [](const matrix_in& in, const matrix_out& out) {
                tested::kl_divergence_from_logits(in.first, in.second, out.scalars,
                                                  {.temperature = in.temperature});
              },
          .on_row =
              [](const row_in& in, row_out) {
                return tested::kl_divergence_from_logits(in.first, in.second,
                                                         {.temperature = in.temperature});
              },
          .baseline_on_row =
              [](const row_in& in, row_out) {
                return baseline::kl_divergence_from_logits(in.first, in.second,
                                                           static_cast<T>(in.temperature));
              },
      },
  }};
  return table;
}

template <class T>
const primitive<T>& primitive_of(primitive_id id) {
  for (const primitive<T>& f : primitives<T>()) {
    if (f.id == id) return f;
  }
  std::abort();
}

// What the code was compiled for, as benchmarks and tables name it.
constexpr std::string_view architecture_name() {
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
  return "avx512";
#elif defined(__AVX2__) && defined(__FMA__)
  return "avx2+fma";
#elif defined(__AVX2__)
  return "avx2";
#elif defined(__AVX__)
  return "avx";
#elif defined(__x86_64__) || defined(__SSE2__) || defined(_M_X64)
  return "sse2";
#elif defined(__aarch64__) || defined(_M_ARM64)
  return "neon64";
#else
  return "generic";
#endif
}

template <class T>
constexpr std::string_view type_name() {
  return sizeof(T) == sizeof(float) ? "float" : "double";
}

}  // namespace gibbs_support
