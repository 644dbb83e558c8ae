// SPDX-License-Identifier: MIT
//
// Exponentials in parts: (2^r - 1) / r, and (exp(-d) - 1 + d) / d^2, as polynomials. Batch in,
// batch out.
#ifndef GIBBS_DETAIL_EXP2_HPP
#define GIBBS_DETAIL_EXP2_HPP

#include <cstddef>
#include <type_traits>

#include "beside.hpp"
#include "simd.hpp"
#include "wide.hpp"

namespace gibbs::detail {

/// c0 + x * (c1 + x * (c2 + ...)).
template <class T, class Arch, class... Coefficients>
GIBBS_PART batch<T, Arch> polynomial(const batch<T, Arch>& x, T c0, Coefficients... rest) {
  if constexpr (sizeof...(rest) == 0) {
    return batch<T, Arch>(c0);
  } else {
    return multiply_add(polynomial(x, rest...), x, batch<T, Arch>(c0));
  }
}

/// (2^r - 1) / r at 0, and how it goes on: (2^r - 1) / r = exp2_slope_at_0 + r * exp2_curve(r) for
/// |r| <= 0.504. Minimax polynomials found with Sollya's fpminimax.
template <class T>
inline constexpr T exp2_slope_at_0 = std::is_same_v<T, float> ? T(0x1.62e43p-1f)
                                                              : T(0x1.62e42fefa39efp-1);

template <class T, class Arch>
GIBBS_PART batch<T, Arch> exp2_curve(const batch<T, Arch>& r) {
  if constexpr (std::is_same_v<T, float>) {
    return polynomial(r, 0x1.ebfbdep-3f, 0x1.c6af96p-5f, 0x1.3b2c4ep-7f, 0x1.5efac6p-10f,
                      0x1.428902p-13f);
  } else {
    return polynomial(r, 0x1.ebfbdff82c599p-3, 0x1.c6b08d704a1a6p-5, 0x1.3b2ab6fba1b39p-7,
                      0x1.5d87fe788212p-10, 0x1.4309130a25ebfp-13, 0x1.ffcbfcf6a96ecp-17,
                      0x1.62bfd242ecc4fp-20, 0x1.b523f5cf1df0fp-24, 0x1.e60ab42daabaap-28,
                      0x1.eb31550ef1214p-32);
  }
}

/// Where has_look_up<Arch>, so that less of a weight is left to a polynomial and to its rounding:
/// 2^(i/16), rounded, and by how much the logarithm of that is larger than i/16. (P. T. P. Tang,
/// "Table-driven implementation of the exponential function in IEEE floating-point arithmetic",
/// 1989.)
template <class T, class Arch>
struct exp2_table;
// clang-format off
template <class Arch>
struct exp2_table<float, Arch> {
  alignas(64) static constexpr float powers[16] = {
      1, 0x1.0b5586p+0f, 0x1.172b84p+0f, 0x1.2387a6p+0f, 0x1.306fep+0f, 0x1.3dea64p+0f,
      0x1.4bfdaep+0f, 0x1.5ab07ep+0f, 0x1.6a09e6p+0f, 0x1.7a1148p+0f, 0x1.8ace54p+0f,
      0x1.9c4918p+0f, 0x1.ae89fap+0f, 0x1.c199bep+0f, 0x1.d5818ep+0f, 0x1.ea4afap+0f};
  alignas(64) static constexpr float excesses[16] = {
      0, -0x1.1ecccap-24f, 0x1.293ab8p-26f, -0x1.2512a4p-24f, -0x1.8bbfd2p-25f, -0x1.c0bec4p-25f,
      0x1.800eaep-25f, 0x1.728d0ep-27f, -0x1.a82ebcp-26f, 0x1.79b05ep-25f, -0x1.036b6ep-27f,
      -0x1.2ec1d4p-27f, 0x1.6cd47cp-26f, 0x1.04ae88p-27f, 0x1.2fc81cp-27f, -0x1.fda57cp-28f};
};
template <class Arch>
struct exp2_table<double, Arch> {
  alignas(64) static constexpr double powers[16] = {
      1, 0x1.0b5586cf9890fp+0, 0x1.172b83c7d517bp+0, 0x1.2387a6e756238p+0,
      0x1.306fe0a31b715p+0, 0x1.3dea64c123422p+0, 0x1.4bfdad5362a27p+0, 0x1.5ab07dd485429p+0,
      0x1.6a09e667f3bcdp+0, 0x1.7a11473eb0187p+0, 0x1.8ace5422aa0dbp+0, 0x1.9c49182a3f09p+0,
      0x1.ae89f995ad3adp+0, 0x1.c199bdd85529cp+0, 0x1.d5818dcfba487p+0, 0x1.ea4afa2a490dap+0};
  alignas(64) static constexpr double excesses[16] = {
      0, -0x1.106d9ba253401p-53, 0x1.73c5aec1a0547p-55, -0x1.045c6a6d3eecbp-53,
      -0x1.bd9046b69ea24p-55, -0x1.f31b9fb32e2e4p-55, -0x1.04715f70da237p-55, -0x1.7a560f05eeddbp-54,
      0x1.c6cdcb8cfcc24p-54, 0x1.39ea4b4e0a91dp-55, -0x1.56f6cd720fba3p-54, -0x1.984806660caa6p-56,
      -0x1.445b6038d7018p-54, -0x1.c08f260a0042ap-56, -0x1.dc682d68358e2p-56, 0x1.70ed6ccceec4bp-54};
};
// clang-format on

/// (2^r - 1) / r for the r that is left: |r| <= 0.504, with a table a sixteenth of that. The error
/// of 2^r made from it is below 2^-27 (float), 2^-56 (double).
template <class T, class Arch>
GIBBS_PART batch<T, Arch> exp2_slope(const batch<T, Arch>& r) {
  if constexpr (has_look_up<Arch> && std::is_same_v<T, float>) {
    return polynomial(r, 0x1.62e43p-1f, 0x1.ebffa4p-3f, 0x1.c6b2a4p-5f);
  } else if constexpr (has_look_up<Arch>) {
    return polynomial(r, 0x1.62e42fefa39fep-1, 0x1.ebfbdff82c59dp-3, 0x1.c6b08d6e7a726p-5,
                      0x1.3b2ab6fa9315cp-7, 0x1.5d89c5e3ebd5p-10, 0x1.430a9d0d0556cp-13);
  } else {
    return multiply_add(exp2_curve(r), r, batch<T, Arch>(exp2_slope_at_0<T>));
  }
}

/// (exp(-d) - 1 + d) / d^2 for -2 <= d <= 1: what exp(-d) - 1 + d cancels to, without the
/// cancellation.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> exp_remainder(const batch<T, Arch>& d) {
  if constexpr (std::is_same_v<T, float>) {
    return polynomial(d, 0x1p-1f, -0x1.55555ap-3f, 0x1.55554ap-5f, -0x1.110f3ap-7f, 0x1.6c1f86p-10f,
                      -0x1.a0d626p-13f, 0x1.9bd592p-16f, -0x1.5ed9eap-19f, 0x1.c831eap-22f);
  } else {
    return polynomial(d, 0x1p-1, -0x1.5555555555557p-3, 0x1.555555555555ep-5, -0x1.1111111110edap-7,
                      0x1.6c16c16c16157p-10, -0x1.a01a01a0524b1p-13, 0x1.a01a01a058e01p-16,
                      -0x1.71de3a2dd8e19p-19, 0x1.27e4fbbf244a4p-22, -0x1.ae64717ffff0bp-26,
                      0x1.1eed19dca2b9bp-29, -0x1.611c6c80adab6p-33, 0x1.940dcd0122e48p-37,
                      -0x1.aef56d4bcb569p-41, 0x1.87ac5f1cbac48p-45, -0x1.3dda8f5433435p-48);
  }
}

