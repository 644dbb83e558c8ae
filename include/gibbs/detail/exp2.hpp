// SPDX-License-Identifier: MIT
//
// Exponentials in parts: (2^r - 1) / r, and (exp(-d) - 1 + d) / d^2, as polynomials. Batch in,
// batch out.
#ifndef GIBBS_DETAIL_EXP2_HPP
#define GIBBS_DETAIL_EXP2_HPP

#include "simd.hpp"
#include "wide.hpp"

namespace gibbs::detail {

/// c0 + x * (c1 + x * (c2 + ...)).
template <class T, class Arch, class... Coefficients>
GIBBS_INLINE batch<T, Arch> polynomial(const batch<T, Arch>& x, T c0, Coefficients... rest) {
  if constexpr (sizeof...(rest) == 0) {
    return batch<T, Arch>(c0);
  } else {
    return multiply_add(polynomial(x, rest...), x, batch<T, Arch>(c0));
  }
}

/// (2^r - 1) / r at 0, and how it goes on: (2^r - 1) / r = exp2_slope_at_0 + r * exp2_curve(r) for
/// |r| <= 0.504. Minimax polynomials found with Sollya's fpminimax; the error of 2^r made from them
/// is below 2^-27 (float), 2^-56 (double).
template <class T>
inline constexpr T exp2_slope_at_0 = std::is_same_v<T, float> ? T(0x1.62e43p-1f)
                                                              : T(0x1.62e42fefa39efp-1);

template <class T, class Arch>
GIBBS_INLINE batch<T, Arch> exp2_curve(const batch<T, Arch>& r) {
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

template <class T, class Arch>
GIBBS_INLINE batch<T, Arch> exp2_slope(const batch<T, Arch>& r) {
  return multiply_add(exp2_curve(r), r, batch<T, Arch>(exp2_slope_at_0<T>));
}

/// (exp(-d) - 1 + d) / d^2 for -2 <= d <= 1: what exp(-d) - 1 + d cancels to, without the
/// cancellation.
template <class T, class Arch>
GIBBS_INLINE batch<T, Arch> exp_remainder(const batch<T, Arch>& d) {
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

/// s * 2^r, s a power of two or 0.
template <class T, class Arch>
struct exponential {
  batch<T, Arch> s;
  batch<T, Arch> r;
  batch<T, Arch> slope;  ///< (2^r - 1) / r

  /// What there is beside s. Kept apart, the two parts add up to sums that never see the rounding
  /// of their own sum.
  GIBBS_INLINE batch<T, Arch> rest() const { return s * (r * slope); }
  /// The sum of both, where s * r is exact.
  GIBBS_INLINE batch<T, Arch> value() const { return multiply_add(s * r, slope, s); }
};

/// exp2(x * (factor_hi + factor_lo) - pivot) for x up to the element that the pivot was made for,
/// by an absolute split of the exponent: nothing is subtracted from x, so nothing of it is lost.
template <class T, class Arch>
class scaled_exp2 {
  using B = batch<T, Arch>;

 public:
  /// |x * factor| up to here keeps the error constant.
  static constexpr T largest_exponent =
      has_fma<Arch> || !std::is_same_v<T, float> ? T(65536) : T(1024);

  /// Weights of the element largest are about 2^headroom: what is 2^-149 (float) or 2^-1074
  /// (double) of it is still a normal number, and 2^62 of them can be added up.
  static constexpr int headroom = 64;

  /// largest may differ from lane to lane. unfactor is 1 / factor, roughly.
  GIBBS_INLINE scaled_exp2(split<T> factor, T unfactor, const B& largest)
      : hi_(factor.hi), lo_(factor.lo), high_part_(short_part(hi_)) {
    const B rounder(T(1.5) * static_cast<T>(uint_of<T>(1) << mantissa_bits<T>));
    const B pivot = ((largest * hi_ + rounder) - rounder) - B(T(headroom));
    const B zero = pivot - B(T(exponent_bias<T>));
    magic_ = rounder - zero;
    // Whatever the rounding mode, the floor is not far enough from the integer to become another
    // one. (The product is there for compilers to leave the sum to the machine.)
    const B quarter = largest * B(T(0)) + B(T(0.25));
    const B rounded_up = (quarter + rounder) - rounder;
    floor_ = (zero + (quarter - rounded_up * B(T(0.75)))) * B(unfactor);
  }

  /// -infinity and all that is too small to count have s = 0; NaN has r = NaN.
  GIBBS_INLINE exponential<T, Arch> operator()(const B& x) const {
    return of_clamped(max_or_second(floor_, x));
  }

  /// Likewise, and s = 0 where the condition holds.
  GIBBS_INLINE exponential<T, Arch> unless(const mask<T, Arch>& condition, const B& x) const {
    return of_clamped(max_or_second_unless(condition, floor_, x));
  }

  /// Likewise, with an error that is small beside that of the rounded number.
  GIBBS_INLINE wide_batch<T, Arch> in_parts(const B& x) const {
    using wide_type = wide_batch<T, Arch>;
    const B slope(exp2_slope_at_0<T>);
    const B clamped = max_or_second(floor_, x);
    const B shifted = multiply_add(clamped, hi_, magic_);
    const auto exponent = wide_type::product(clamped, hi_);
    // The first difference is exact, and 0 or a multiple of what the sum is rounded to.
    const auto r = wide_type::ordered_sum(exponent.hi - (shifted - magic_),
                                          multiply_add(clamped, lo_, exponent.lo));
    const auto linear = wide_type::product(r.hi, slope);
    const auto sum = wide_type::ordered_sum(B(T(1)), linear.hi);
    const B rest = multiply_add(r.hi * r.hi, exp2_curve(r.hi), r.lo * slope);
    const B s = power_of_two(shifted);
    return {s * sum.hi, s * (sum.lo + (linear.lo + rest))};
  }

  /// What differs from lane to lane if largest does.
  struct lanes_in_memory {
    alignas(64) T magic[lanes<T, Arch>];
    alignas(64) T floor[lanes<T, Arch>];
  };
  GIBBS_INLINE void store(lanes_in_memory& to) const {
    magic_.store_aligned(to.magic);
    floor_.store_aligned(to.floor);
  }
  GIBBS_INLINE scaled_exp2(const scaled_exp2& all, const lanes_in_memory& from, std::size_t lane)
      : scaled_exp2(all) {
    magic_ = B(from.magic[lane]);
    floor_ = B(from.floor[lane]);
  }

 private:
  GIBBS_INLINE exponential<T, Arch> of_clamped(const B& x) const {
    const B shifted = multiply_add(x, hi_, magic_);
    const B r = fraction(x, shifted - magic_);
    return {power_of_two(shifted), r, exp2_slope(r)};
  }

  /// The integer part of the exponent has ended up in the lowest bits, offset so that a shift makes
  /// it the exponent field of a power of two, or of 0 for the smallest.
  GIBBS_INLINE static B power_of_two(const B& shifted) {
    return from_bits<T, Arch>(to_exponent_field<T, Arch>(bits(shifted)));
  }

  /// x * (hi + lo) - k, with no rounding before the subtraction.
  GIBBS_INLINE B fraction(const B& x, const B& k) const {
    if constexpr (has_fma<Arch>) {
      return multiply_add(x, lo_, multiply_subtract(x, hi_, k));
    } else {
      const B x_high = short_part(x);
      const B x_low = x - x_high;
      const B low_part = hi_ - high_part_;
      // The first difference is exact, and only the last sum is rounded at the size of the result.
      return (x_high * high_part_ - k) +
             (x_high * low_part + (x_low * high_part_ + (x_low * low_part + x * lo_)));
    }
  }

  B hi_;
  B lo_;
  B high_part_;
  B magic_;
  B floor_;
};

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_EXP2_HPP
