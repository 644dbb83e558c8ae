// SPDX-License-Identifier: MIT
//
// Logarithms of numbers and of ratios. Batch in, batch out.
#ifndef GIBBS_DETAIL_LOG_HPP
#define GIBBS_DETAIL_LOG_HPP

#include "beside.hpp"
#include "exp2.hpp"
#include "simd.hpp"
#include "wide.hpp"

namespace gibbs::detail {

/// (2 atanh(s) - 2 s) / s^3 as a function of z = s^2 <= 0.13. Sollya's fpminimax.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> atanh_tail(const batch<T, Arch>& z) {
  if constexpr (std::is_same_v<T, float>) {
    return polynomial(z, 0x1.555556p-1f, 0x1.9998d6p-2f, 0x1.24b078p-2f, 0x1.c39b3ap-3f,
                      0x1.85b23p-3f, 0x1.559504p-3f);
  } else {
    return polynomial(z, 0x1.5555555555555p-1, 0x1.9999999999b6cp-2, 0x1.249249247aaefp-2,
                      0x1.c71c71d8d3541p-3, 0x1.745d138edf4c1p-3, 0x1.3b142c0745031p-3,
                      0x1.1106c508e2e8dp-3, 0x1.e308545b1c41dp-4, 0x1.a42c56ae1e918p-4,
                      0x1.caa3a50d7705fp-4, 0x1.758a2513387d9p-6, 0x1.acf4237610834p-3);
  }
}

/// The same for z <= 0.0295, which is enough for numbers from sqrt(1/2) to sqrt(2).
template <class T, class Arch>
GIBBS_PART batch<T, Arch> short_atanh_tail(const batch<T, Arch>& z) {
  if constexpr (std::is_same_v<T, float>) {
    return polynomial(z, 0x1.55555cp-1f, 0x1.997b5ap-2f, 0x1.2f03e6p-2f);
  } else {
    return polynomial(z, 0x1.5555555555558p-1, 0x1.9999999995137p-2, 0x1.2492492e2e9c6p-2,
                      0x1.c71c6290f394cp-3, 0x1.7462cd84700d4p-3, 0x1.39fb1a4edf8d4p-3,
                      0x1.2b810433b065dp-3);
  }
}

/// ln 2 as a sum; the first part has so few digits that its product with an exponent is exact.
template <class T>
inline constexpr T ln2_hi = std::is_same_v<T, float> ? T(0x1.62ep-1) : T(0x1.62e42fefap-1);
template <class T>
inline constexpr T ln2_lo = std::is_same_v<T, float> ? T(0x1.0bfbe8p-15) : T(0x1.cf79abc9e3b39p-40);

/// The unsigned integer n < 2^mantissa_bits as a number.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> small_integer(const batch<uint_of<T>, Arch>& n, int minus) {
  constexpr uint_of<T> one_ulp_apart = uint_of<T>(exponent_bias<T> + mantissa_bits<T>)
                                       << mantissa_bits<T>;
  const T offset = static_cast<T>(uint_of<T>(1) << mantissa_bits<T>);
  return from_bits<T, Arch>(n | batch<uint_of<T>, Arch>(one_ulp_apart)) -
         batch<T, Arch>(offset + static_cast<T>(minus));
}

/// Powers of two that bring every number of the format into the middle of its exponent range.
template <class T>
inline constexpr int rescue_exponent = 64;
template <class T>
inline constexpr T rescue_up = T(0x1p64);
template <class T>
inline constexpr T rescue_down = T(0x1p-64);

template <bool Lifted, class T, class Arch>
GIBBS_PART batch<T, Arch> lifted(const batch<T, Arch>& x) {
  if constexpr (Lifted) {
    return x * batch<T, Arch>(rescue_up<T>);
  } else {
    return x;
  }
}

/// The parts of log(x) = e ln 2 + f - (f^2 / 2 - correction) for x > 0, subnormal x too unless
/// Normal says that there is none: with m = x / 2^e near 1, f = m - 1 and s = f / (2 + f), log(1 +
/// f) = f - (f^2 / 2 - s (f^2 / 2 + s^2 t(s^2))), so that the error of s only enters small terms
/// (the form of FDLIBM's e_log.c).
template <class T, class Arch, bool Normal = false>
struct log_parts {
  using B = batch<T, Arch>;
  using U = batch<uint_of<T>, Arch>;
  B e;
  B f;
  B half_square;
  B correction;

