// SPDX-License-Identifier: MIT
// Faults that this file catches: a tail that is dropped, computed twice or padded with the wrong
// value; an aligned load of unaligned memory; a write beyond the output or into the gap between
// the rows of a matrix; in-place operation that reads what it has overwritten; NaN, infinity or a
// mask that is lost in one lane; a kernel for batches of rows that differs from the one for one
// row.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "support/check.hpp"
#include "support/reference.hpp"
#include "support/sample.hpp"

namespace {

using namespace gibbs_support;

// The elements of a vector of what is tested; of the widest one where that is known at run time
// only.
#if defined(GIBBS_TEST_DISPATCH)
template <class T>
inline constexpr std::size_t tested_vector = widest_vector<T>;
#else
template <class T>
inline constexpr std::size_t tested_vector = gibbs::detail::lanes<T, gibbs::detail::default_arch>;
#endif

template <class T>
std::vector<std::size_t> all_lengths() {
  std::vector<std::size_t> result;
  for (std::size_t n = 0; n <= 4 * widest_vector<T> + 3; ++n) result.push_back(n);
  for (std::size_t n :
       sizes{80, 81, 101, 128, 129, 160, 161, 255, 256, 257, 1000, 1023, 2049, 4097}) {
    result.push_back(n);
  }
  return result;
}

// An array that starts `offset` elements after a 64-byte boundary, sentinels all around.
template <class T>
class framed {
 public:
  framed(std::size_t n, std::size_t offset)
      : memory_(n + 4 * widest_vector<T>, sentinel<T>), size_(n) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    start_ = widest_vector<T> - (address / sizeof(T)) % widest_vector<T> + offset;
  }

  std::span<T> inside() { return {memory_.data() + start_, size_}; }
  std::span<const T> inside() const { return {memory_.data() + start_, size_}; }

  bool frame_is_whole() const {
    const auto untouched = [](T value) { return same_bits(value, sentinel<T>); };
    const auto begin = memory_.begin() + static_cast<std::ptrdiff_t>(start_);
    return std::all_of(memory_.begin(), begin, untouched) &&
           std::all_of(begin + static_cast<std::ptrdiff_t>(size_), memory_.end(), untouched);
  }

 private:
  std::vector<T> memory_;
  std::size_t size_;
  std::size_t start_;
};

template <class T>
bool equal_bits(std::span<const T> a, std::span<const T> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_bits<T>);
}

}  // namespace

TEST_CASE_TEMPLATE("every length at every misalignment, in place and out of place", T, float,
                   double) {
  fault_log log;
  reference<T> exact_result;
  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t n : all_lengths<T>()) {
      if (n == 0 && !allows_empty(f)) continue;
      const std::uint64_t seed = n;
      random_source random(seed);
      const sample<T> x = draw_ordinary(f, random, n, n % 3 == 1 ? 0.7 : 1);
      exact_result.assign(x.arguments());
      const row_reference<T>& wanted = exact_result(f.id);
      std::vector<T> aligned_row;
      T aligned_scalar = 0;

      for (std::size_t offset = 0; offset < widest_vector<T>; ++offset) {
        const auto where = [&] {
          return text(f.name, " ", type_name<T>(), " length ", n, " offset ", offset, " seed ",
                      seed, " ");
        };
        framed<T> first(n, offset);
        framed<T> second(n, (5 * offset + 3) % widest_vector<T>);
        framed<T> out(f.writes_row() ? n : 0, (3 * offset + 1) % widest_vector<T>);
        std::copy(x.first.begin(), x.first.end(), first.inside().begin());
        std::copy(x.second.begin(), x.second.end(), second.inside().begin());
        row_arguments<T> in{first.inside(), second.inside(), x.label, x.temperature};

        const T scalar = f.on_row(in, out.inside());
        const verdict v = judge<T>(f, wanted, out.inside(), scalar);
        log.expect(v.good, where, "out of place: ", v.error, " ulp at ", v.index,
                   v.in_scalar ? " (scalar)" : "", ", allowed ", v.allowed);
        log.expect(out.frame_is_whole(), where, "out of place: wrote outside of the output");
        log.expect(equal_bits<T>(first.inside(), x.first) && first.frame_is_whole() &&
                       equal_bits<T>(second.inside(), x.second) && second.frame_is_whole(),
                   where, "out of place: changed the input");
        if (offset == 0) {
          aligned_row.assign(out.inside().begin(), out.inside().end());
          aligned_scalar = scalar;
        } else {
          log.expect(equal_bits<T>(out.inside(), aligned_row) && same_bits(scalar, aligned_scalar),
                     where, "out of place: other bits than at offset 0");
        }

        if (!f.in_place()) continue;
        const T in_place_scalar = f.on_row(in, first.inside());
        const verdict w = judge<T>(f, wanted, first.inside(), in_place_scalar);
        log.expect(w.good, where, "in place: ", w.error, " ulp at ", w.index,
                   w.in_scalar ? " (scalar)" : "", ", allowed ", w.allowed);
        log.expect(first.frame_is_whole(), where, "in place: wrote outside of the row");
      }
    }
  }
}

