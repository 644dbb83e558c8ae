// SPDX-License-Identifier: MIT
//
// Batches side by side: what is written for a batch is done to several of them in turn, one
// operation after the other.
#ifndef GIBBS_DETAIL_BESIDE_HPP
#define GIBBS_DETAIL_BESIDE_HPP

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "simd.hpp"

namespace gibbs::detail {

/// An architecture whose batches are those of two others, one beside the other. A batch goes
/// through a long chain of operations, each of which waits for the one before; a processor looks
/// only so far ahead for something else to do in the meantime, and in this order finds other
/// batches right beside.
template <class Left, class Right>
struct beside {
  using left = Left;
  using right = Right;
};

template <class Arch>
using two = beside<Arch, Arch>;
template <class Arch>
using three = beside<beside<Arch, Arch>, Arch>;
template <class Arch>
using four = beside<beside<Arch, Arch>, beside<Arch, Arch>>;
template <class Arch>
using six = beside<three<Arch>, three<Arch>>;
template <class Arch>
using eight = beside<four<Arch>, four<Arch>>;

template <class Left, class Right>
inline constexpr std::size_t abreast<beside<Left, Right>> = abreast<Left> + abreast<Right>;

template <class Left, class Right>
inline constexpr bool has_fma<beside<Left, Right>> = has_fma<Left>;

template <class Left, class Right>
inline constexpr bool has_look_up<beside<Left, Right>> = has_look_up<Left>;

/// Whether loops take several batches at a time in this way. 32-bit x86 has too few registers, and
/// other architectures have not been measured.
template <class Arch>
inline constexpr bool takes_four = is_x86<Arch> && !is_several<Arch> && sizeof(void*) == 8;

/// More than four pay where little but weights is computed and, as with FMA, an operand need not be
/// copied to a register of its own.
template <class Arch, class More>
using four_or = std::conditional_t<has_fma<Arch>, More, four<Arch>>;

/// Likewise where more is: with the 32 registers of AVX-512.
template <class Arch>
using four_or_six = std::conditional_t<is_avx512<Arch>, six<Arch>, four<Arch>>;

/// The architecture whose registers they are.
template <class Arch>
struct single {
  using arch = Arch;
};
template <class Left, class Right>
struct single<beside<Left, Right>> : single<Left> {};
template <class Arch>
using single_arch = typename single<Arch>::arch;

}  // namespace gibbs::detail

template <class T, class Left, class Right>
class xsimd::batch_bool<T, gibbs::detail::beside<Left, Right>> {
  using left_type = batch_bool<T, Left>;
  using right_type = batch_bool<T, Right>;

 public:
  left_type left;
  right_type right;

  batch_bool() = default;
  GIBBS_PART batch_bool(const left_type& l, const right_type& r) : left(l), right(r) {}

  friend GIBBS_PART batch_bool operator&(const batch_bool& x, const batch_bool& y) {
    return {x.left & y.left, x.right & y.right};
  }
  friend GIBBS_PART batch_bool operator~(const batch_bool& x) { return {~x.left, ~x.right}; }
  friend GIBBS_PART batch_bool operator|(const batch_bool& x, const batch_bool& y) {
    return {x.left | y.left, x.right | y.right};
  }
};

template <class T, class Left, class Right>
class xsimd::batch<T, gibbs::detail::beside<Left, Right>> {
  using left_type = batch<T, Left>;
  using right_type = batch<T, Right>;
  using one = batch<T, gibbs::detail::single_arch<Left>>;
  using mask = batch_bool<T, gibbs::detail::beside<Left, Right>>;

 public:
  using arch_type = gibbs::detail::beside<Left, Right>;
  static constexpr std::size_t size = left_type::size + right_type::size;
  left_type left;
  right_type right;

  batch() = default;
  // Not defaulted: g++ 12 copies the whole through memory.
  GIBBS_PART batch(const batch& x) : left(x.left), right(x.right) {}
  GIBBS_PART batch& operator=(const batch& x) {
    left = x.left;
    right = x.right;
    return *this;
  }
  GIBBS_PART batch(const left_type& l, const right_type& r) : left(l), right(r) {}
  GIBBS_PART explicit batch(const one& x) : left(x), right(x) {}
  GIBBS_PART explicit batch(T x) : batch(one(x)) {}

