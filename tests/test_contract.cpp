// SPDX-License-Identifier: MIT
// Faults that this file catches: an argument that is accepted although it is wrong, or refused with
// a message that does not say which it is; output that is written before an argument is refused;
// legal overlap (in place, column slices of one buffer) that is refused, and other overlap that is
// not; special values (NaN, infinities, masks, zeros, the limits of temperature) that mix wrongly;
// overflow on the way to a finite result, results that are flushed to 0; floating-point exception
// flags raised by finite input.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/check.hpp"
#include "support/reference.hpp"
#include "support/sample.hpp"

namespace {

using namespace gibbs_support;

template <class T>
using row = std::vector<T>;

template <class T>
inline constexpr T nan_of = std::numeric_limits<T>::quiet_NaN();
template <class T>
inline constexpr T inf = std::numeric_limits<T>::infinity();

bool mentions(const std::string& message, std::initializer_list<std::string_view> parts) {
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return message.find(part) != std::string::npos;
  });
}

template <class T>
std::string name_of(const primitive<T>& f) {
  return "gibbs::" + std::string(f.function) + ": ";
}

template <class T>
bool untouched(std::span<const T> values) {
  return std::all_of(values.begin(), values.end(), [](T v) { return v == sentinel<T>; });
}

// A call with every argument right, to be spoilt.
template <class T>
struct call {
  static constexpr std::size_t rows = 5;
  static constexpr std::size_t columns = 7;

  const primitive<T>& f;
  row<T> first = row<T>(rows * columns, T(0.25));
  row<T> second = row<T>(rows * columns, T(0.25));
  row<T> out = row<T>(rows * columns, sentinel<T>);
  row<T> scalars = row<T>(rows + 1, sentinel<T>);
  std::vector<label_type> labels = std::vector<label_type>(rows + 1, 0);
  double temperature = 1;
  std::size_t second_rows = rows, second_columns = columns;
  std::size_t out_rows = rows, out_columns = columns;
  std::size_t scalars_size = rows, labels_size = rows;

  explicit call(const primitive<T>& primitive) : f(primitive) {}

  std::string matrix_message() {
    return message_of([&] {
      f.on_matrix({gibbs::matrix_view<const T>(first.data(), rows, columns),
                   gibbs::matrix_view<const T>(second.data(), second_rows, second_columns),
                   std::span<const label_type>(labels.data(), labels_size), temperature},
                  {gibbs::matrix_view<T>(out.data(), out_rows, out_columns),
                   std::span<T>(scalars.data(), scalars_size)});
    });
  }
  std::string row_message() {
    return message_of([&] {
      f.on_row({std::span<const T>(first.data(), columns),
                std::span<const T>(second.data(), second_columns), labels[0], temperature},
               std::span<T>(out.data(), f.writes_row() ? out_columns : 0));
    });
  }
  bool wrote_nothing() const { return untouched<T>(out) && untouched<T>(scalars); }
};

}  // namespace

TEST_CASE_TEMPLATE("temperatures below 0 and NaN are refused", T, float, double) {
  fault_log log;
  struct wrong {
    double value;
    std::string_view text;
  };
  for (const primitive<T>& f : primitives<T>()) {
    {
      call<T> fine(f);
      log.expect(fine.matrix_message().empty() && fine.row_message().empty(), f.name,
                 " refuses what is right");
    }
    if (!f.uses_temperature) continue;
    for (const wrong& t : {wrong{-1, "-1"}, wrong{-5e-324, "-5e-324"}, wrong{-1e300, "-1e+300"},
                           wrong{-inf<double>, "-inf"}, wrong{nan_of<double>, "nan"}}) {
      call<T> x(f);
      x.temperature = t.value;
      for (const std::string& message : {x.matrix_message(), x.row_message()}) {
        log.expect(mentions(message, {name_of(f), "temperature", t.text}), f.name, " at ", t.text,
                   ": \"", message, "\"");
      }
      log.expect(x.wrote_nothing(), f.name, " at ", t.text, " wrote");
    }
    call<T> minus_zero(f);
    minus_zero.temperature = -0.0;
    log.expect(minus_zero.matrix_message().empty(), f.name, " refuses temperature -0");
  }
}

TEST_CASE_TEMPLATE("sizes that differ are refused", T, float, double) {
  fault_log log;
  const auto check = [&](const primitive<T>& f, call<T>& x, bool on_row,
                         std::initializer_list<std::string_view> parts) {
    const std::string message = on_row ? x.row_message() : x.matrix_message();
    log.expect(mentions(message, {name_of(f)}) && mentions(message, parts), f.name,
               on_row ? " row" : " matrix", ": \"", message, "\" lacks ", *parts.begin(),
               " or a size");
    log.expect(x.wrote_nothing(), f.name, " wrote");
  };
  for (const primitive<T>& f : primitives<T>()) {
    for (int difference : {-1, 1}) {
      const auto rows = static_cast<std::size_t>(static_cast<int>(call<T>::rows) + difference);
      const auto columns =
          static_cast<std::size_t>(static_cast<int>(call<T>::columns) + difference);
      const std::string rows_text = std::to_string(rows);
      const std::string columns_text = std::to_string(columns);
      // The arrays hold 5 x 7; all wrong shapes but 5 x 8 and 6 x 7 fit them, and those are refused
      // before anything is read.
      if (f.writes_row()) {
        call<T> x(f);
        x.out_columns = columns;
        check(f, x, true, {"out", columns_text, "7"});
        check(f, x, false, {"out", columns_text, "7"});
        call<T> y(f);
        y.out_rows = rows;
        check(f, y, false, {"out", rows_text, "5"});
      }
      if (f.has_second()) {
        const std::string_view name = f.id == primitive_id::kl_divergence_from_logits ? "q_logits"
                                      : f.id == primitive_id::cross_entropy_of_target ? "target"
                                                                                      : "q";
        call<T> x(f);
        x.second_columns = columns;
        check(f, x, true, {name, columns_text, "7"});
        check(f, x, false, {name, columns_text, "7"});
        call<T> y(f);
        y.second_rows = rows;
        check(f, y, false, {name, rows_text, "5"});
      }
      if (f.gives_scalar()) {
        call<T> x(f);
        x.scalars_size = rows;
        check(f, x, false, {"results", rows_text, "5"});
      }
      if (f.has_label()) {
        call<T> x(f);
        x.labels_size = rows;
        check(f, x, false, {"labels", rows_text, "5"});
      }
    }
  }
}