/// s * 2^r, where s is 0 or a power of two, with a table times one of its entries.
template <class T, class Arch>
struct exponential {
  batch<T, Arch> s;
  batch<T, Arch> r;
  batch<T, Arch> slope;  ///< (2^r - 1) / r

  /// What there is beside s. Kept apart, the two parts add up to sums that never see the rounding
  /// of their own sum.
  GIBBS_PART batch<T, Arch> rest() const {
    batch<T, Arch> beside_1 = r * slope;
    if constexpr (has_look_up<Arch>) {
      return rounded_term(s, beside_1);
    } else {
      return s * beside_1;  // exact
    }
  }
  /// The sum of both, where s * r is exact or its rounding too small to matter.
  GIBBS_PART batch<T, Arch> value() const { return multiply_add(s * r, slope, s); }
};

/// What all rows have in common.
template <class T, class Arch>
struct exp2_factors {
  batch<T, Arch> hi;
  batch<T, Arch> lo;
  batch<T, Arch> high_part;

  GIBBS_PART explicit exp2_factors(split<T> factor)
      : hi(factor.hi), lo(factor.lo), high_part(short_part(hi)) {}
  /// For batches side by side.
  template <class Single>
  GIBBS_PART explicit exp2_factors(const exp2_factors<T, Single>& one)
      : hi(one.hi), lo(one.lo), high_part(one.high_part) {}
};