TEST_CASE_TEMPLATE("special values in each lane", T, float, double) {
  using limits = std::numeric_limits<T>;
  fault_log log;
  reference<T> exact_result;
  const std::vector<T> in_logits{limits::quiet_NaN(), -limits::infinity(), limits::infinity(),
                                 limits::lowest(), (limits::max)()};
  const std::vector<T> in_probabilities{limits::quiet_NaN(),   T(0), -T(0),          -T(0.25),
                                        -limits::denorm_min(), T(1), (limits::min)()};

  const auto compare = [&](const primitive<T>& f, const sample<T>& x, const auto& where) {
    exact_result.assign(x.arguments());
    const row_reference<T>& wanted = exact_result(f.id);
    std::vector<T> out(f.writes_row() ? x.first.size() : 0);
    const T scalar = f.on_row(x.arguments(), out);
    const verdict v = judge<T>(f, wanted, out, scalar);
    log.expect(v.good, where, v.error, " ulp at ", v.index, v.in_scalar ? " (scalar)" : "",
               ", allowed ", v.allowed);
    if (!f.in_place()) return;
    std::vector<T> row = x.first;
    row_arguments<T> in = x.arguments();
    in.first = row;
    const T in_place_scalar = f.on_row(in, row);
    const verdict w = judge<T>(f, wanted, row, in_place_scalar);
    log.expect(w.good, where, "in place ", w.error, " ulp at ", w.index,
               w.in_scalar ? " (scalar)" : "", ", allowed ", w.allowed);
  };

  for (const primitive<T>& f : primitives<T>()) {
    std::vector<std::size_t> lengths;
    for (std::size_t n = 1; n <= 2 * tested_vector<T> + 1; ++n) lengths.push_back(n);
    lengths.push_back(8 * tested_vector<T> + 5);
    for (std::size_t n : lengths) {
      random_source random(n);
      const sample<T> x = draw_ordinary(f, random, n);
      for (std::size_t at = 0; at < n; at += n < 4 * tested_vector<T> ? 1 : 7) {
        const auto name = [&](const char* which, T value) {
          return text(f.name, " ", type_name<T>(), " length ", n, " seed ", n, ", ", which, "[", at,
                      "] = ", value, ": ");
        };
        for (T value : f.first_is_logits() ? in_logits : in_probabilities) {
          sample<T> y = x;
          y.first[at] = value;
          compare(f, y, [&] { return name("first", value); });
        }
        if (!f.has_second()) continue;
        for (T value : f.second_is_logits() ? in_logits : in_probabilities) {
          sample<T> y = x;
          y.second[at] = value;
          compare(f, y, [&] { return name("second", value); });
        }
      }
    }
  }
}