// Otherwise the comparison of a label fails to compile, inside the standard library.
static_assert(gibbs::detail::label_type<signed char> && gibbs::detail::label_type<std::size_t>);
static_assert(!gibbs::detail::label_type<char> && !gibbs::detail::label_type<char8_t> &&
              !gibbs::detail::label_type<bool> && !gibbs::detail::label_type<double>);

TEST_CASE_TEMPLATE("labels that are no class are refused", T, float, double) {
  const row<T> x(7, T(1));
  const auto refused = [&](auto label, std::string_view value) {
    const std::string message = message_of([&] { gibbs::cross_entropy_from_logits(x, label); });
    return mentions(message, {"gibbs::cross_entropy_from_logits: ", "label", value, "7"});
  };
  CHECK(refused(7, "7"));
  CHECK(refused(-1, "-1"));
  CHECK(refused(std::numeric_limits<std::int32_t>::min(), "-2147483648"));
  CHECK(refused(std::int8_t{-128}, "-128"));
  CHECK(refused(std::uint8_t{255}, "255"));
  CHECK(refused(std::int64_t{1} << 40, "1099511627776"));
  CHECK(refused(std::numeric_limits<std::int64_t>::min(), "-9223372036854775808"));
  CHECK(refused(std::numeric_limits<std::uint64_t>::max(), "18446744073709551615"));
  CHECK(gibbs::cross_entropy_from_logits(x, std::uint8_t{6}) ==
        gibbs::cross_entropy_from_logits(x, std::int64_t{0}));
  CHECK(!message_of([] { gibbs::cross_entropy_from_logits(row<T>{}, 0); }).empty());

  for (std::int64_t wrong : {std::int64_t{-1}, std::int64_t{7}, std::int64_t{1} << 32}) {
    const row<T> logits(5 * 7, T(1));
    std::vector<std::int64_t> labels{0, 6, 3, wrong, 2};
    row<T> losses(5, sentinel<T>);
    const std::string message = message_of([&] {
      gibbs::cross_entropy_from_logits(gibbs::matrix_view<const T>(logits.data(), 5, 7), labels,
                                       losses);
    });
    CHECK_MESSAGE(mentions(message, {"gibbs::cross_entropy_from_logits: ", "labels[3]",
                                     std::to_string(wrong), "7"}),
                  message);
    CHECK(untouched<T>(losses));
  }
}

TEST_CASE_TEMPLATE("overlap of single rows", T, float, double) {
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.writes_row()) continue;
    for (std::size_t n : sizes{1, 2, 3, 17, 40}) {
      for (std::size_t at = 0; at <= 2 * n; ++at) {
        row<T> memory(3 * n);
        for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<T>(i % 5);
        const row<T> before = memory;
        row<T> wanted(n);
        f.on_row({.first = std::span<const T>(before.data() + n, n)}, wanted);
        const std::span<const T> in(memory.data() + n, n);
        const std::span<T> out(memory.data() + at, n);
        const std::string message = message_of([&] { f.on_row({.first = in}, out); });
        if (at == n || at + n <= n || at >= 2 * n) {
          log.expect(message.empty() && std::equal(out.begin(), out.end(), wanted.begin()), f.name,
                     ": length ", n, ", out at ", at, ", in at ", n, ": \"", message,
                     "\" or another result");
        } else {
          const std::size_t distance = (at < n ? n - at : at - n) * sizeof(T);
          log.expect(mentions(message, {name_of(f), "out", "logits", std::to_string(distance)}),
                     f.name, ": length ", n, ", out at ", at, ", in at ", n, ": \"", message, "\"");
          log.expect(memory == before, f.name, " wrote where out overlaps");
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("overlap of matrices", T, float, double) {
  fault_log log;
  constexpr std::size_t rows = 3;
  struct layout {
    std::size_t in_at, in_stride, out_at, out_stride, columns;
    bool legal;
    std::string_view what;
  };
  const layout layouts[] = {
      {0, 4, 0, 4, 4, true, "in place"},
      {0, 9, 0, 9, 4, true, "in place with gaps"},
      {0, 8, 4, 8, 4, true, "left and right half of one buffer"},
      {4, 8, 0, 8, 4, true, "right and left half of one buffer"},
      {0, 9, 4, 9, 4, true, "column slices with a gap on the right"},
      {0, 9, 5, 9, 4, true, "column slices with a gap between them"},
      {1, 16, 10, 16, 4, true, "column slices inside a buffer"},
      {0, 8, 4 + 8, 8, 4, true, "column slices, a row apart"},
      {0, 4, 12, 4, 4, true, "one behind the other"},
      {12, 4, 0, 4, 4, true, "one before the other"},
      {0, 0, 4, 4, 4, true, "one row repeated"},
      {0, 7, 3, 7, 4, false, "column slices with one column in common"},
      {3, 7, 0, 7, 4, false, "column slices with one column in common, other way"},
      {0, 7, 4, 7, 4, false, "the output runs into the next row of the input"},
      {4, 7, 0, 7, 4, false, "the input runs into the next row of the output"},
      {0, 8, 8, 8, 4, false, "in place, a row apart"},
      {0, 4, 1, 4, 4, false, "one element apart"},
      {0, 4, 0, 5, 4, false, "the same start, other strides"},
      {0, 5, 0, 4, 4, false, "the same start, other strides, other way"},
      {0, 0, 0, 4, 4, false, "one row repeated, and overwritten"},
      {0, 6, 11, 4, 4, false, "other strides, the last row in common"},
      {0, 8, 100, 3, 4, false, "rows of the output overlap"},
      {0, 8, 100, 0, 4, false, "rows of the output are one"},
  };
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.writes_row()) continue;
    for (const layout& x : layouts) {
      row<T> memory(128);
      for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<T>(i % 7);
      const row<T> before = memory;
      row<T> scalars(rows, sentinel<T>);
      const gibbs::matrix_view<const T> in(memory.data() + x.in_at, rows, x.columns, x.in_stride);
      const gibbs::matrix_view<T> out(memory.data() + x.out_at, rows, x.columns, x.out_stride);
      const std::string message = message_of([&] { f.on_matrix({.first = in}, {out, scalars}); });
      if (!x.legal) {
        log.expect(mentions(message, {name_of(f), "out"}), f.name, ", ", x.what, ": \"", message,
                   "\"");
        log.expect(memory == before && untouched<T>(scalars), f.name, ", ", x.what, ": wrote");
        continue;
      }
      log.expect(message.empty(), f.name, ", ", x.what, ": refused: ", message);
      row<T> wanted = before;
      for (std::size_t i = 0; i < rows; ++i) {
        f.on_row(
            {.first = std::span<const T>(before.data() + x.in_at + i * x.in_stride, x.columns)},
            {wanted.data() + x.out_at + i * x.out_stride, x.columns});
      }
      log.expect(memory == wanted, f.name, ", ", x.what, ": another result, or wrote elsewhere");
    }
  }
}

TEST_CASE_TEMPLATE("empty rows and empty matrices", T, float, double) {
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    const bool log_of_nothing =
        f.id == primitive_id::log_sum_exp || f.id == primitive_id::softmax_with_log_sum_exp;
    const T wanted = log_of_nothing ? -inf<T> : T(0);
    for (double temperature : temperatures) {
      if (!f.uses_temperature && temperature != 1) continue;
      row<T> scalars(3, sentinel<T>);
      T nothing[1] = {sentinel<T>};
      f.on_matrix({gibbs::matrix_view<const T>(nothing, 0, 5),
                   gibbs::matrix_view<const T>(nothing, 0, 5),
                   {},
                   temperature},
                  {gibbs::matrix_view<T>(nothing, 0, 5), {}});
      log.expect(nothing[0] == sentinel<T>, f.name, " wrote although there is no row");
      if (!allows_empty(f)) continue;
      const T result = f.on_row({.first = {}, .second = {}, .temperature = temperature}, {});
      log.expect(!f.gives_scalar() || result == wanted, f.name,
                 " of an empty row at T = ", temperature, ": ", result);
      f.on_matrix({gibbs::matrix_view<const T>(nothing, 3, 0),
                   gibbs::matrix_view<const T>(nothing, 3, 0),
                   {},
                   temperature},
                  {gibbs::matrix_view<T>(nothing, 3, 0),
                   f.gives_scalar() ? std::span<T>(scalars) : std::span<T>()});
      log.expect(nothing[0] == sentinel<T>, f.name, " wrote to a row without columns");
      log.expect(!f.gives_scalar() || scalars == row<T>(3, wanted), f.name,
                 " of rows without columns: ", scalars[0]);
    }
  }
}