/// What differs from lane to lane where the lanes belong to rows of their own.
template <class T, class Arch>
struct exp2_pivots {
  alignas(64) T magic[lanes<T, Arch>];
  alignas(64) T floor[lanes<T, Arch>];
};

/// Something of its own, or a reference to what several have: a copy that nothing needs is stored
/// by compilers all the same.
template <bool IsShared, class Value>
using own_or_shared = std::conditional_t<IsShared, const Value&, Value>;

/// exp2(x * (factor_hi + factor_lo) - pivot) for x up to the element that the pivot was made for,
/// by an absolute split of the exponent: nothing is subtracted from x, so nothing of it is lost.
template <class T, class Arch, bool IsOneOfMany = false>
class scaled_exp2 {
  using B = batch<T, Arch>;
  template <class, class, bool>
  friend class scaled_exp2;
  static constexpr bool has_table = has_look_up<Arch>;
  /// Exponents are split at multiples of this.
  static constexpr T unit = has_table ? T(1) / 16 : T(1);
  /// Added to a number, this leaves a multiple of 1 in its lowest bits.
  static constexpr T rounder = T(1.5) * static_cast<T>(uint_of<T>(1) << mantissa_bits<T>);

 public:
  /// |x * factor| up to here keeps the error constant.
  static constexpr T largest_exponent =
      has_fma<Arch> || !std::is_same_v<T, float> ? T(65536) : T(1024);

  /// Weights of the element largest are about 2^headroom, and 2^62 of those can be added up. What
  /// is 2^-190 (float) or 2^-1150 (double) of it is still a normal number; of less no row that
  /// fits a memory has so many that they or their products with their distances count.
  static constexpr int headroom = std::is_same_v<T, float> ? 64 : 128;
  static constexpr T largest_weight = std::is_same_v<T, float> ? T(0x1p64) : T(0x1p128);

  /// largest may differ from lane to lane. unfactor is 1 / factor, roughly.
  GIBBS_PART scaled_exp2(split<T> factor, T unfactor, const B& largest) : factors_(factor) {
    B pivot = ((largest * factors_.hi + B(rounder)) - B(rounder)) - B(T(headroom));
    B zero = pivot - B(T(exponent_bias<T>));
    magic_ = B(rounder * unit) - zero;
    // Whatever the rounding mode, the floor is not far enough from the multiple of the unit to
    // become another one. (The product is there for compilers to leave the sum to the machine.)
    B quarter = largest * B(T(0)) + B(T(0.25));
    B rounded_up = (quarter + B(rounder)) - B(rounder);
    floor_ = (zero + (quarter - rounded_up * B(T(0.75))) * B(unit)) * B(unfactor);
  }

  /// For batches side by side.
  template <class Single, bool IsOne>
  GIBBS_PART explicit scaled_exp2(const scaled_exp2<T, Single, IsOne>& one)
      : factors_(one.factors_), magic_(one.magic_), floor_(one.floor_) {}

  /// x, or a number that is too small to count if x is less than that.
  GIBBS_PART B clamped(const B& x) const { return max_or_second(floor_, x); }

