// SPDX-License-Identifier: MIT
//
// Batches side by side: what is written for a batch is done to several of them in turn, one
// operation after the other.
#ifndef GIBBS_DETAIL_PAIRED_HPP
#define GIBBS_DETAIL_PAIRED_HPP

#include <cstddef>

#include "simd.hpp"

namespace gibbs::detail {

/// An architecture whose batches are two of Arch's. A batch goes through a long chain of
/// operations, each of which waits for the one before; a processor looks only so far ahead for
/// something else to do in the meantime, and in this order finds the other batch right beside.
template <class Arch>
struct paired {
  using half = Arch;
};
template <class Arch>
using four = paired<paired<Arch>>;

template <class Arch>
inline constexpr bool is_paired<paired<Arch>> = true;
template <class Arch>
inline constexpr bool has_fma<paired<Arch>> = has_fma<Arch>;

/// Whether loops take four batches at a time in this way. Those of AVX-512 keep the processor busy
/// as it is; other architectures have not been measured.
template <class Arch>
inline constexpr bool takes_four = is_x86<Arch> && !is_avx512<Arch>;

}  // namespace gibbs::detail

template <class T, class Arch>
class xsimd::batch_bool<T, gibbs::detail::paired<Arch>> {
  using half = batch_bool<T, Arch>;

 public:
  half first;
  half second;

  GIBBS_INLINE batch_bool(const half& a, const half& b) : first(a), second(b) {}

  friend GIBBS_INLINE batch_bool operator&(const batch_bool& a, const batch_bool& b) {
    return {a.first & b.first, a.second & b.second};
  }
  friend GIBBS_INLINE batch_bool operator|(const batch_bool& a, const batch_bool& b) {
    return {a.first | b.first, a.second | b.second};
  }
};

template <class T, class Arch>
class xsimd::batch<T, gibbs::detail::paired<Arch>> {
  using half = batch<T, Arch>;
  using mask = batch_bool<T, gibbs::detail::paired<Arch>>;

 public:
  static constexpr std::size_t size = 2 * half::size;
  half first;
  half second;

  batch() = default;
  // Not defaulted: g++ 12 copies the whole through memory.
  GIBBS_INLINE batch(const batch& x) : first(x.first), second(x.second) {}
  GIBBS_INLINE batch& operator=(const batch& x) {
    first = x.first;
    second = x.second;
    return *this;
  }
  GIBBS_INLINE batch(const half& a, const half& b) : first(a), second(b) {}
  GIBBS_INLINE explicit batch(T x) : first(x), second(x) {}
  /// The same batch so many times.
  template <class A>
  GIBBS_INLINE explicit batch(const batch<T, A>& x) : first(x), second(x) {}

  friend GIBBS_INLINE batch operator+(const batch& a, const batch& b) {
    return {a.first + b.first, a.second + b.second};
  }
  friend GIBBS_INLINE batch operator-(const batch& a, const batch& b) {
    return {a.first - b.first, a.second - b.second};
  }
  friend GIBBS_INLINE batch operator*(const batch& a, const batch& b) {
    return {a.first * b.first, a.second * b.second};
  }
  friend GIBBS_INLINE batch operator/(const batch& a, const batch& b) {
    return {a.first / b.first, a.second / b.second};
  }
  friend GIBBS_INLINE batch operator-(const batch& a) { return {-a.first, -a.second}; }
  friend GIBBS_INLINE batch operator&(const batch& a, const batch& b) {
    return {a.first & b.first, a.second & b.second};
  }
  friend GIBBS_INLINE batch operator|(const batch& a, const batch& b) {
    return {a.first | b.first, a.second | b.second};
  }
  friend GIBBS_INLINE batch operator<<(const batch& a, int n) {
    return {a.first << n, a.second << n};
  }
  friend GIBBS_INLINE batch operator>>(const batch& a, int n) {
    return {a.first >> n, a.second >> n};
  }
  friend GIBBS_INLINE mask operator<(const batch& a, const batch& b) {
    return {a.first < b.first, a.second < b.second};
  }
  friend GIBBS_INLINE mask operator<=(const batch& a, const batch& b) {
    return {a.first <= b.first, a.second <= b.second};
  }
  friend GIBBS_INLINE mask operator>(const batch& a, const batch& b) { return b < a; }
  friend GIBBS_INLINE mask operator>=(const batch& a, const batch& b) { return b <= a; }
  friend GIBBS_INLINE mask operator==(const batch& a, const batch& b) {
    return {a.first == b.first, a.second == b.second};
  }
  friend GIBBS_INLINE mask operator!=(const batch& a, const batch& b) {
    return {a.first != b.first, a.second != b.second};
  }
};