TEST_CASE_TEMPLATE("one element", T, float, double) {
  using limits = std::numeric_limits<T>;
  fault_log log;
  for (T x : {T(0), T(-0.0), T(1), T(-3.7), T(88.1), T(1e4), T(-1e30), limits::denorm_min(),
              (limits::min)(), (limits::max)(), limits::lowest()}) {
    for (double temperature : temperatures) {
      const gibbs::logit_options options{.temperature = temperature};
      const row<T> in{x};
      row<T> out(1);
      gibbs::softmax(in, out, options);
      log.expect(out[0] == 1, "softmax of ", x, " at ", temperature, ": ", out[0]);
      gibbs::softmax_with_log_sum_exp(in, out, options);
      log.expect(out[0] == 1, "softmax_with_log_sum_exp of ", x, " at ", temperature, ": ", out[0]);
      gibbs::log_softmax(in, out, options);
      log.expect(out[0] == 0, "log_softmax of ", x, " at ", temperature, ": ", out[0]);
      for (T result : {gibbs::entropy_from_logits(in, options),
                       gibbs::cross_entropy_from_logits(in, 0, options),
                       gibbs::cross_entropy_from_logits(in, row<T>{1}, options),
                       gibbs::kl_divergence_from_logits(in, in, options)}) {
        log.expect(result == 0, "a reduction of ", x, " at ", temperature, ": ", result);
      }
    }
  }
  const row<T> one{1};
  CHECK(gibbs::entropy(one) == 0);
  CHECK(gibbs::cross_entropy(one, one) == 0);
  CHECK(gibbs::kl_divergence(one, one) == 0);
}

