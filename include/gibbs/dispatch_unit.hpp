// SPDX-License-Identifier: MIT
//
// The units that gibbs::dispatch consists of. CMake's target gibbs::dispatch writes and compiles
// them; with another build system these are files of two lines, compiled with -O3 (at -O2 g++ makes
// them up to twice as slow):
//
//     #include <gibbs/dispatch_unit.hpp>
//     GIBBS_DISPATCH_SELECT();
//
// and the same with GIBBS_DISPATCH_UNIT(base), and on x86 also GIBBS_DISPATCH_UNIT(avx2) with the
// flags -mavx2 -mfma and GIBBS_DISPATCH_UNIT(avx512) with -mavx2 -mfma -mavx512f -mavx512cd
// -mavx512bw -mavx512dq -mavx512vl. A unit does not compile with the flags of another one.
//
// The names of functions tell the architectures of xsimd apart, no more. A file that includes the
// other headers and is compiled with, say, -march=znver4 shares the functions of the unit avx512,
// and the linker may keep those of that file, with all that Zen 4 has.
//
// A unit has one strong symbol, a table that is constant-initialized; all weak symbols in it have
// the architecture in their name, so that the linker never puts one unit's code into another.
#ifndef GIBBS_DISPATCH_UNIT_HPP
#define GIBBS_DISPATCH_UNIT_HPP

#include <cstdlib>
#include <string_view>

#include "cross_entropy.hpp"
#include "detail/dispatch_table.hpp"
#include "entropy.hpp"
#include "kl_divergence.hpp"
#include "log_sum_exp.hpp"
#include "softmax.hpp"

/// Defines the table of the architecture called name (base, avx2 or avx512), for which the flags of
/// the file must be right.
#define GIBBS_DISPATCH_UNIT(name)                                                         \
  namespace gibbs::detail {                                                               \
  static_assert(is_optimized,                                                             \
                "gibbs: compile this file with -O3: without optimisation the small "      \
                "functions of the standard library are symbols that all units share");    \
  static_assert(flags_of_##name, "gibbs: GIBBS_DISPATCH_UNIT(" #name                      \
                                 ") is compiled with the flags of another architecture"); \
  constinit const dispatch_table dispatch_##name{#name[0] == 'b' ? base_name : #name,     \
                                                 make_dispatch_functions<float>(),        \
                                                 make_dispatch_functions<double>()};      \
  }                                                                                       \
  static_assert(true)

/// Defines the choice among the tables.
#define GIBBS_DISPATCH_SELECT()                                                    \
  const gibbs::detail::dispatch_table& gibbs::detail::dispatched() noexcept {      \
    static const dispatch_table& chosen = choose_dispatch_table(dispatch_limit()); \
    return chosen;                                                                 \
  }                                                                                \
  static_assert(true)

namespace gibbs::detail {

#if defined(__GNUC__) && !defined(__OPTIMIZE__)
inline constexpr bool is_optimized = false;
#else
inline constexpr bool is_optimized = true;
#endif

#if defined(__AVX512F__) && defined(__AVX512CD__) && defined(__AVX512BW__) && \
    defined(__AVX512DQ__) && defined(__AVX512VL__)
inline constexpr bool flags_of_avx512 = has_fma<default_arch>;
inline constexpr bool flags_of_avx2 = false;
#elif defined(__AVX2__) && defined(__FMA__) && !defined(__AVX512F__)
inline constexpr bool flags_of_avx512 = false;
inline constexpr bool flags_of_avx2 = has_fma<default_arch>;
#else
inline constexpr bool flags_of_avx512 = false;
inline constexpr bool flags_of_avx2 = false;
#endif
#if defined(__AVX__)
inline constexpr bool flags_of_base = false;
#else
inline constexpr bool flags_of_base = true;
#endif

#if GIBBS_X86
inline constexpr const char* base_name = "sse2";
#else
inline constexpr const char* base_name = is_neon64<default_arch> ? "neon64" : "base";
#endif

template <class T, class Arch = default_arch>
consteval dispatch_functions<T> make_dispatch_functions() {
  return {
      .softmax = softmax_rows<T, Arch>,
      .softmax_with_log_sum_exp = softmax_with_log_sum_exp_rows<T, Arch>,
      .log_softmax = log_softmax_rows<T, Arch>,
      .log_sum_exp = log_sum_exp_rows<T, Arch>,
      .entropy = entropy_rows<T, Arch>,
      .entropy_from_logits = entropy_from_logits_rows<T, Arch>,
      .cross_entropy = cross_entropy_rows<T, Arch>,
      .cross_entropy_label = cross_entropy_label_rows<T, Arch>,
      .cross_entropy_target = cross_entropy_target_rows<T, Arch>,
      .kl_divergence = kl_divergence_rows<T, Arch>,
      .kl_divergence_from_logits = kl_divergence_from_logits_rows<T, Arch>,
  };
}

enum class dispatch_level { base, avx2, avx512 };

/// What the environment allows; everything if it does not say.
inline dispatch_level dispatch_limit() noexcept {
  const char* const value = std::getenv("GIBBS_MAX_ARCHITECTURE");
  const std::string_view name = value == nullptr ? "" : value;
  if (name == "base" || name == base_name) return dispatch_level::base;
  if (name == "avx2") return dispatch_level::avx2;
  return dispatch_level::avx512;
}

/// The best that the CPU and the operating system have, up to a limit.
inline const dispatch_table& choose_dispatch_table([[maybe_unused]] dispatch_level limit) noexcept {
#if GIBBS_DISPATCH_X86
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (limit >= dispatch_level::avx512 && avx2 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return dispatch_avx512;
  }
  if (limit >= dispatch_level::avx2 && avx2) return dispatch_avx2;
#endif
  return dispatch_base;
}

}  // namespace gibbs::detail

#endif  // GIBBS_DISPATCH_UNIT_HPP