  GIBBS_PART explicit log_parts(const B& x) {
    constexpr uint_of<T> one = uint_of<T>(exponent_bias<T>) << mantissa_bits<T>;
    constexpr uint_of<T> sqrt_half =
        std::is_same_v<T, float> ? uint_of<T>(0x3f3504f3u) : uint_of<T>(0x3fe6a09e667f3bcdull);
    B normal = x;
    B moved(T(0));
    if constexpr (!Normal) {
      auto subnormal = x < B((std::numeric_limits<T>::min)());
      normal = choose(subnormal, x * B(rescue_up<T>), x);
      moved = zero_unless(subnormal, B(T(rescue_exponent<T>)));
    }
    U shifted = bits(normal) + U(one - sqrt_half);
    e = small_integer<T, Arch>(from_exponent_field<T, Arch>(shifted), exponent_bias<T>);
    if constexpr (!Normal) e = e - moved;
    B m = from_bits<T, Arch>((shifted & U((uint_of<T>(1) << mantissa_bits<T>)-1)) + U(sqrt_half));
    f = m - B(T(1));
    B s = f / (f + B(T(2)));
    B z = s * s;
    half_square = B(T(0.5)) * f * f;
    correction =
        multiply_add(s, multiply_add(z, short_atanh_tail(z), half_square), e * B(ln2_lo<T>));
  }
};

/// For each sixteenth of [1, 2), of which those from 3/2 on are halved: a factor near the
/// reciprocal of its middle, and minus the logarithm of the factor, 1 and 0 for the two beside 1.
/// The others are such that the logarithm has few digits, within 2^-33 (float), 2^-68 (double), so
/// that its sum with e ln2_hi is exact. (S. Gal, B. Bachelis, "An accurate elementary mathematical
/// library for the IEEE floating point standard", 1991.)
template <class T, class Arch>
struct log_table;
// clang-format off
template <class Arch>
struct log_table<float, Arch> {
  alignas(64) static constexpr float factors[16] = {
      1, 0x1.d5f1f6p-1f, 0x1.b9b7f4p-1f, 0x1.a603eap-1f, 0x1.8f8434p-1f,
      0x1.7eb69ap-1f, 0x1.6bf76cp-1f, 0x1.5bc826p-1f, 0x1.4ee3bap+0f, 0x1.41f962p+0f,
      0x1.35c0cp+0f, 0x1.292e36p+0f, 0x1.1e7d6cp+0f, 0x1.1578e6p+0f, 0x1.0bc4b2p+0f,
      1};
  alignas(64) static constexpr float logs[16] = {
      0, 0x1.5f1p-4f, 0x1.2e64p-3f, 0x1.8bd8p-3f, 0x1.fc0cp-3f,
      0x1.2a06p-2f, 0x1.5d74p-2f, 0x1.8c08p-2f, -0x1.1312p-2f, -0x1.d598p-3f,
      -0x1.8658p-3f, -0x1.317cp-3f, -0x1.cce8p-4f, -0x1.49e8p-4f, -0x1.703p-5f,
      0};
};
template <class Arch>
struct log_table<double, Arch> {
  alignas(64) static constexpr double factors[16] = {
      1, 0x1.d47f29c11ce4p-1, 0x1.bb226ecfb976p-1, 0x1.a46102d8a5342p-1,
      0x1.8fd8fd5a634ap-1, 0x1.7d3abc5550ee4p-1, 0x1.6c44ce63cd624p-1, 0x1.5cc0ed9814635p-1,
      0x1.4e81b4e870392p+0, 0x1.4160e2cc8071ep+0, 0x1.353dfe4a5b7a1p+0, 0x1.29fd4a75e1143p+0,
      0x1.1f86ef8f815f2p+0, 0x1.15c65390c0ab4p+0, 0x1.0ca990bf30a5dp+0, 1};
  alignas(64) static constexpr double logs[16] = {
      0, 0x1.6bb4d4de5cp-4, 0x1.27d612d8eep-3, 0x1.93ccd8f7ep-3,
      0x1.fa598c2b0cp-3, 0x1.2e005b5b21p-2, 0x1.5c9a5facf7p-2, 0x1.892c855ecep-2,
      -0x1.11e61c5771p-2, -0x1.d1cd1b1152p-3, -0x1.82f6c27f8cp-3, -0x1.370d239582p-3,
      -0x1.dbb53f3cfp-4, -0x1.4e5e5b5478p-4, -0x1.8b7e4cac68p-5, 0};
};
// clang-format on