namespace {

// Every row of 1 to `most` of these values, alone and after ordinary elements enough for full
// vectors, at each temperature, by the reference.
template <class T, class Visit>
void every_row_of(std::span<const T> values, std::size_t most, Visit visit) {
  row<T> x;
  std::vector<std::size_t> digits;
  for (std::size_t n = 1; n <= most; ++n) {
    digits.assign(n, 0);
    for (;;) {
      x.resize(n);
      for (std::size_t i = 0; i < n; ++i) x[i] = values[digits[i]];
      visit(x);
      std::size_t i = 0;
      while (i < n && ++digits[i] == values.size()) digits[i++] = 0;
      if (i == n) break;
    }
  }
}

template <class T>
const row<T>& special_logits() {
  using limits = std::numeric_limits<T>;
  static const row<T> values{nan_of<T>,       -inf<T>,          inf<T>, T(0),
                             (limits::max)(), limits::lowest(), T(1),   -limits::denorm_min(),
                             T(-1e9)};
  return values;
}

template <class T>
const row<T>& special_probabilities() {
  using limits = std::numeric_limits<T>;
  static const row<T> values{
      nan_of<T>,       T(0),   T(-0.0), -limits::denorm_min(), limits::denorm_min(),
      (limits::min)(), T(0.5), T(1)};
  return values;
}

template <class T>
std::string joined(std::span<const T> values) {
  std::string result = "{";
  for (T v : values.first((std::min)(values.size(), std::size_t(4)))) {
    result += (result.size() > 1 ? ", " : "") + text(v);
  }
  return result + (values.size() > 4 ? ", ...}" : "}");
}

// One call against the reference; the floating-point exception flags too, where the input is
// finite.
template <class T>
class judge_calls {
 public:
  void operator()(const primitive<T>& f, const row_arguments<T>& in, bool same_first = false,
                  std::uint64_t seed = 0) {
    if (same_first) {
      exact_.assign_same_first(in);
    } else {
      exact_.assign(in);
    }
    const row_reference<T>& wanted = exact_(f.id);
    out_.assign(f.writes_row() ? in.first.size() : 0, T(0));
    std::feclearexcept(FE_ALL_EXCEPT);
    const T scalar = f.on_row(in, out_);
    const int flags = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
    const verdict v = judge<T>(f, wanted, out_, scalar);
    const auto where = [&] {
      return text(joined(in.first), f.has_second() ? joined(in.second) : std::string(), " length ",
                  in.first.size(), " seed ", seed, " label ", in.label, " T = ", in.temperature,
                  ": ");
    };
    log_.expect(v.good, f.name, " ", type_name<T>(), " ", where, v.error, " ulp at ", v.index, ", ",
                f.writes_row() && !v.in_scalar ? out_[v.index] : scalar, " and not ",
                f.writes_row() && !v.in_scalar ? wanted.row[v.index].to_double()
                                               : wanted.scalar.to_double());
    const auto is_finite = [](T x) { return std::isfinite(x); };
    if (!std::all_of(in.first.begin(), in.first.end(), is_finite) ||
        !std::all_of(in.second.begin(), in.second.end(), is_finite)) {
      return;
    }
    // A negative probability is no number: not a finite input to speak of.
    if (f.gives_scalar() && wanted.scalar.is_nan()) return;
    // Infinite results may say so.
    if ((f.gives_scalar() && std::isinf(scalar)) ||
        !std::all_of(out_.begin(), out_.end(), is_finite)) {
      return;
    }
    log_.expect(flags == 0, f.name, "-flags ", type_name<T>(), " ", where,
                (flags & FE_INVALID) != 0 ? " FE_INVALID" : "",
                (flags & FE_DIVBYZERO) != 0 ? " FE_DIVBYZERO" : "",
                (flags & FE_OVERFLOW) != 0 ? " FE_OVERFLOW" : "");
  }

 private:
  fault_log log_;
  reference<T> exact_;
  row<T> out_;
};

}  // namespace

TEST_CASE_TEMPLATE("special logits among each other, at every temperature", T, float, double) {
  judge_calls<T> judge_call;
  std::size_t count = 0;
  every_row_of<T>(special_logits<T>(), 3, [&](const row<T>& x) {
    for (double temperature : temperatures) {
      // All temperatures for short rows, a few in turn for the many long ones.
      if (x.size() == 3 && ++count % 3 != 0) continue;
      bool first = true;
      for (const primitive<T>& f : primitives<T>()) {
        if (!f.first_is_logits() || f.has_second()) continue;
        const auto label = static_cast<label_type>(count % x.size());
        judge_call(f, {.first = x, .label = label, .temperature = temperature}, !first);
        first = false;
      }
    }
  });
}

TEST_CASE_TEMPLATE("special logits and targets, special logits in pairs", T, float, double) {
  judge_calls<T> judge_call;
  std::size_t count = 0;
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.first_is_logits() || !f.has_second()) continue;
    every_row_of<T>(special_logits<T>(), 2, [&](const row<T>& x) {
      every_row_of<T>(f.second_is_logits() ? special_logits<T>() : special_probabilities<T>(), 2,
                      [&](const row<T>& y) {
                        if (x.size() != y.size()) return;
                        for (double temperature : {1.0, 0.0, inf<double>, 1e-39, 1e38, 1e300}) {
                          if (x.size() == 2 && ++count % 2 != 0) continue;
                          judge_call(f, {.first = x, .second = y, .temperature = temperature});
                        }
                      });
    });
  }
}

TEST_CASE_TEMPLATE("special probabilities among each other", T, float, double) {
  judge_calls<T> judge_call;
  for (const primitive<T>& f : primitives<T>()) {
    if (f.first_is_logits()) continue;
    every_row_of<T>(special_probabilities<T>(), 2, [&](const row<T>& p) {
      if (!f.has_second()) return judge_call(f, {.first = p});
      every_row_of<T>(special_probabilities<T>(), 2, [&](const row<T>& q) {
        if (p.size() == q.size()) judge_call(f, {.first = p, .second = q});
      });
    });
  }
}

// Where full vectors, groups of vectors and tails see them.
TEST_CASE_TEMPLATE("special values scattered over longer rows", T, float, double) {
  judge_calls<T> judge_call;
  for (const primitive<T>& f : primitives<T>()) {
    const bool logits = f.first_is_logits();
    for (std::uint64_t seed = 0; seed < 250; ++seed) {
      random_source random(seed);
      const double density = seed % 2 == 0 ? 0.03 : 0.9;
      sample<T> x = draw_ordinary(f, random, 1 + random.below(9 * widest_vector<T>),
                                  logits ? temperatures[random.below(temperatures.size())] : 1);
      // A few of the values only: with a NaN in every row, nothing else would be seen.
      const auto scatter = [&](row<T>& values, const row<T>& special) {
        const T one = special[random.below(special.size())];
        const T other = special[random.below(special.size())];
        for (T& value : values) {
          if (random.uniform() < density) value = random.uniform() < 0.7 ? one : other;
        }
      };
      scatter(x.first, logits ? special_logits<T>() : special_probabilities<T>());
      if (f.has_second() && random.uniform() < 0.7) {
        scatter(x.second, f.second_is_logits() ? special_logits<T>() : special_probabilities<T>());
      }
      judge_call(f, x.arguments(), false, seed);
    }
  }
}