namespace gibbs::detail {

template <class T, class Arch>
GIBBS_INLINE batch<T, paired<Arch>> multiply_add(const batch<T, paired<Arch>>& a,
                                                 const batch<T, paired<Arch>>& b,
                                                 const batch<T, paired<Arch>>& c) {
  return {multiply_add(a.first, b.first, c.first), multiply_add(a.second, b.second, c.second)};
}
template <class T, class Arch>
GIBBS_INLINE batch<T, paired<Arch>> multiply_subtract(const batch<T, paired<Arch>>& a,
                                                      const batch<T, paired<Arch>>& b,
                                                      const batch<T, paired<Arch>>& c) {
  return {multiply_subtract(a.first, b.first, c.first),
          multiply_subtract(a.second, b.second, c.second)};
}
template <class T, class Arch>
GIBBS_INLINE batch<T, paired<Arch>> choose(const mask<T, paired<Arch>>& condition,
                                           const batch<T, paired<Arch>>& yes,
                                           const batch<T, paired<Arch>>& no) {
  return {choose(condition.first, yes.first, no.first),
          choose(condition.second, yes.second, no.second)};
}
template <class T, class Arch>
GIBBS_INLINE batch<T, paired<Arch>> zero_if(const mask<T, paired<Arch>>& condition,
                                            const batch<T, paired<Arch>>& x) {
  return {zero_if(condition.first, x.first), zero_if(condition.second, x.second)};
}
template <class T, class Arch>
GIBBS_INLINE batch<T, paired<Arch>> zero_unless(const mask<T, paired<Arch>>& condition,
                                                const batch<T, paired<Arch>>& x) {
  return {zero_unless(condition.first, x.first), zero_unless(condition.second, x.second)};
}
template <class T, class Arch>
GIBBS_INLINE batch<T, paired<Arch>> max_or_second(const batch<T, paired<Arch>>& a,
                                                  const batch<T, paired<Arch>>& b) {
  return {max_or_second(a.first, b.first), max_or_second(a.second, b.second)};
}
template <class T, class Arch>
GIBBS_INLINE batch<T, paired<Arch>> min_or_second(const batch<T, paired<Arch>>& a,
                                                  const batch<T, paired<Arch>>& b) {
  return {min_or_second(a.first, b.first), min_or_second(a.second, b.second)};
}
template <class T, class Arch>
GIBBS_INLINE batch<uint_of<T>, paired<Arch>> bits(const batch<T, paired<Arch>>& x) {
  return {bits(x.first), bits(x.second)};
}
template <class T, class Pair>
requires is_paired<Pair> GIBBS_INLINE batch<T, Pair> from_bits(const batch<uint_of<T>, Pair>& x) {
  using half = typename Pair::half;
  return {from_bits<T, half>(x.first), from_bits<T, half>(x.second)};
}

template <class T, class Pair>
requires is_paired<Pair> GIBBS_INLINE batch<T, Pair> read(const T* from) {
  using half = typename Pair::half;
  return {read<T, half>(from), read<T, half>(from + lanes<T, half>)};
}
template <class T, class Arch>
GIBBS_INLINE void write(T* to, const batch<T, paired<Arch>>& x) {
  write(to, x.first);
  write(to + lanes<T, Arch>, x.second);
}

/// The sum of batches side by side: (a + b) + (c + d) of four.
template <class T, class Arch>
GIBBS_INLINE batch<T, Arch> in_one_batch(const batch<T, Arch>& x) {
  return x;
}
template <class T, class Arch>
GIBBS_INLINE auto in_one_batch(const batch<T, paired<Arch>>& x) {
  return in_one_batch(x.first) + in_one_batch(x.second);
}

/// Where the condition holds in one batch or the other, lane by lane.
template <class T, class Arch>
GIBBS_INLINE mask<T, Arch> in_one_mask(const mask<T, Arch>& condition) {
  return condition;
}
template <class T, class Arch>
GIBBS_INLINE auto in_one_mask(const mask<T, paired<Arch>>& condition) {
  return in_one_mask(condition.first | condition.second);
}

template <class T, class Arch>
GIBBS_INLINE bool any_holds(const mask<T, Arch>& condition) {
  return xsimd::any(in_one_mask(condition));
}

/// Whether the condition holds in all lanes.
template <class T, class Arch>
GIBBS_INLINE bool all_hold(const mask<T, Arch>& condition) {
  return xsimd::all(condition);
}
template <class T, class Arch>
GIBBS_INLINE bool all_hold(const mask<T, paired<Arch>>& condition) {
  return all_hold(condition.first & condition.second);
}

}  // namespace gibbs::detail

#endif  // GIBBS_DETAIL_PAIRED_HPP