/// (log(1 + r) - r) / r^2 for -1/32 <= r <= 1/16. Sollya's fpminimax.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> log1p_tail(const batch<T, Arch>& r) {
  if constexpr (std::is_same_v<T, float>) {
    return polynomial(r, -0x1p-1f, 0x1.55555p-2f, -0x1.0003bap-2f, 0x1.9a0356p-3f, -0x1.41e55cp-3f);
  } else {
    return polynomial(r, -0x1p-1, 0x1.555555555555bp-2, -0x1.0000000000a3fp-2, 0x1.999999998cd73p-3,
                      -0x1.5555553ccac97p-3, 0x1.24924872956f3p-3, -0x1.00008757ef7bfp-3,
                      0x1.c72f47ca22837p-4, -0x1.981c4175ecb2bp-4, 0x1.4504dd6967aaap-4);
  }
}

/// log(x) for x > 0, within 1 ulp or so, near 1 too; subnormal and infinite x only if not Normal.
/// For x = 0 or less than 0 the result means nothing.
template <bool Normal, class T, class Arch>
GIBBS_PART batch<T, Arch> log_positive(const batch<T, Arch>& x) {
  using B = batch<T, Arch>;
  if constexpr (has_look_up<Arch>) {
    using table = log_table<T, single_arch<Arch>>;
    B m;
    B e;
    split_number(x, m, e);
    auto sixteenth = mantissa_start(m);
    B r = multiply_subtract(m, look_up(table::factors, sixteenth), B(T(1)));
    B first = multiply_add(e, B(ln2_hi<T>), look_up(table::logs, sixteenth));
    return first + (r + multiply_add(r * r, log1p_tail(r), e * B(ln2_lo<T>)));
  } else {
    log_parts<T, Arch, Normal> parts(x);
    B result =
        multiply_add(parts.e, B(ln2_hi<T>), parts.f - (parts.half_square - parts.correction));
    if constexpr (Normal) return result;
    return choose(x > B((std::numeric_limits<T>::max)()), x, result);
  }
}

/// log(n + x) for n > 0 and x much less than n, or n >= 1 and x > -0.9, in two parts of which only
/// the second has been rounded. That one may be a fifth of the first.
template <class T, class Arch>
GIBBS_PART wide_batch<T, Arch> log_of_sum(const batch<T, Arch>& n, const wide_batch<T, Arch>& x) {
  using B = batch<T, Arch>;
  using wide = wide_batch<T, Arch>;
  wide u = wide::sum(n, x.hi);
  log_parts<T, Arch> parts(u.hi);
  wide first = wide::sum(parts.e * B(ln2_hi<T>), parts.f);
  B rest = (u.lo + x.lo) / u.hi - (parts.half_square - parts.correction);
  // Of log(1 + u) what is rounded would be all there is.
  auto is_one = u.hi == B(T(1));
  return {choose(is_one, u.lo, first.hi),
          choose(is_one, multiply_add(u.lo * B(T(-0.5)), u.lo, x.lo), first.lo + rest)};
}

/// Where x is a positive normal number.
template <class T, class Arch>
GIBBS_PART mask<T, Arch> is_normal(const batch<T, Arch>& x) {
  using B = batch<T, Arch>;
  return (x >= B((std::numeric_limits<T>::min)())) & (x <= B((std::numeric_limits<T>::max)()));
}