// What a NaN carries beside being one ends up in exponents and in indices of tables.
TEST_CASE_TEMPLATE("NaN of any payload, in rows of any length and magnitude", T, float, double) {
  using bits = gibbs::detail::uint_of<T>;
  const bits quiet = std::bit_cast<bits>(nan_of<T>);
  const bits negative = quiet ^ (bits(1) << (8 * sizeof(T) - 1));
  const bits payloads = (bits(1) << (std::numeric_limits<T>::digits - 2)) - 1;
  // In units of a sixteenth of an exponent: one of infinity and the first entry of a table.
  const bits of_infinity = sizeof(T) == 4 ? bits(0xff0) : bits(0x7ff0);
  fault_log log;
  random_source random(1);
  constexpr std::size_t lengths[] = {2, 20, 60, 100, 300, 1100, 2500};
  for (const std::size_t n : lengths) {
    for (const T size : {T(1), T(1e6)}) {
      for (int k = 0; k < 12; ++k) {
        const bits payload = k == 0   ? of_infinity
                             : k == 1 ? payloads
                                      : static_cast<bits>(random.bits()) & payloads;
        const T nan =
            std::bit_cast<T>(static_cast<bits>((k % 2 == 0 ? quiet : negative) | payload));
        row<T> x(n, size);
        for (T& value : x) value += static_cast<T>(random.uniform());
        const row<T> other = x;
        const std::size_t at = random.below(n);
        x[at] = nan;
        const int label = at == 0 ? 1 : 0;
        row<T> p(n);
        row<T> log_p(n);
        gibbs::softmax(x, p);
        gibbs::log_softmax(x, log_p);
        const auto is_nan = [](T v) { return v != v; };
        const bool good = is_nan(gibbs::log_sum_exp(x)) && is_nan(gibbs::entropy_from_logits(x)) &&
                          is_nan(gibbs::cross_entropy_from_logits(x, label)) &&
                          is_nan(gibbs::cross_entropy_from_logits(x, row<T>(n, T(1)))) &&
                          is_nan(gibbs::kl_divergence_from_logits(x, other)) &&
                          is_nan(gibbs::kl_divergence_from_logits(other, x)) &&
                          is_nan(gibbs::entropy(x)) && is_nan(gibbs::cross_entropy(other, x)) &&
                          is_nan(gibbs::kl_divergence(other, x)) &&
                          std::all_of(p.begin(), p.end(), is_nan) &&
                          std::all_of(log_p.begin(), log_p.end(), is_nan);
        log.expect(good, type_name<T>(), " length ", n, " of ", size, " NaN number ", k);
      }
    }
  }
}

TEST_CASE_TEMPLATE("finite input raises no flags: ordinary rows of every length", T, float,
                   double) {
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    const auto families = families_of(f);
    for (std::size_t n = allows_empty(f) ? 0 : 1; n <= 9 * widest_vector<T>; ++n) {
      for (const family<T>& from : families) {
        random_source random(n);
        const double temperature = temperatures[random.below(temperatures.size())];
        const sample<T> x = draw(f, from, random, n, f.uses_temperature ? temperature : 1);
        const auto is_finite = [](T v) { return std::isfinite(v); };
        if (!std::all_of(x.first.begin(), x.first.end(), is_finite) ||
            !std::all_of(x.second.begin(), x.second.end(), is_finite)) {
          continue;
        }
        row<T> out(f.writes_row() ? n : 0);
        std::feclearexcept(FE_ALL_EXCEPT);
        const T scalar = f.on_row(x.arguments(), out);
        const int flags = std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
        const bool infinite =
            !std::isfinite(scalar) || !std::all_of(out.begin(), out.end(), is_finite);
        const int allowed = infinite ? FE_OVERFLOW | FE_DIVBYZERO : 0;
        log.expect((flags & ~allowed) == 0, f.name, "-flags ", type_name<T>(), " family ",
                   from.name, " length ", n, " T = ", x.temperature, " seed ", n,
                   (flags & FE_INVALID) != 0 ? " FE_INVALID" : "",
                   (flags & FE_DIVBYZERO) != 0 ? " FE_DIVBYZERO" : "",
                   (flags & FE_OVERFLOW) != 0 ? " FE_OVERFLOW" : "", ", result ", scalar);
      }
    }
  }
}

TEST_CASE_TEMPLATE("masks, and finite numbers that are meant as masks", T, float, double) {
  using limits = std::numeric_limits<T>;
  row<T> out(2);
  gibbs::softmax(row<T>{-1000, -inf<T>}, out);
  CHECK(out == row<T>{1, 0});
  CHECK(!std::signbit(out[1]));
  gibbs::log_softmax(row<T>{-1000, -inf<T>}, out);
  CHECK(out == row<T>{0, -inf<T>});
  CHECK(gibbs::log_sum_exp(row<T>{-1000, -inf<T>}) == -1000);
  CHECK(gibbs::entropy_from_logits(row<T>{-1000, -inf<T>}) == 0);
  CHECK(gibbs::cross_entropy_from_logits(row<T>{5, -inf<T>}, 1) == inf<T>);
  CHECK(gibbs::cross_entropy_from_logits(row<T>{5, -inf<T>}, 0) == 0);
  CHECK(gibbs::cross_entropy_from_logits(row<T>{5, -inf<T>}, row<T>{1, 0}) == 0);
  CHECK(gibbs::cross_entropy_from_logits(row<T>{5, -inf<T>}, row<T>{T(0.5), T(0.5)}) == inf<T>);
  CHECK(gibbs::kl_divergence_from_logits(row<T>{5, 5}, row<T>{5, -inf<T>}) == inf<T>);
  CHECK(gibbs::kl_divergence_from_logits(row<T>{5, -inf<T>}, row<T>{3, -inf<T>}) == 0);

  for (T low : {T(-1e9), limits::lowest()}) {
    gibbs::log_softmax(row<T>{0, low}, out);
    CHECK(out == row<T>{0, low});
    gibbs::softmax(row<T>{low, low}, out);
    CHECK(out == row<T>{T(0.5), T(0.5)});
    gibbs::softmax(row<T>{low, -inf<T>}, out);
    CHECK(out == row<T>{1, 0});
    CHECK(gibbs::log_sum_exp(row<T>{low, -inf<T>}) == low);
    CHECK(gibbs::cross_entropy_from_logits(row<T>{0, low}, 1) == -low);
  }
}

