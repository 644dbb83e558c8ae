// SPDX-License-Identifier: MIT
// Faults that this file catches: one byte read or written before the beginning or after the end of
// any array, by a full vector at the tail, by a prefetching load, by a store that is masked
// afterwards, by a batch of rows that takes the gap after the last row for granted. Every array
// ends (or begins) at a page that must not be touched. And more stack than the README promises.
// Where there is no mmap, it tests nothing.
#include <doctest/doctest.h>

#if __has_include(<sys/mman.h>)

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <span>
#include <vector>

#include "support/check.hpp"
#include "support/sample.hpp"

namespace {

using namespace gibbs_support;

// What is being called, for the handler below.
char running[256];

extern "C" void report_and_die(int signal_number) {
  const char head[] = "\ntouched a guard page: ";
  [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, head, sizeof head - 1);
  ignored = write(STDERR_FILENO, running, std::strlen(running));
  ignored = write(STDERR_FILENO, "\n", 1);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

class crash_report {
 public:
  crash_report() {
    struct sigaction action = {};
    action.sa_handler = report_and_die;
    sigaction(SIGSEGV, &action, &segv_);
    sigaction(SIGBUS, &action, &bus_);
  }
  ~crash_report() {
    sigaction(SIGSEGV, &segv_, nullptr);
    sigaction(SIGBUS, &bus_, nullptr);
  }
  crash_report(const crash_report&) = delete;
  crash_report& operator=(const crash_report&) = delete;

 private:
  struct sigaction segv_ = {};
  struct sigaction bus_ = {};
};

enum class edge { end, beginning };

constexpr const char* name(edge where) { return where == edge::end ? "end" : "beginning"; }

// Pages between two that can be neither read nor written.
class guarded {
 public:
  explicit guarded(std::size_t bytes) : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    usable_ = (bytes + page_ - 1) / page_ * page_;
    void* memory =
        mmap(nullptr, usable_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    base_ = static_cast<std::byte*>(memory);
    REQUIRE(mprotect(base_ + page_, usable_, PROT_READ | PROT_WRITE) == 0);
  }
  ~guarded() { munmap(base_, usable_ + 2 * page_); }
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;

  template <class T>
  T* place(std::size_t n, edge where) {
    std::byte* const first = base_ + page_;
    return reinterpret_cast<T*>(where == edge::end ? first + usable_ - n * sizeof(T) : first);
  }

  template <class T>
  std::span<T> copy(const std::vector<T>& values, edge where) {
    T* const to = place<T>(values.size(), where);
    std::copy(values.begin(), values.end(), to);
    return {to, values.size()};
  }

 private:
  std::size_t page_;
  std::size_t usable_ = 0;
  std::byte* base_ = nullptr;
};

constexpr edge edges[] = {edge::end, edge::beginning};

// What is not optimised, or has red zones around its variables, takes more.
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool stack_is_as_promised = false;
#elif defined(__has_feature)
constexpr bool stack_is_as_promised =
    !__has_feature(address_sanitizer) && !__has_feature(memory_sanitizer) &&
    !__has_feature(thread_sanitizer) && !__has_feature(undefined_behavior_sanitizer);
#else
constexpr bool stack_is_as_promised = true;
#endif

constexpr std::size_t stack_size = std::size_t(1) << 18;

// The bytes of stack that f uses: a thread with this memory as its stack calls it, and then that is
// looked through for what has been written.
template <class F>
std::size_t stack_used_by(guarded& memory, F f) {
  constexpr std::byte paint{0xa5};
  std::byte* const base = memory.place<std::byte>(stack_size, edge::beginning);
  std::fill_n(base, stack_size, paint);
  struct job {
    F& f;
    const std::byte* top;
    static void* call(void* self) {
      job& of = *static_cast<job*>(self);
      std::byte here{};
      of.top = &here;
      of.f();
      return nullptr;
    }
  } of_thread{f, nullptr};
  pthread_attr_t attributes;
  pthread_t thread;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstack(&attributes, base, stack_size) == 0);
  REQUIRE(pthread_create(&thread, &attributes, job::call, &of_thread) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  pthread_attr_destroy(&attributes);
  return static_cast<std::size_t>(
      of_thread.top -
      std::find_if(base, base + stack_size, [](std::byte b) { return b != paint; }));
}

}  // namespace

TEST_CASE_TEMPLATE("single rows at unreadable pages", T, float, double) {
  const crash_report report;
  // Of more registers only some.
  std::vector<std::size_t> lengths{81, 129, 161};
  for (std::size_t n = 0; n <= 4 * widest_vector<T> + 3; ++n) lengths.push_back(n);
  const std::size_t longest = 161;
  guarded first_memory(longest * sizeof(T));
  guarded second_memory(longest * sizeof(T));
  guarded out_memory(longest * sizeof(T));
  fault_log log;

  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t n : lengths) {
      if (n == 0 && !allows_empty(f)) continue;
      random_source random(n);
      const sample<T> x = draw_ordinary(f, random, n);
      std::vector<T> expected(f.writes_row() ? n : 0);
      const T expected_scalar = f.on_row(x.arguments(), expected);
      for (edge in_edge : edges) {
        for (edge out_edge : edges) {
          std::snprintf(running, sizeof running,
                        "%s %s, length %zu, input at the %s, output at the %s", f.name.data(),
                        type_name<T>().data(), n, name(in_edge), name(out_edge));
          const row_arguments<T> in{first_memory.copy(x.first, in_edge),
                                    second_memory.copy(x.second, in_edge), x.label, x.temperature};
          const std::span<T> out(out_memory.place<T>(n, out_edge), f.writes_row() ? n : 0);
          const T scalar = f.on_row(in, out);
          log.expect(same_bits(scalar, expected_scalar) &&
                         std::equal(out.begin(), out.end(), expected.begin(), same_bits<T>),
                     running, ": other result than elsewhere in memory");
          if (!f.in_place()) continue;
          const std::span<T> row = first_memory.copy(x.first, in_edge);
          std::strncat(running, " (in place)", sizeof running - std::strlen(running) - 1);
          f.on_row({.first = row, .temperature = x.temperature}, row);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("matrices at unreadable pages", T, float, double) {
  const crash_report report;
  std::vector<std::size_t> widths{81, 129, 161};
  for (std::size_t n = 0; n <= 2 * widest_vector<T> + 3; ++n) widths.push_back(n);
  const std::size_t widest = 161;
  const std::size_t most_rows = 2 * widest_vector<T> + 1;
  const std::size_t most = most_rows * (widest + 1);
  guarded first_memory(most * sizeof(T));
  guarded second_memory(most * sizeof(T));
  guarded out_memory(most * sizeof(T));
  guarded label_memory(most_rows * sizeof(label_type));
  guarded result_memory(most_rows * sizeof(T));
  fault_log log;

  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t columns : widths) {
      if (columns == 0 && !allows_empty(f)) continue;
      for (std::size_t rows : sizes{1, 2, 3, 7, most_rows}) {
        for (std::size_t gap : sizes{0, 1}) {
          const std::size_t stride = columns + gap;
          // The last row ends at the guard page: nothing of a gap follows it.
          const std::size_t n = (rows - 1) * stride + columns;
          random_source random(columns + rows);
          const sample<T> x = draw_ordinary(f, random, n);
          std::vector<label_type> labels(rows);
          for (label_type& label : labels) {
            label = static_cast<label_type>(random.below((std::max)(columns, std::size_t(1))));
          }
          for (edge where : edges) {
            std::snprintf(running, sizeof running, "%s %s, %zu x %zu, stride %zu, at the %s",
                          f.name.data(), type_name<T>().data(), rows, columns, stride, name(where));
            const std::span<T> first = first_memory.copy(x.first, where);
            const std::span<T> second = second_memory.copy(x.second, where);
            const matrix_arguments<T> in{
                gibbs::matrix_view<const T>(first.data(), rows, columns, stride),
                gibbs::matrix_view<const T>(second.data(), rows, columns, stride),
                label_memory.copy(labels, where), x.temperature};
            const gibbs::matrix_view<T> out(out_memory.place<T>(n, where), rows, columns, stride);
            const std::span<T> scalars(result_memory.place<T>(rows, where), rows);
            f.on_matrix(in, {out, scalars});
            const std::size_t last = rows - 1;
            std::vector<T> row(f.writes_row() ? columns : 0);
            const T scalar = f.on_row({in.first.row(last), in.second.row(last), labels[last]}, row);
            log.expect((!f.gives_scalar() || same_bits(scalar, scalars[last])) &&
                           std::equal(row.begin(), row.end(), out.row(last).begin(), same_bits<T>),
                       running, ": the last row differs from a single row");
            if (!f.in_place()) continue;
            std::strncat(running, " (in place)", sizeof running - std::strlen(running) - 1);
            f.on_matrix(in, {gibbs::matrix_view<T>(first.data(), rows, columns, stride), scalars});
          }
        }
      }
    }
  }
}

// Rows long enough for whatever is done to long rows: blocks, prefetching, stores past the cache.
TEST_CASE_TEMPLATE("long rows at unreadable pages", T, float, double) {
  const crash_report report;
  const std::size_t longest = (std::size_t(1) << 20) + 3;
  guarded first_memory(longest * sizeof(T));
  guarded second_memory(longest * sizeof(T));
  guarded out_memory(longest * sizeof(T));
  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t n : sizes{1000, 4099, 65537, longest}) {
      random_source random(n);
      const sample<T> x = draw_ordinary(f, random, n);
      for (edge where : edges) {
        std::snprintf(running, sizeof running, "%s %s, length %zu, at the %s", f.name.data(),
                      type_name<T>().data(), n, name(where));
        const row_arguments<T> in{first_memory.copy(x.first, where),
                                  second_memory.copy(x.second, where), x.label, x.temperature};
        f.on_row(in, {out_memory.place<T>(n, where), f.writes_row() ? n : 0});
      }
    }
  }
  CHECK(true);
}

