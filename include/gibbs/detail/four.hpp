// SPDX-License-Identifier: MIT
//
// Four batches side by side: what is written for a batch is done to four of them in turn, one
// operation after the other.
#ifndef GIBBS_DETAIL_FOUR_HPP
#define GIBBS_DETAIL_FOUR_HPP

#include <cstddef>
#include <type_traits>

#include "simd.hpp"

namespace gibbs::detail {

/// An architecture whose batches are four of Arch's. A batch goes through a long chain of
/// operations, each of which waits for the one before; a processor looks only so far ahead for
/// something else to do in the meantime, and in this order finds three other batches right beside.
template <class Arch>
struct four {
  using one = Arch;
};

template <class Arch>
inline constexpr bool is_four<four<Arch>> = true;
template <class Arch>
inline constexpr bool has_fma<four<Arch>> = has_fma<Arch>;

/// Whether loops take four batches at a time in this way. Those of AVX-512 keep the processor busy
/// as it is, 32-bit x86 has too few registers, and other architectures have not been measured.
template <class Arch>
inline constexpr bool takes_four =
    is_x86<Arch> && !is_avx512<Arch> && !is_four<Arch> && sizeof(void*) == 8;

/// The architecture whose registers they are.
template <class Arch>
struct single {
  using arch = Arch;
};
template <class Arch>
struct single<four<Arch>> {
  using arch = Arch;
};
template <class Arch>
using single_arch = typename single<Arch>::arch;

}  // namespace gibbs::detail

template <class T, class Arch>
class xsimd::batch_bool<T, gibbs::detail::four<Arch>> {
  using one = batch_bool<T, Arch>;

 public:
  one a, b, c, d;

  batch_bool() = default;
  GIBBS_PART batch_bool(const one& a_, const one& b_, const one& c_, const one& d_)
      : a(a_), b(b_), c(c_), d(d_) {}

  friend GIBBS_PART batch_bool operator&(const batch_bool& x, const batch_bool& y) {
    return {x.a & y.a, x.b & y.b, x.c & y.c, x.d & y.d};
  }
  friend GIBBS_PART batch_bool operator~(const batch_bool& x) { return {~x.a, ~x.b, ~x.c, ~x.d}; }
  friend GIBBS_PART batch_bool operator|(const batch_bool& x, const batch_bool& y) {
    return {x.a | y.a, x.b | y.b, x.c | y.c, x.d | y.d};
  }
};

template <class T, class Arch>
class xsimd::batch<T, gibbs::detail::four<Arch>> {
  using one = batch<T, Arch>;
  using mask = batch_bool<T, gibbs::detail::four<Arch>>;

 public:
  static constexpr std::size_t size = 4 * one::size;
  one a, b, c, d;

  batch() = default;
  // Not defaulted: g++ 12 copies the whole through memory.
  GIBBS_PART batch(const batch& x) : a(x.a), b(x.b), c(x.c), d(x.d) {}
  GIBBS_PART batch& operator=(const batch& x) {
    a = x.a;
    b = x.b;
    c = x.c;
    d = x.d;
    return *this;
  }
  GIBBS_PART batch(const one& a_, const one& b_, const one& c_, const one& d_)
      : a(a_), b(b_), c(c_), d(d_) {}
  GIBBS_PART explicit batch(const one& x) : a(x), b(x), c(x), d(x) {}
  GIBBS_PART explicit batch(T x) : batch(one(x)) {}

  GIBBS_PART batch& operator+=(const batch& x) { return *this = *this + x; }
  friend GIBBS_PART batch operator+(const batch& x, const batch& y) {
    return {x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d};
  }
  friend GIBBS_PART batch operator-(const batch& x, const batch& y) {
    return {x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d};
  }
  friend GIBBS_PART batch operator*(const batch& x, const batch& y) {
    return {x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d};
  }
  friend GIBBS_PART batch operator/(const batch& x, const batch& y) {
    return {x.a / y.a, x.b / y.b, x.c / y.c, x.d / y.d};
  }
  friend GIBBS_PART batch operator&(const batch& x, const batch& y) {
    return {x.a & y.a, x.b & y.b, x.c & y.c, x.d & y.d};
  }
  friend GIBBS_PART batch operator|(const batch& x, const batch& y) {
    return {x.a | y.a, x.b | y.b, x.c | y.c, x.d | y.d};
  }
  friend GIBBS_PART batch abs(const batch& x) { return {abs(x.a), abs(x.b), abs(x.c), abs(x.d)}; }
  friend GIBBS_PART batch operator-(const batch& x) { return {-x.a, -x.b, -x.c, -x.d}; }
  friend GIBBS_PART batch operator<<(const batch& x, int n) {
    return {x.a << n, x.b << n, x.c << n, x.d << n};
  }
  friend GIBBS_PART batch operator>>(const batch& x, int n) {
    return {x.a >> n, x.b >> n, x.c >> n, x.d >> n};
  }
  friend GIBBS_PART mask operator<(const batch& x, const batch& y) {
    return {x.a < y.a, x.b < y.b, x.c < y.c, x.d < y.d};
  }
  friend GIBBS_PART mask operator<=(const batch& x, const batch& y) {
    return {x.a <= y.a, x.b <= y.b, x.c <= y.c, x.d <= y.d};
  }
  friend GIBBS_PART mask operator==(const batch& x, const batch& y) {
    return {x.a == y.a, x.b == y.b, x.c == y.c, x.d == y.d};
  }
  friend GIBBS_PART mask operator!=(const batch& x, const batch& y) {
    return {x.a != y.a, x.b != y.b, x.c != y.c, x.d != y.d};
  }
  friend GIBBS_PART mask operator>(const batch& x, const batch& y) { return y < x; }
  friend GIBBS_PART mask operator>=(const batch& x, const batch& y) { return y <= x; }
};