TEST_CASE_TEMPLATE("nothing but masks", T, float, double) {
  fault_log log;
  for (std::size_t n = 1; n <= 5 * widest_vector<T>; ++n) {
    for (double temperature : temperatures) {
      const gibbs::logit_options options{.temperature = temperature};
      const row<T> x(n, -inf<T>);
      log.expect(gibbs::log_sum_exp(x, options) == -inf<T>, "log_sum_exp length ", n,
                 " T = ", temperature);
      row<T> out(n);
      const auto is_nan = [](T v) { return std::isnan(v); };
      gibbs::softmax(x, out, options);
      log.expect(std::all_of(out.begin(), out.end(), is_nan), "softmax length ", n,
                 " T = ", temperature);
      std::fill(out.begin(), out.end(), T(0));
      gibbs::log_softmax(x, out, options);
      log.expect(std::all_of(out.begin(), out.end(), is_nan), "log_softmax length ", n,
                 " T = ", temperature);
      std::fill(out.begin(), out.end(), T(0));
      log.expect(gibbs::softmax_with_log_sum_exp(x, out, options) == -inf<T> &&
                     std::all_of(out.begin(), out.end(), is_nan),
                 "softmax_with_log_sum_exp length ", n, " T = ", temperature);
      log.expect(is_nan(gibbs::entropy_from_logits(x, options)) &&
                     is_nan(gibbs::cross_entropy_from_logits(x, 0, options)) &&
                     is_nan(gibbs::cross_entropy_from_logits(x, row<T>(n, T(0)), options)) &&
                     is_nan(gibbs::kl_divergence_from_logits(x, x, options)),
                 "reductions length ", n, " T = ", temperature);
    }
  }
}

TEST_CASE_TEMPLATE("temperature 0 and +infinity are the limits", T, float, double) {
  const gibbs::logit_options cold{.temperature = 0};
  const gibbs::logit_options hot{.temperature = inf<double>};
  const T ln2 = static_cast<T>(0.69314718055994530942);
  const T ln3 = static_cast<T>(1.0986122886681096914);
  // To a unit of the last place: the logarithm may be that of the C library.
  const auto near = [](T got, T wanted) {
    return got == wanted ||
           std::abs(got - wanted) <= std::abs(wanted) * std::numeric_limits<T>::epsilon();
  };
  const auto all_near = [&](const row<T>& got, const row<T>& wanted) {
    return std::equal(got.begin(), got.end(), wanted.begin(), wanted.end(), near);
  };
  row<T> out(4);
  const row<T> ties{2, 5, -1, 5};
  gibbs::softmax(ties, out, cold);
  CHECK(out == row<T>{0, T(0.5), 0, T(0.5)});
  gibbs::log_softmax(ties, out, cold);
  CHECK(all_near(out, row<T>{-inf<T>, -ln2, -inf<T>, -ln2}));
  CHECK(gibbs::log_sum_exp(ties, cold) == inf<T>);
  CHECK(gibbs::log_sum_exp(row<T>{-1, -2}, cold) == -inf<T>);
  CHECK(near(gibbs::log_sum_exp(row<T>{0, -2, 0}, cold), ln2));
  CHECK(near(gibbs::log_sum_exp(row<T>{0, -2, T(-0.0)}, cold), ln2));
  CHECK(gibbs::log_sum_exp(row<T>{0, -std::numeric_limits<T>::denorm_min()}, cold) == 0);
  CHECK(near(gibbs::entropy_from_logits(ties, cold), ln2));
  CHECK(near(gibbs::cross_entropy_from_logits(ties, 3, cold), ln2));
  CHECK(gibbs::cross_entropy_from_logits(ties, 0, cold) == inf<T>);
  CHECK(gibbs::kl_divergence_from_logits(ties, ties, cold) == 0);
  CHECK(near(gibbs::kl_divergence_from_logits(row<T>{1, 0}, row<T>{0, 0}, cold), ln2));
  CHECK(gibbs::kl_divergence_from_logits(row<T>{0, 0}, row<T>{1, 0}, cold) == inf<T>);

  const row<T> masked{2, -inf<T>, std::numeric_limits<T>::lowest(), 7};
  const T third = T(1) / 3;
  gibbs::softmax(masked, out, hot);
  CHECK(out == row<T>{third, 0, third, third});
  gibbs::log_softmax(masked, out, hot);
  CHECK(all_near(out, row<T>{-ln3, -inf<T>, -ln3, -ln3}));
  CHECK(near(gibbs::log_sum_exp(masked, hot), ln3));
  CHECK(near(gibbs::entropy_from_logits(masked, hot), ln3));
  CHECK(near(gibbs::cross_entropy_from_logits(masked, 2, hot), ln3));
  CHECK(gibbs::cross_entropy_from_logits(masked, 1, hot) == inf<T>);
  CHECK(gibbs::kl_divergence_from_logits(masked, masked, hot) == 0);
}

TEST_CASE_TEMPLATE("zeros, infinities and negative numbers among probabilities", T, float, double) {
  for (std::size_t n : {std::size_t(1), std::size_t(7), std::size_t(200)}) {
    std::vector<T> certain(n, T(0));
    certain[n / 2] = 1;
    CHECK(gibbs::entropy(certain) == 0);
    CHECK_FALSE(std::signbit(gibbs::entropy(certain)));
    CHECK_FALSE(std::signbit(gibbs::cross_entropy(certain, certain)));
  }
  const row<T> half{T(0.5), T(0.5)};
  const row<T> first{1, 0};
  const T ln2 = static_cast<T>(0.69314718055994530942);
  CHECK(gibbs::entropy(first) == 0);
  CHECK(gibbs::entropy(row<T>{T(0.5), 0, T(0.5)}) == ln2);
  CHECK(gibbs::cross_entropy(first, half) == ln2);
  CHECK(gibbs::cross_entropy(half, first) == inf<T>);
  CHECK(gibbs::cross_entropy(first, first) == 0);
  CHECK(gibbs::kl_divergence(first, half) == ln2);  // q's mass where p has none is in it
  CHECK(gibbs::kl_divergence(half, first) == inf<T>);
  CHECK(gibbs::kl_divergence(first, first) == 0);
  CHECK(gibbs::kl_divergence(row<T>{0, 0}, row<T>{0, 0}) == 0);
  CHECK(gibbs::kl_divergence(row<T>{0, 0}, half) == 1);
  for (const row<T>& bad : {row<T>{T(-0.5), T(0.5)}, row<T>{nan_of<T>, T(0.5)},
                            row<T>{-std::numeric_limits<T>::denorm_min(), T(0.5)}}) {
    CHECK(std::isnan(gibbs::entropy(bad)));
    CHECK(std::isnan(gibbs::cross_entropy(bad, half)));
    CHECK(std::isnan(gibbs::cross_entropy(half, bad)));
    CHECK(std::isnan(gibbs::cross_entropy(row<T>{0, 1}, bad)));  // also where p is 0
    CHECK(std::isnan(gibbs::kl_divergence(bad, half)));
    CHECK(std::isnan(gibbs::kl_divergence(half, bad)));
    CHECK(std::isnan(gibbs::kl_divergence(bad, bad)));
    CHECK(std::isnan(gibbs::kl_divergence(row<T>{0, 1}, bad)));
    CHECK(std::isnan(gibbs::cross_entropy_from_logits(half, bad)));
  }
  const row<T> infinite{inf<T>, T(0.5)};
  CHECK(std::isnan(gibbs::kl_divergence(infinite, half)));
  CHECK(std::isnan(gibbs::kl_divergence(half, infinite)));
}