  GIBBS_PART batch& operator+=(const batch& x) { return *this = *this + x; }
  friend GIBBS_PART batch operator+(const batch& x, const batch& y) {
    return {x.left + y.left, x.right + y.right};
  }
  friend GIBBS_PART batch operator-(const batch& x, const batch& y) {
    return {x.left - y.left, x.right - y.right};
  }
  friend GIBBS_PART batch operator*(const batch& x, const batch& y) {
    return {x.left * y.left, x.right * y.right};
  }
  friend GIBBS_PART batch operator/(const batch& x, const batch& y) {
    return {x.left / y.left, x.right / y.right};
  }
  friend GIBBS_PART batch operator&(const batch& x, const batch& y) {
    return {x.left & y.left, x.right & y.right};
  }
  friend GIBBS_PART batch operator|(const batch& x, const batch& y) {
    return {x.left | y.left, x.right | y.right};
  }
  friend GIBBS_PART batch abs(const batch& x) { return {abs(x.left), abs(x.right)}; }
  friend GIBBS_PART batch operator-(const batch& x) { return {-x.left, -x.right}; }
  friend GIBBS_PART batch operator<<(const batch& x, int n) { return {x.left << n, x.right << n}; }
  friend GIBBS_PART batch operator>>(const batch& x, int n) { return {x.left >> n, x.right >> n}; }
  friend GIBBS_PART mask operator<(const batch& x, const batch& y) {
    return {x.left < y.left, x.right < y.right};
  }
  friend GIBBS_PART mask operator<=(const batch& x, const batch& y) {
    return {x.left <= y.left, x.right <= y.right};
  }
  friend GIBBS_PART mask operator==(const batch& x, const batch& y) {
    return {x.left == y.left, x.right == y.right};
  }
  friend GIBBS_PART mask operator!=(const batch& x, const batch& y) {
    return {x.left != y.left, x.right != y.right};
  }
  friend GIBBS_PART mask operator>(const batch& x, const batch& y) { return y < x; }
  friend GIBBS_PART mask operator>=(const batch& x, const batch& y) { return y <= x; }
};

namespace gibbs::detail {

template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> multiply_add(const batch<T, beside<Left, Right>>& x,
                                                      const batch<T, beside<Left, Right>>& y,
                                                      const batch<T, beside<Left, Right>>& z) {
  return {multiply_add(x.left, y.left, z.left), multiply_add(x.right, y.right, z.right)};
}
template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> multiply_subtract(const batch<T, beside<Left, Right>>& x,
                                                           const batch<T, beside<Left, Right>>& y,
                                                           const batch<T, beside<Left, Right>>& z) {
  return {multiply_subtract(x.left, y.left, z.left), multiply_subtract(x.right, y.right, z.right)};
}
template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> choose(const mask<T, beside<Left, Right>>& condition,
                                                const batch<T, beside<Left, Right>>& yes,
                                                const batch<T, beside<Left, Right>>& no) {
  return {choose(condition.left, yes.left, no.left), choose(condition.right, yes.right, no.right)};
}
template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> zero_if(const mask<T, beside<Left, Right>>& condition,
                                                 const batch<T, beside<Left, Right>>& x) {
  return {zero_if(condition.left, x.left), zero_if(condition.right, x.right)};
}
template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> zero_unless(const mask<T, beside<Left, Right>>& condition,
                                                     const batch<T, beside<Left, Right>>& x) {
  return {zero_unless(condition.left, x.left), zero_unless(condition.right, x.right)};
}
template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> max_or_second(const batch<T, beside<Left, Right>>& x,
                                                       const batch<T, beside<Left, Right>>& y) {
  return {max_or_second(x.left, y.left), max_or_second(x.right, y.right)};
}
template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> min_or_second(const batch<T, beside<Left, Right>>& x,
                                                       const batch<T, beside<Left, Right>>& y) {
  return {min_or_second(x.left, y.left), min_or_second(x.right, y.right)};
}
template <class T, class Left, class Right>
GIBBS_PART batch<uint_of<T>, beside<Left, Right>> bits(const batch<T, beside<Left, Right>>& x) {
  return {bits(x.left), bits(x.right)};
}
template <class T, class Several>
requires is_several<Several> GIBBS_PART batch<T, Several> from_bits(
    const batch<uint_of<T>, Several>& x) {
  return {from_bits<T, typename Several::left>(x.left),
          from_bits<T, typename Several::right>(x.right)};
}

#if GIBBS_X86 && XSIMD_WITH_AVX512F
template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> look_up(const T* table,
                                                 const batch<uint_of<T>, beside<Left, Right>>& x) {
  return {look_up(table, x.left), look_up(table, x.right)};
}
template <class T, class Left, class Right>
GIBBS_PART batch<T, beside<Left, Right>> with_exponent(
    const batch<T, beside<Left, Right>>& x, const batch<uint_of<T>, beside<Left, Right>>& e) {
  return {with_exponent(x.left, e.left), with_exponent(x.right, e.right)};
}
template <class T, class Left, class Right>
GIBBS_PART void split_number(const batch<T, beside<Left, Right>>& x,
                             batch<T, beside<Left, Right>>& m, batch<T, beside<Left, Right>>& e) {
  split_number(x.left, m.left, e.left);
  split_number(x.right, m.right, e.right);
}
#endif

template <class T, class Several>
requires is_several<Several> GIBBS_PART batch<T, Several> read(const T* from) {
  using left = typename Several::left;
  return {read<T, left>(from), read<T, typename Several::right>(from + lanes<T, left>)};
}
template <class T, class Left, class Right>
GIBBS_PART void write(T* to, const batch<T, beside<Left, Right>>& x) {
  write(to, x.left);
  write(to + lanes<T, Left>, x.right);
}

#if GIBBS_X86 && XSIMD_WITH_AVX
/// Two parts of each row: the first on the left, the second on the right.
template <class T, class Several, class From>
requires is_several<Several> GIBBS_PART batch<T, Several> read_parts(From from) {
  static_assert(abreast<Several> == 2);
  auto both = read_pairs_of_parts<T, single_arch<Several>>(from);
  return {both.first, both.second};
}
template <class T, class Arch, class To>
GIBBS_PART void write_parts(To to, const batch<T, two<Arch>>& x) {
  write_pairs_of_parts(to, x.left, x.right);
}
/// Of each side by itself.
template <class T, class Several>
requires is_several<Several> GIBBS_PART two_batches<T, Several> interleave_parts(
    const batch<T, Several>& a, const batch<T, Several>& b) {
  auto left = interleave_parts(a.left, b.left);
  auto right = interleave_parts(a.right, b.right);
  return {{left.first, right.first}, {left.second, right.second}};
}
#endif

/// Batches side by side, so far apart.
template <class T, class Arch>
GIBBS_PART void write_apart(T* to, [[maybe_unused]] std::size_t apart, const batch<T, Arch>& x) {
  if constexpr (is_several<Arch>) {
    write_apart(to, apart, x.left);
    write_apart(to + abreast<typename Arch::left> * apart, apart, x.right);
  } else {
    write(to, x);
  }
}

/// a * b, to be added up. Compilers may make a product a part of the sum that it is added to, in
/// one loop and not in another; of this one they do not where batches are taken by more than one
/// loop.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> rounded_term(const batch<T, Arch>& a, const batch<T, Arch>& b) {
  if constexpr (takes_four<single_arch<Arch>> && has_fma<Arch>) {
    return multiply_add(a, b, batch<T, Arch>(T(0)));
  } else {
    return a * b;
  }
}