// Two special values in a row: an early exit for one must not swallow the other.
TEST_CASE_TEMPLATE("NaN beside infinities and masks", T, float, double) {
  using limits = std::numeric_limits<T>;
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.first_is_logits()) continue;
    for (std::size_t n = 2; n <= 2 * tested_vector<T> + 1; ++n) {
      for (std::size_t at = 0; at < n; ++at) {
        for (T rest : {-limits::infinity(), limits::infinity(), limits::lowest()}) {
          random_source random(n);
          sample<T> x = draw_ordinary(f, random, n);
          std::fill(x.first.begin(), x.first.end(), rest);
          x.first[at] = limits::quiet_NaN();
          std::vector<T> out(f.writes_row() ? n : 0);
          const T scalar = f.on_row(x.arguments(), out);
          const bool good = (!f.gives_scalar() || std::isnan(scalar)) &&
                            std::all_of(out.begin(), out.end(), [](T v) { return std::isnan(v); });
          log.expect(good, f.name, " ", type_name<T>(), ": length ", n, ", NaN at ", at,
                     ", the rest ", rest);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("rows of a matrix equal single rows, and gaps stay as they are", T, float,
                   double) {
  using limits = std::numeric_limits<T>;
  fault_log log;
  std::vector<std::size_t> widths;
  for (std::size_t n = 0; n <= 5 * widest_vector<T>; ++n) widths.push_back(n);
  for (std::size_t n : sizes{81, 100, 127, 128, 129, 159, 160, 161, 255, 256, 257, 300, 1001})
    widths.push_back(n);

  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t columns : widths) {
      if (columns == 0 && !allows_empty(f)) continue;
      // (Of 66 rows, four registers go side by side in all architectures, and 2 are left over.)
      for (std::size_t rows : sizes{1, 2, 3, 5, 8, 17, 18, 35, 66}) {
        const std::uint64_t seed = 1000 * columns + rows;
        random_source random(seed);
        const std::size_t first_stride = columns + random.below(4);
        const std::size_t second_stride = columns + random.below(4);
        const std::size_t out_stride = columns + random.below(4);
        const double temperature = f.uses_temperature && random.uniform() < 0.3 ? 0.7 : 1.0;
        const std::size_t padding = 2 * widest_vector<T>;
        std::vector<T> first(rows * first_stride + padding, sentinel<T>);
        std::vector<T> second(rows * second_stride + padding, sentinel<T>);
        std::vector<label_type> labels(rows);
        std::vector<T> out(rows * out_stride + 2 * padding, sentinel<T>);
        std::vector<T> scalars(rows + 2 * padding, sentinel<T>);
        const std::size_t shift = random.below(widest_vector<T>);

        for (std::size_t i = 0; i < rows; ++i) {
          // Neighbours in a batch of rows must not disturb each other: some rows are far apart,
          // some hold what is not a number.
          const auto families = families_of(f);
          sample<T> x = draw(f, families[random.below(families.size())], random, columns);
          if (columns > 0 && random.uniform() < 0.15) {
            const T hostile[] = {limits::quiet_NaN(), -limits::infinity(), limits::infinity(),
                                 T(-1)};
            x.first[random.below(columns)] = hostile[random.below(4)];
          }
          if (f.first_is_logits() && random.uniform() < 0.05) {
            std::fill(x.first.begin(), x.first.end(), -limits::infinity());
          }
          std::copy(x.first.begin(), x.first.end(),
                    first.begin() + static_cast<std::ptrdiff_t>(shift + i * first_stride));
          std::copy(x.second.begin(), x.second.end(),
                    second.begin() + static_cast<std::ptrdiff_t>(i * second_stride));
          labels[i] = x.label;
        }

        const gibbs::matrix_view<const T> a(first.data() + shift, rows, columns, first_stride);
        const gibbs::matrix_view<const T> b(second.data(), rows, columns, second_stride);
        const matrix_arguments<T> in{a, b, labels, temperature};
        const std::span<T> results(scalars.data() + padding, rows);
        const matrix_results<T> to{
            gibbs::matrix_view<T>(out.data() + padding, rows, columns, out_stride), results};
        const std::vector<T> first_before = first;
        f.on_matrix(in, to);

        const auto where = [&] {
          return text(f.name, " ", type_name<T>(), " ", rows, " x ", columns, " strides ",
                      first_stride, " ", second_stride, " ", out_stride, " shift ", shift, " seed ",
                      seed, " ");
        };
        log.expect(equal_bits<T>(first, first_before), where, "changed the input");

        std::vector<T> expected_out(out.size(), sentinel<T>);
        std::vector<T> expected_scalars(scalars.size(), sentinel<T>);
        std::vector<T> expected_in_place = first;
        std::vector<T> expected_in_place_scalars(scalars.size(), sentinel<T>);
        for (std::size_t i = 0; i < rows; ++i) {
          const row_arguments<T> row{a.row(i), b.row(i), labels[i], temperature};
          const std::span<T> row_out(expected_out.data() + padding + i * out_stride,
                                     f.writes_row() ? columns : 0);
          const T scalar = f.on_row(row, row_out);
          if (f.gives_scalar()) expected_scalars[padding + i] = scalar;
          if (!f.in_place()) continue;
          const std::span<T> here(expected_in_place.data() + shift + i * first_stride, columns);
          const T in_place_scalar = f.on_row({.first = here, .temperature = temperature}, here);
          if (f.gives_scalar()) expected_in_place_scalars[padding + i] = in_place_scalar;
        }
        log.expect(equal_bits<T>(out, expected_out), where,
                   "out of place: ", "row output or gap differs, first at ",
                   std::mismatch(out.begin(), out.end(), expected_out.begin(), same_bits<T>).first -
                       out.begin() - static_cast<std::ptrdiff_t>(padding));
        log.expect(
            equal_bits<T>(scalars, expected_scalars), where,
            "out of place: ", "results differ, first at ",
            std::mismatch(scalars.begin(), scalars.end(), expected_scalars.begin(), same_bits<T>)
                    .first -
                scalars.begin() - static_cast<std::ptrdiff_t>(padding));

        if (!f.in_place()) continue;
        std::fill(scalars.begin(), scalars.end(), sentinel<T>);
        f.on_matrix(in, {gibbs::matrix_view<T>(first.data() + shift, rows, columns, first_stride),
                         results});
        log.expect(
            equal_bits<T>(first, expected_in_place), where,
            "in place: ", "row output or gap differs, first at ",
            std::mismatch(first.begin(), first.end(), expected_in_place.begin(), same_bits<T>)
                    .first -
                first.begin() - static_cast<std::ptrdiff_t>(shift));
        log.expect(equal_bits<T>(scalars, expected_in_place_scalars), where,
                   "in place: ", "results differ");
      }
    }
  }
}