// Rows whose exact result is plain to see, at the ends of the range.
TEST_CASE_TEMPLATE("extreme temperatures and magnitudes", T, float, double) {
  using limits = std::numeric_limits<T>;
  constexpr bool is_float = sizeof(T) == 4;
  constexpr double least = is_float ? 0x1p-126 : 0x1p-1022;
  const T big = is_float ? T(3e38) : T(1.5e308);
  const double big_temperature = is_float ? 1e38 : 0.5e308;
  row<T> out(3);
  gibbs::softmax(row<T>{2, 4, 3}, out, {.temperature = least});
  CHECK(out == row<T>{0, 1, 0});
  gibbs::softmax(row<T>{2, 4, 3}, out, {.temperature = static_cast<double>(limits::denorm_min())});
  CHECK(out == row<T>{0, 1, 0});
  gibbs::softmax(row<T>{2, 4, 3}, out, {.temperature = 5e-324});
  CHECK(out == row<T>{0, 1, 0});

  out.resize(2);
  const double tolerance = 4 * static_cast<double>(limits::epsilon());
  gibbs::softmax(row<T>{big, -big}, out, {.temperature = big_temperature});
  // (big + big) / T is not exactly 6 once 3e38 is rounded to a float.
  const double high = is_float ? 0.99752737734363271 : 0.99752737684336534;
  const double low = is_float ? 0.0024726226563672914 : 0.0024726231566347743;
  CHECK(std::abs(static_cast<double>(out[0]) - high) <= high * tolerance);
  CHECK(std::abs(static_cast<double>(out[1]) - low) <= low * tolerance);
  gibbs::log_softmax(row<T>{big, -big}, out, {.temperature = big_temperature});
  CHECK(std::abs(static_cast<double>(out[1]) - std::log(low)) <= 6 * tolerance);
  CHECK(std::abs(static_cast<double>(out[0]) - std::log1p(-low)) <= 0.003 * tolerance);

  // Overflow on the way: max - x is infinite where (max - x) / T is not.
  gibbs::log_softmax(row<T>{(limits::max)(), limits::lowest()}, out, {.temperature = 4});
  CHECK(out == row<T>{0, -(limits::max)() / 2});
  gibbs::log_softmax(row<T>{(limits::max)(), limits::lowest()}, out, {.temperature = 1});
  CHECK(out == row<T>{0, -inf<T>});
  gibbs::softmax(row<T>{(limits::max)(), limits::lowest()}, out, {.temperature = 1});
  CHECK(out == row<T>{1, 0});
  CHECK(gibbs::log_sum_exp(row<T>{(limits::max)(), (limits::max)()}) == (limits::max)());
  CHECK(gibbs::log_sum_exp(row<T>{(limits::max)(), 0}, {.temperature = 0.5}) == inf<T>);
  CHECK(gibbs::log_sum_exp(row<T>{limits::lowest(), limits::lowest()}, {.temperature = 0.5}) ==
        -inf<T>);
  CHECK(gibbs::cross_entropy_from_logits(row<T>{(limits::max)(), limits::lowest()}, 1,
                                         {.temperature = 2}) == (limits::max)());
  CHECK(gibbs::entropy_from_logits(row<T>{(limits::max)(), limits::lowest()}) == 0);

  // Subnormal logits and temperatures: only their ratio counts.
  const T tiny = limits::denorm_min();
  gibbs::softmax(row<T>{3 * tiny, 0}, out, {.temperature = static_cast<double>(tiny)});
  CHECK(std::abs(static_cast<double>(out[1]) - 0.047425873177566781) <= 0.05 * tolerance);
  gibbs::softmax(row<T>{3 * tiny, 0}, out);
  CHECK(out == row<T>{T(0.5), T(0.5)});

  // No NaN anywhere: finite logits at a temperature that is not 0.
  fault_log log;
  for (double temperature : {1e-39, 5e-324, 1e-300, 1e300, 1.7e308, 1e38, 1e-45, 1.0}) {
    for (std::size_t n = 1; n < 40; ++n) {
      random_source random(n);
      row<T> x(n);
      for (T& v : x) v = (limits::max)() * static_cast<T>(random.uniform(-1, 1));
      row<T> p(n);
      gibbs::softmax(x, p, {.temperature = temperature});
      const bool softmax_nan = std::any_of(p.begin(), p.end(), [](T v) { return std::isnan(v); });
      gibbs::log_softmax(x, p, {.temperature = temperature});
      const bool log_nan = std::any_of(p.begin(), p.end(), [](T v) { return std::isnan(v); });
      log.expect(!softmax_nan && !log_nan, "NaN at T = ", temperature, ", length ", n);
    }
  }
}