namespace gibbs::detail {

template <class T, class Arch>
GIBBS_PART batch<T, four<Arch>> multiply_add(const batch<T, four<Arch>>& x,
                                             const batch<T, four<Arch>>& y,
                                             const batch<T, four<Arch>>& z) {
  return {multiply_add(x.a, y.a, z.a), multiply_add(x.b, y.b, z.b), multiply_add(x.c, y.c, z.c),
          multiply_add(x.d, y.d, z.d)};
}
template <class T, class Arch>
GIBBS_PART batch<T, four<Arch>> multiply_subtract(const batch<T, four<Arch>>& x,
                                                  const batch<T, four<Arch>>& y,
                                                  const batch<T, four<Arch>>& z) {
  return {multiply_subtract(x.a, y.a, z.a), multiply_subtract(x.b, y.b, z.b),
          multiply_subtract(x.c, y.c, z.c), multiply_subtract(x.d, y.d, z.d)};
}
template <class T, class Arch>
GIBBS_PART batch<T, four<Arch>> choose(const mask<T, four<Arch>>& condition,
                                       const batch<T, four<Arch>>& yes,
                                       const batch<T, four<Arch>>& no) {
  return {choose(condition.a, yes.a, no.a), choose(condition.b, yes.b, no.b),
          choose(condition.c, yes.c, no.c), choose(condition.d, yes.d, no.d)};
}
template <class T, class Arch>
GIBBS_PART batch<T, four<Arch>> zero_if(const mask<T, four<Arch>>& condition,
                                        const batch<T, four<Arch>>& x) {
  return {zero_if(condition.a, x.a), zero_if(condition.b, x.b), zero_if(condition.c, x.c),
          zero_if(condition.d, x.d)};
}
template <class T, class Arch>
GIBBS_PART batch<T, four<Arch>> zero_unless(const mask<T, four<Arch>>& condition,
                                            const batch<T, four<Arch>>& x) {
  return {zero_unless(condition.a, x.a), zero_unless(condition.b, x.b),
          zero_unless(condition.c, x.c), zero_unless(condition.d, x.d)};
}
template <class T, class Arch>
GIBBS_PART batch<T, four<Arch>> max_or_second(const batch<T, four<Arch>>& x,
                                              const batch<T, four<Arch>>& y) {
  return {max_or_second(x.a, y.a), max_or_second(x.b, y.b), max_or_second(x.c, y.c),
          max_or_second(x.d, y.d)};
}
template <class T, class Arch>
GIBBS_PART batch<T, four<Arch>> min_or_second(const batch<T, four<Arch>>& x,
                                              const batch<T, four<Arch>>& y) {
  return {min_or_second(x.a, y.a), min_or_second(x.b, y.b), min_or_second(x.c, y.c),
          min_or_second(x.d, y.d)};
}
template <class T, class Arch>
GIBBS_PART batch<uint_of<T>, four<Arch>> bits(const batch<T, four<Arch>>& x) {
  return {bits(x.a), bits(x.b), bits(x.c), bits(x.d)};
}
template <class T, class Four>
requires is_four<Four> GIBBS_PART batch<T, Four> from_bits(const batch<uint_of<T>, Four>& x) {
  using one = typename Four::one;
  return {from_bits<T, one>(x.a), from_bits<T, one>(x.b), from_bits<T, one>(x.c),
          from_bits<T, one>(x.d)};
}

template <class T, class Four>
requires is_four<Four> GIBBS_PART batch<T, Four> read(const T* from) {
  using one = typename Four::one;
  constexpr std::size_t step = lanes<T, one>;
  return {read<T, one>(from), read<T, one>(from + step), read<T, one>(from + 2 * step),
          read<T, one>(from + 3 * step)};
}
template <class T, class Arch>
GIBBS_PART void write(T* to, const batch<T, four<Arch>>& x) {
  constexpr std::size_t step = lanes<T, Arch>;
  write(to, x.a);
  write(to + step, x.b);
  write(to + 2 * step, x.c);
  write(to + 3 * step, x.d);
}

/// f(x...) of four batches, one after the other: side by side, some functions have more variables
/// than there are registers.
template <class F, class... Four>
GIBBS_PART auto in_turn(F f, const Four&... x) {
  return std::common_type_t<Four...>{f(x.a...), f(x.b...), f(x.c...), f(x.d...)};
}

/// The sum of the four.
template <class T, class Arch>
GIBBS_PART batch<T, Arch> in_one_batch(const batch<T, four<Arch>>& x) {
  return (x.a + x.b) + (x.c + x.d);
}

/// Where the condition holds in one of the four, lane by lane.
template <class T, class Arch>
GIBBS_PART mask<T, Arch> in_one_mask(const mask<T, four<Arch>>& condition) {
  return (condition.a | condition.b) | (condition.c | condition.d);
}

template <class T, class Arch>
GIBBS_PART bool any_holds(const mask<T, Arch>& condition) {
  return xsimd::any(condition);
}
template <class T, class Arch>
GIBBS_PART bool any_holds(const mask<T, four<Arch>>& condition) {
  return xsimd::any(in_one_mask(condition));
}

/// Whether the condition holds in all lanes.
template <class T, class Arch>
GIBBS_PART bool all_hold(const mask<T, Arch>& condition) {
  return xsimd::all(condition);
}
template <class T, class Arch>
GIBBS_PART bool all_hold(const mask<T, four<Arch>>& condition) {
  return xsimd::all((condition.a & condition.b) & (condition.c & condition.d));
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_FOUR_HPP