TEST_CASE_TEMPLATE("no more stack than promised", T, float, double) {
  constexpr std::size_t promised = 100 * 1024;
  if (!stack_is_as_promised) return;
  guarded memory(stack_size);
  fault_log log;
  for (const primitive<T>& f : primitives<T>()) {
    for (std::size_t columns : sizes{1, 3, 16, 40, 64, 100, 160, 256, 1000, 40000}) {
      const std::size_t most_rows = columns > 1000 ? 1 : columns > 256 ? 18 : 70;
      random_source random(columns);
      const sample<T> x = draw_ordinary(f, random, most_rows * columns);
      std::vector<T> out(most_rows * columns);
      for (std::size_t rows : sizes{1, 2, 3, 18, 66, 70}) {
        if (rows > most_rows) continue;
        const std::vector<label_type> labels(rows);
        std::vector<T> scalars(rows);
        for (double t : {1.0, 1e-30}) {  // and for what is not plain
          const matrix_arguments<T> in{gibbs::matrix_view<const T>(x.first.data(), rows, columns),
                                       gibbs::matrix_view<const T>(x.second.data(), rows, columns),
                                       labels, t};
          const std::size_t used = stack_used_by(memory, [&] {
            f.on_matrix(in, {gibbs::matrix_view<T>(out.data(), rows, columns), scalars});
          });
          log.expect(used < promised, f.name, " ", type_name<T>(), ", ", rows, " x ", columns, ": ",
                     used, " bytes of stack");
        }
      }
    }
  }
}

#endif  // __has_include(<sys/mman.h>)
