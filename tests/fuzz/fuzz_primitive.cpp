// SPDX-License-Identifier: MIT
// Any matrix, any temperature, any label, on every architecture that gibbs::dispatch has here:
// results are within their bounds of what MPFR gives, special values included; a row of a matrix
// gets the same bits as the row by itself, wherever it stands and whatever its neighbours are; in
// place is as good as out of place; what lies between and behind the rows is left alone; bad
// arguments are errors that write nothing. Memory is allocated to its exact size, so that the
// sanitizers see what is read beyond it.
#include "fuzz_primitive.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gibbs/dispatch_unit.hpp>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "support/compare.hpp"
#include "support/reference.hpp"
#include "support/registry.hpp"

namespace gibbs_support {
namespace {

const gibbs::detail::dispatch_table* current = nullptr;

// Those that this CPU has.
std::span<const gibbs::detail::dispatch_table* const> architectures() {
  static const std::vector<const gibbs::detail::dispatch_table*> all = [] {
    using level = gibbs::detail::dispatch_level;
    std::vector<const gibbs::detail::dispatch_table*> found;
    for (const level limit : {level::base, level::avx2, level::avx512}) {
      const auto* const best = &gibbs::detail::choose_dispatch_table(limit);
      if (found.empty() || found.back() != best) found.push_back(best);
    }
    return found;
  }();
  return all;
}

// Bytes, and 0 after their end.
class reader {
 public:
  reader(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  std::uint8_t byte() { return empty() ? std::uint8_t(0) : *at_++; }
  int signed_byte() { return static_cast<std::int8_t>(byte()); }
  template <class U>
  U raw() {
    U result{};
    const std::size_t n = (std::min)(sizeof(U), static_cast<std::size_t>(end_ - at_));
    if (n > 0) std::memcpy(&result, at_, n);
    at_ += n;
    return result;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

// A code, and where that needs more, the bytes after it. `near` is an element of the same row or
// the partner in the other one.
template <class T>
T read_number(reader& in, T near) {
  using limits = std::numeric_limits<T>;
  const unsigned code = in.byte();
  const T steps = static_cast<T>(code >> 4);
  switch (code & 15) {
    case 0:
      return code >> 4 == 0 ? T(0) : -T(0) * steps;
    case 1:
      return (code & 16) != 0 ? -limits::infinity() : limits::infinity();
    case 2:
      return limits::quiet_NaN();
    case 3:
      return (code & 16) != 0 ? limits::lowest() : (limits::max)();
    case 4:
      return ((code & 128) != 0 ? -1 : 1) * (steps + 1) * limits::denorm_min();
    case 5:
      return ((code & 128) != 0 ? -1 : 1) * (steps + 1) * (limits::min)();
    case 6:
      return near;
    case 7: {
      const T to = (code & 128) != 0 ? limits::lowest() : (limits::max)();
      for (unsigned i = 0; i < 1 + (code >> 4 & 7); ++i) near = std::nextafter(near, to);
      return near;
    }
    case 8:
      return -near;
    case 9:
      return in.raw<T>();
    case 10:
      return static_cast<T>(in.signed_byte());
    case 11:
      return std::ldexp(static_cast<T>(in.signed_byte()),
                        (sizeof(T) == 4 ? 1 : 8) * in.signed_byte());
    case 12:
      return static_cast<T>(in.raw<std::int16_t>()) / 256;
    case 13:
      return near + static_cast<T>(in.signed_byte()) / 16;
    case 14:
      return -static_cast<T>(in.byte()) - steps / 16;  // down to where weights are subnormal, and 0
    default:
      return static_cast<T>(in.byte()) / 255;
  }
}

// Numbers that bounds are promised for: at most 1, but NaN and less than 0 are kept.
template <class T>
T as_probability(T x) {
  if (!(x > 1)) return x;
  return std::isinf(x) ? T(1) : 1 / x;
}

double read_temperature(reader& in) {
  static constexpr std::array values{0.7,
                                     1.3,
                                     0.01,
                                     100.0,
                                     0.0,
                                     -0.0,
                                     std::numeric_limits<double>::infinity(),
                                     5e-324,
                                     0x1p-149,
                                     1e-39,
                                     0x1p-126,
                                     1e38,
                                     0x1.fffffep127,
                                     (std::numeric_limits<double>::max)(),
                                     -1.0,
                                     -5e-324,
                                     std::numeric_limits<double>::quiet_NaN()};
  switch (const unsigned code = in.byte(); code & 7) {
    case 0:
    case 1:
    case 2:
      return 1;
    case 3:
      return values[(code >> 3) % values.size()];
    case 4: {
      const double digits = 1 + static_cast<double>(in.byte()) / 256;
      return std::ldexp(digits, 9 * in.signed_byte());
    }
    case 5:
      return in.raw<double>();
    default:
      return std::exp(static_cast<double>(in.signed_byte()) / 16);
  }
}

template <class T>
struct problem {
  std::size_t rows = 1;
  std::size_t columns = 0;  // without repeats
  unsigned long repeats = 1;
  std::size_t gap = 0;     // between rows
  std::size_t offset = 0;  // of the first element, from where the memory begins
  double temperature = 1;
  std::vector<std::vector<T>> first;  // different rows, which the matrix repeats
  std::vector<std::vector<T>> second;
  std::vector<label_type> labels;

  std::size_t row_length() const { return columns * repeats; }
};

template <class T>
problem<T> read_problem(const primitive<T>& f, reader in) {
  problem<T> result;
  const unsigned shape = in.byte();
  result.rows = 1 + in.byte() % 20;
  result.gap = shape & 3;
  result.offset = shape >> 2 & 3;
  const std::size_t different = 1 + (shape >> 4) % 3;
  const unsigned repeats = in.byte();
  result.temperature = read_temperature(in);
  const std::size_t label = in.byte();
  std::vector<T> x;
  std::vector<T> y;
  while (!in.empty() && x.size() < 300) {
    x.push_back(read_number<T>(in, x.empty() ? T(0) : x.back()));
    y.push_back(read_number<T>(in, x.back()));
    if (!f.first_is_logits()) x.back() = as_probability(x.back());
    if (!f.second_is_logits()) y.back() = as_probability(y.back());
  }
  const std::size_t n = result.columns = x.size();
  // Seldom, since it costs time: rows long enough to be cut into pieces.
  if (repeats >= 250 && n > 0) {
    result.repeats = static_cast<unsigned long>((repeats - 249) * 15000 / n + 1);
    result.rows = 1 + result.rows % 2;
  } else if (repeats >= 128) {
    result.repeats = repeats - 127;
  }
  for (std::size_t i = 0; i < different; ++i) {
    result.first.push_back(x);
    result.second.push_back(y);
    result.labels.push_back(label == 255   ? -1
                            : label == 254 ? static_cast<label_type>(result.row_length())
                                           : static_cast<label_type>(n == 0 ? 0 : (label + i) % n));
    if (n == 0) continue;
    std::rotate(x.begin(), x.begin() + 1, x.end());
    std::swap(x.front(), x[n / 2]);
    std::rotate(y.begin(), y.begin() + 1, y.end());
    std::swap(y.front(), y[n / 2]);
  }
  return result;
}

template <class T>
class matrix {
 public:
  matrix(const problem<T>& p)
      : size_(p.offset + p.rows * p.row_length() + (p.rows - 1) * p.gap),
        memory_(new T[size_]),
        view_(memory_.get() + p.offset, p.rows, p.row_length(), p.row_length() + p.gap) {
    std::fill_n(memory_.get(), size_, sentinel<T>);
  }
  matrix(const problem<T>& p, const std::vector<std::vector<T>>& rows) : matrix(p) {
    for (std::size_t i = 0; i < p.rows; ++i) {
      const std::vector<T>& row = rows[i % rows.size()];
      for (std::size_t j = 0; j < p.row_length(); ++j) view_.row(i)[j] = row[j % row.size()];
    }
  }

  const gibbs::matrix_view<T>& view() const { return view_; }
  std::span<T> row(std::size_t i) const { return view_.row(i); }
  std::span<const T> all() const { return {memory_.get(), size_}; }

  // Whether nothing but the rows was written.
  bool gaps_are_left() const {
    const std::size_t offset = static_cast<std::size_t>(view_.data() - memory_.get());
    const std::size_t pitch = view_.row_stride();
    for (std::size_t i = 0; i < size_; ++i) {
      const bool in_row = i >= offset && pitch > 0 && (i - offset) % pitch < view_.columns();
      if (!in_row && !same_bits(memory_[i], sentinel<T>)) return false;
    }
    return true;
  }

 private:
  std::size_t size_;
  std::unique_ptr<T[]> memory_;
  gibbs::matrix_view<T> view_;
};

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](T x, T y) { return gibbs_support::same_bits(x, y); });
}

template <class T>
class run {
 public:
  run(const primitive<T>& f, const problem<T>& p)
      : f_(f), p_(p), first_(p, p.first), second_(p, p.second) {
    for (std::size_t i = 0; i < p.rows; ++i) labels_.push_back(p.labels[i % p.labels.size()]);
  }