/// f(x...) of batches side by side, one after the other: side by side, some functions have more
/// variables than there are registers.
template <class F, class First, class... More>
GIBBS_PART auto in_turn(F f, First& first, More&... more) {
  using result = std::remove_const_t<First>;
  if constexpr (is_several<typename result::arch_type>) {
    return result{in_turn(f, first.left, more.left...), in_turn(f, first.right, more.right...)};
  } else {
    return f(first, more...);
  }
}

/// The sum of those that are side by side.
template <class T, class Arch>
GIBBS_PART batch<T, single_arch<Arch>> in_one_batch(const batch<T, Arch>& x) {
  if constexpr (is_several<Arch>) {
    return in_one_batch(x.left) + in_one_batch(x.right);
  } else {
    return x;
  }
}

/// Where the condition holds in one of them, lane by lane.
template <class T, class Arch>
GIBBS_PART mask<T, single_arch<Arch>> in_one_mask(const mask<T, Arch>& condition) {
  if constexpr (is_several<Arch>) {
    return in_one_mask(condition.left) | in_one_mask(condition.right);
  } else {
    return condition;
  }
}

/// Where it holds in all of them.
template <class T, class Arch>
GIBBS_PART mask<T, single_arch<Arch>> in_all_masks(const mask<T, Arch>& condition) {
  if constexpr (is_several<Arch>) {
    return in_all_masks(condition.left) & in_all_masks(condition.right);
  } else {
    return condition;
  }
}

template <class T, class Arch>
GIBBS_PART bool any_holds(const mask<T, Arch>& condition) {
  return xsimd::any(in_one_mask(condition));
}

/// Whether the condition holds in all lanes.
template <class T, class Arch>
GIBBS_PART bool all_hold(const mask<T, Arch>& condition) {
  return xsimd::all(in_all_masks(condition));
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_BESIDE_HPP