/// log(q), to be multiplied by p: 0 where p is 0 and q any number (0 log 0 is 0); NaN where p or q
/// is negative or NaN. Where only q is 0 the product would be -infinity: that is marked, so that no
/// infinity gets into a sum with error terms, and the result is 0. Normal says that no q is
/// subnormal.
template <bool Normal, class T, class Arch>
GIBBS_PART batch<T, Arch> log_or_nan(const batch<T, Arch>& p, const batch<T, Arch>& q,
                                     batch<T, Arch>& mark) {
  using B = batch<T, Arch>;
  B zero(T(0));
  B result = log_positive<Normal>(q);
  auto usual = (q > zero) & (p > zero);
  if (!xsimd::all(usual)) {
    mark = choose((q == zero) & (p > zero), B(T(1)), mark);
    result = choose((q >= zero) & (p >= zero), choose(usual, result, zero),
                    B(std::numeric_limits<T>::quiet_NaN()));
  }
  return result;
}

/// p log(p / q) - p + q for positive finite p and q, never negative, and 0 only where p == q or the
/// result is below the smallest number. Split off the exponent difference e, so that Q = q 2^e is
/// near p; with d = p - Q and s = d / (p + Q), p log(p / Q) - p + Q = d s + p s^3 t(s^2): no term
/// cancels. What is left is p e ln 2 + q - Q, and q - Q is exact for e = 1 and -1, where the two
/// cancel most. Normal says that p and q are normal numbers and p + q does not overflow; otherwise
/// p and q are moved to the middle of the exponent range first.
template <bool Normal, class T, class Arch>
GIBBS_PART batch<T, Arch> kl_term(const batch<T, Arch>& p, const batch<T, Arch>& q) {
  using B = batch<T, Arch>;
  using U = batch<uint_of<T>, Arch>;
  B P = p;
  B q_normal = q;
  B q_beside = q;     // q times P / p
  B moved(T(0));      // log2 of (q_normal / q) / (P / p)
  B move_back(T(1));  // p / P
  auto q_only = p != p;
  if constexpr (!Normal) {
    B zero(T(0));
    B one(T(1));
    B tiny((std::numeric_limits<T>::min)());
    auto p_low = p < tiny;
    auto p_high = p > B((std::numeric_limits<T>::max)() / 4);
    auto q_low = q < tiny;
    q_only = p_low & (q > one);  // the rest does not count
    B up = choose(p_low, B(rescue_up<T>), choose(p_high, B(rescue_down<T>), one));
    P = p * up;
    q_normal = choose(q_low, q * B(rescue_up<T>), q);
    q_beside = choose(q_only, one, q) * up;
    move_back = choose(p_low, B(rescue_down<T>), choose(p_high, B(rescue_up<T>), one));
    B step(T(rescue_exponent<T>));
    moved = choose(q_low, step, zero) - choose(p_low, step, choose(p_high, -step, zero));
  }

  // e is the difference of the logarithms rounded towards 0, so it is 0 unless one number is about
  // twice the other, or more. An offset keeps the differences of the bit patterns positive.
  constexpr uint_of<T> offset = uint_of<T>(exponent_bias<T>) << (mantissa_bits<T> + 1);
  U towards_zero =
      bits(zero_unless(P < q_normal, from_bits<T, Arch>(U((uint_of<T>(1) << mantissa_bits<T>)-1))));
  U exponent = from_exponent_field<T, Arch>(bits(P) - bits(q_normal) + U(offset) + towards_zero);
  B Q = from_bits<T, Arch>(bits(q_normal) + (to_exponent_field<T, Arch>(exponent) - U(offset)));
  B e = small_integer<T, Arch>(exponent, 2 * exponent_bias<T>) + moved;

  B d = P - Q;
  B s = d / (P + Q);
  B z = s * s;
  B close = s * multiply_add(P * z, atanh_tail(z), d);
  B apart = multiply_add(P, e * B(ln2_hi<T>), q_beside - Q) + (close + P * (e * B(ln2_lo<T>)));
  B term = choose(e == B(T(0)), close, apart);
  if constexpr (Normal) {
    return term;
  } else {
    return choose(q_only, q, term * move_back);
  }
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_LOG_HPP