  void operator()() {
    if (is_refused()) {
      for (const auto* architecture : architectures()) {
        current = architecture;
        expect_error();
      }
      return;
    }
    reference<T> exact;
    for (std::size_t i = 0; i < (std::min)(p_.rows, p_.first.size()); ++i) {
      exact.assign({.first = p_.first[i],
                    .second = p_.second[i],
                    .label = p_.labels[i],
                    .temperature = f_.uses_temperature ? p_.temperature : 1},
                   p_.repeats);
      wanted_.push_back(exact(f_.id));
    }
    for (const auto* architecture : architectures()) {
      current = architecture;
      compare();
    }
  }

 private:
  bool is_refused() const {
    const auto size = static_cast<label_type>(p_.row_length());
    const bool label_outside = std::any_of(p_.labels.begin(), p_.labels.end(),
                                           [=](label_type l) { return l < 0 || l >= size; });
    return (f_.uses_temperature && !(p_.temperature >= 0)) || (f_.has_label() && label_outside);
  }

  matrix_arguments<T> arguments() const {
    return {.first = first_.view(),
            .second = second_.view(),
            .labels = labels_,
            .temperature = p_.temperature};
  }
  row_arguments<T> arguments(std::size_t row) const {
    return {.first = first_.row(row),
            .second = second_.row(row),
            .label = labels_[row],
            .temperature = p_.temperature};
  }