TEST_CASE_TEMPLATE("results below the smallest normal number are not flushed", T, float, double) {
  using limits = std::numeric_limits<T>;
  constexpr double ln2 = 0.69314718055994530942;
  fault_log log;
  reference<T> exact_result;
  for (std::size_t n : sizes{2, 9, 40}) {
    for (int k = 1; k < limits::digits + 3; ++k) {
      row<T> x(n, static_cast<T>((limits::min_exponent - k) * ln2));
      x[n / 2] = 0;
      row<T> out(n);
      gibbs::softmax(x, out);
      exact_result.assign({.first = x});
      const row_reference<T>& wanted = exact_result(primitive_id::softmax);
      const double error = error_in_ulps(out[0], wanted.row[0]);
      log.expect(error <= gibbs::accuracy::softmax_subnormal<T>, "softmax 2^-", k,
                 " below the smallest, length ", n, ": ", out[0], ", ", error, " ulp");
    }
  }
  const T least = limits::denorm_min();
  const row<T> tiny{least, 3 * least, 1};
  // -x log x for subnormal x: 149 ln 2 units or so.
  exact_result.assign({.first = tiny});
  const double entropy_error =
      error_in_ulps(gibbs::entropy(tiny), exact_result(primitive_id::entropy).scalar);
  CHECK(entropy_error <= 1);
  const row<T> p{3 * least, 1};
  const row<T> q{least, 1};
  exact_result.assign({.first = p, .second = q});
  const double kl_error =
      error_in_ulps(gibbs::kl_divergence(p, q), exact_result(primitive_id::kl_divergence).scalar);
  CHECK(kl_error <= 1);
}

TEST_CASE_TEMPLATE("small losses are not 0", T, float, double) {
  const double tolerance = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());
  const auto near = [&](T got, double wanted) {
    return std::abs(static_cast<double>(got) - wanted) <= wanted * tolerance;
  };
  CHECK(near(gibbs::log_sum_exp(row<T>{0, -40}), 4.248354255291589e-18));
  CHECK(near(gibbs::cross_entropy_from_logits(row<T>{0, -40}, 0), 4.248354255291589e-18));
  CHECK(near(gibbs::cross_entropy_from_logits(row<T>{46, 0}, 0), 1.0530617357553812e-20));
  CHECK(near(gibbs::entropy_from_logits(row<T>{0, -40}), 1.7418252446695513e-16));
}

TEST_CASE_TEMPLATE("to_bits", T, float, double) {
  CHECK(gibbs::to_bits(T(0)) == 0);
  CHECK(std::abs(gibbs::to_bits(static_cast<T>(0.69314718055994530942)) - 1) <=
        std::numeric_limits<T>::epsilon());
  CHECK(gibbs::to_bits(inf<T>) == inf<T>);
  CHECK(std::isnan(gibbs::to_bits(nan_of<T>)));
}

// What the functions accept, by whatever name.
TEST_CASE_TEMPLATE("ranges of every kind", T, float, double) {
  const row<T> vector{1, 2, 3};
  const std::array<T, 3> array{1, 2, 3};
  T plain[3] = {1, 2, 3};
  row<T> wanted(3);
  gibbs::softmax(vector, wanted);
  std::array<T, 3> out{};
  gibbs::softmax(array, out);
  CHECK(std::equal(out.begin(), out.end(), wanted.begin()));
  gibbs::softmax(std::span<const T>(vector), std::span<T, 3>(out), {.temperature = 1});
  CHECK(std::equal(out.begin(), out.end(), wanted.begin()));
  gibbs::softmax(plain, plain);
  CHECK(std::equal(wanted.begin(), wanted.end(), plain));
  const gibbs::matrix_view<T> writable(plain, 1, 3);
  const gibbs::matrix_view<const T> readable = writable;
  CHECK(readable.row(0).data() == plain);
  gibbs::softmax(writable, writable);
  T results[1];
  gibbs::log_sum_exp(readable, results);
  gibbs::log_sum_exp(writable, std::span<T>(results));
  CHECK(results[0] == gibbs::log_sum_exp(plain));
}

TEST_CASE_TEMPLATE("results that lie in an input or in the output", T, float, double) {
  for (const primitive<T>& f : primitives<T>()) {
    if (!f.gives_scalar()) continue;
    CAPTURE(f.name);
    const std::size_t rows = 3;
    const std::size_t columns = 4;
    const std::vector<label_type> labels(rows, 1);
    std::vector<T> first(rows * columns, T(0.25));
    std::vector<T> second(rows * columns, T(0.25));
    std::vector<T> out(rows * columns, sentinel<T>);
    const auto call = [&](std::span<T> results) {
      return message_of([&] {
        f.on_matrix({gibbs::matrix_view<const T>(first.data(), rows, columns),
                     gibbs::matrix_view<const T>(second.data(), rows, columns), labels},
                    {gibbs::matrix_view<T>(out.data(), rows, columns), results});
      });
    };
    const std::vector<T> first_before = first;
    CHECK(call(std::span<T>(first).first(rows)).find("results") != std::string::npos);
    CHECK(call(std::span<T>(first).subspan(columns, rows)).find("results") != std::string::npos);
    CHECK(call(std::span<T>(first).last(rows)).find("results") != std::string::npos);
    CHECK(first == first_before);
    if (f.has_second())
      CHECK(call(std::span<T>(second).last(rows)).find("results") != std::string::npos);
    if (f.writes_row()) {
      CHECK(call(std::span<T>(out).last(rows)).find("results") != std::string::npos);
      CHECK(out[0] == sentinel<T>);
    }
  }
}

// Scaling by the powers of two that float has is not enough for them.
TEST_CASE("log_softmax of float: differences of subnormal logits at tiny temperatures") {
  const std::vector<float> logits{0.0f, 0x1p-149f};
  std::vector<float> out(2);
  for (int e = -240; e > -276; --e) {
    CAPTURE(e);
    const double temperature = std::ldexp(1.1875, e);
    tested::log_softmax(logits, out, {.temperature = temperature});
    const double wanted = -0x1p-149 / temperature;
    CHECK(std::abs(static_cast<double>(out[0]) - wanted) <= -0x1p-22 * wanted);
    CHECK(out[1] == 0);
  }
}