  /// -infinity and all that is too small to count have s = 0; NaN has r = NaN.
  GIBBS_PART exponential<T, Arch> operator()(const B& x) const { return of_clamped(clamped(x)); }

  /// Likewise, and s = 0 where the condition holds.
  GIBBS_PART exponential<T, Arch> unless(const mask<T, Arch>& condition, const B& x) const {
    auto result = of_clamped(clamped(x));
    result.s = zero_if(condition, result.s);
    return result;
  }

  /// Likewise, with an error that is small beside that of the rounded number.
  GIBBS_PART wide_batch<T, Arch> in_parts(const B& x) const {
    using wide_type = wide_batch<T, Arch>;
    B slope(exp2_slope_at_0<T>);
    B clamped = max_or_second(floor_, x);
    B magic = magic_ + B(rounder - rounder * unit);
    B shifted = multiply_add(clamped, factors_.hi, magic);
    auto exponent = wide_type::product(clamped, factors_.hi);
    // The first difference is exact, and 0 or a multiple of what the sum is rounded to.
    auto r = wide_type::ordered_sum(exponent.hi - (shifted - magic),
                                    multiply_add(clamped, factors_.lo, exponent.lo));
    auto linear = wide_type::product(r.hi, slope);
    auto sum = wide_type::ordered_sum(B(T(1)), linear.hi);
    B rest = multiply_add(r.hi * r.hi, exp2_curve(r.hi), r.lo * slope);
    B s = power_of_two(shifted);
    return {s * sum.hi, s * (sum.lo + (linear.lo + rest))};
  }

  GIBBS_PART void store(exp2_pivots<T, Arch>& to) const {
    magic_.store_aligned(to.magic);
    floor_.store_aligned(to.floor);
  }
  /// That of one lane, in all lanes.
  GIBBS_PART scaled_exp2(const scaled_exp2<T, Arch>& all, const exp2_pivots<T, Arch>& from,
                         std::size_t lane)
      : factors_(all.factors_), magic_(from.magic[lane]), floor_(from.floor[lane]) {}

 private:
  GIBBS_PART exponential<T, Arch> of_clamped(const B& x) const {
    B shifted = multiply_add(x, factors_.hi, magic_);
    if constexpr (has_table) {
      using table = exp2_table<T, single_arch<Arch>>;
      auto i = bits(shifted);
      B excess = look_up(table::excesses, i);
      B r = multiply_subtract(x, factors_.hi, shifted - magic_) +
            multiply_subtract(x, factors_.lo, excess);
      B s = with_exponent(look_up(table::powers, i), i);
      return {s, r, exp2_slope(r)};
    } else {
      B whole = shifted - magic_;
      if constexpr ((abreast<Arch>) > 4) {
        // Now, since what is left of so many batches goes to memory: s, and not what it comes from.
        B s = power_of_two(shifted);
        B r = fraction(x, whole);
        return {s, r, exp2_slope(r)};
      } else {
        B r = fraction(x, whole);
        return {power_of_two(shifted), r, exp2_slope(r)};
      }
    }
  }

  /// The integer part of the exponent has ended up in the lowest bits, offset so that a shift makes
  /// it the exponent field of a power of two, or of 0 for the smallest.
  GIBBS_PART static B power_of_two(const B& shifted) {
    return from_bits<T, Arch>(to_exponent_field<T, Arch>(bits(shifted)));
  }

  /// x * (hi + lo) - k, with no rounding before the subtraction.
  GIBBS_PART B fraction(const B& x, const B& k) const {
    if constexpr (has_fma<Arch>) {
      return multiply_add(x, factors_.lo, multiply_subtract(x, factors_.hi, k));
    } else {
      B x_high = short_part(x);
      B x_low = x - x_high;
      B low_part = factors_.hi - factors_.high_part;
      // The first difference is exact, and only the last sum is rounded at the size of the result.
      return (x_high * factors_.high_part - k) +
             (x_high * low_part +
              (x_low * factors_.high_part + (x_low * low_part + x * factors_.lo)));
    }
  }

  own_or_shared<IsOneOfMany, exp2_factors<T, Arch>> factors_;
  B magic_;
  B floor_;
};

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_EXP2_HPP