  void require(bool good, const std::string& what) const {
    if (good) return;
    std::fprintf(stderr, "wrong: %.*s %.*s on %s, %zu x %zu (%lu times), temperature %a: %s\n",
                 static_cast<int>(f_.name.size()), f_.name.data(), sizeof(T) == 4 ? 5 : 6,
                 sizeof(T) == 4 ? "float" : "double", current->name, p_.rows, p_.columns,
                 p_.repeats, p_.temperature, what.c_str());
    for (std::size_t j = 0; j < (std::min)(p_.columns, std::size_t(40)); ++j) {
      std::fprintf(stderr, "%zu: %a, %a\n", j, static_cast<double>(p_.first[0][j]),
                   static_cast<double>(p_.second[0][j]));
    }
    std::abort();
  }

  void expect_error() {
    const matrix<T> out(p_);
    std::vector<T> scalars(p_.rows, sentinel<T>);
    const std::vector<T> untouched = scalars;
    const std::string message =
        message_of([&] { f_.on_matrix(arguments(), {.rows = out.view(), .scalars = scalars}); });
    require(message.find(f_.function) != std::string::npos, "no error for bad arguments");
    require(same_bits<T>(scalars, untouched) && same_bits<T>(out.all(), matrix<T>(p_).all()),
            "written before an error");
  }

  void compare() {
    const matrix<T> out(p_);
    std::vector<T> scalars(p_.rows, sentinel<T>);
    f_.on_matrix(arguments(), {.rows = out.view(), .scalars = scalars});
    require(out.gaps_are_left(), "written between rows");
    if (!f_.writes_row()) {
      require(same_bits<T>(out.all(), matrix<T>(p_).all()), "written where nothing belongs");
    }
    for (std::size_t i = 0; i < p_.rows; ++i) {
      const std::size_t same = i % p_.first.size();
      if (i == same) {
        const verdict found = judge<T>(f_, wanted_[i], out.row(i), scalars[i]);
        require(found.good, text("row ", i, found.in_scalar ? "" : text(" element ", found.index),
                                 ": ", found.error, " ulp off, ", found.allowed, " allowed"));
        compare_with_single_row(i, out.row(i), scalars[i]);
      } else {
        require(!f_.writes_row() || same_bits<T>(out.row(i), out.row(same)),
                text("row ", i, " is not what its copy ", same, " is"));
        require(gibbs_support::same_bits(scalars[i], scalars[same]),
                text("result ", i, " is not what its copy ", same, " is"));
      }
    }
    if (f_.in_place()) {
      const matrix<T> both(p_, p_.first);
      auto in = arguments();
      in.first = both.view();
      f_.on_matrix(in, {.rows = both.view(), .scalars = scalars});
      require(same_bits<T>(both.all(), out.all()), "other results in place");
    }
  }

  void compare_with_single_row(std::size_t i, std::span<const T> row, T scalar) {
    const std::size_t n = f_.writes_row() ? row.size() : 0;
    const std::unique_ptr<T[]> memory(new T[n]);
    const T single = f_.on_row(arguments(i), {memory.get(), n});
    require(n == 0 || same_bits<T>({memory.get(), n}, row),
            text("row ", i, " is not what it is by itself"));
    require(!f_.gives_scalar() || gibbs_support::same_bits(single, scalar),
            text("result ", i, " is not what it is by itself"));
  }

  const primitive<T>& f_;
  const problem<T>& p_;
  matrix<T> first_;
  matrix<T> second_;
  std::vector<label_type> labels_;
  std::vector<row_reference<T>> wanted_;
};

template <class T>
void fuzz_as(std::string_view name, const reader& in) {
  for (const primitive<T>& f : primitives<T>()) {
    if (f.name != name) continue;
    const problem<T> p = read_problem(f, in);
    run<T>(f, p)();
    return;
  }
  std::fprintf(stderr, "no primitive has the name %.*s\n", static_cast<int>(name.size()),
               name.data());
  std::abort();
}

}  // namespace

void fuzz_primitive(std::string_view name, const std::uint8_t* data, std::size_t size) {
  reader in(data, size);
  if ((in.byte() & 1) == 0) {
    fuzz_as<float>(name, in);
  } else {
    fuzz_as<double>(name, in);
  }
}

}  // namespace gibbs_support

// In the place of the choice that is made once.
const gibbs::detail::dispatch_table& gibbs::detail::dispatched() noexcept {
  return *gibbs_support::current;
}
