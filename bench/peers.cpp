// SPDX-License-Identifier: MIT
// One table: every primitive beside the scalar code and the peers that were found, interleaved in
// one process on one core, with the share of the machine's limit that is reached and the errors.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "machine.hpp"
#include "peers/peer.hpp"
#include "reference.hpp"
#include "support/registry.hpp"
#include "timing.hpp"
#include "workload.hpp"

namespace {

using bench::shape;
using gibbs_support::primitive;
using gibbs_support::primitive_id;

struct settings {
  std::string filter;
  std::string json;
  bool errors = true;
  bool all_variants = false;
  std::size_t scan = 0;  // columns up to which neighbouring sizes are compared; 0: do not
  double seconds = 0.15;
};

enum class variant { warm, cold, unaligned, in_place };

constexpr std::string_view name_of(variant v) {
  switch (v) {
    case variant::warm:
      return "";
    case variant::cold:
      return "cold";
    case variant::unaligned:
      return "unaligned";
    case variant::in_place:
      return "in place";
  }
  return "";
}

// Multiplications and fused multiply-adds an element that the plain recipe needs at full precision:
// 2^r is a polynomial of degree 6 (double: 11) after a three-operation argument reduction, a
// logarithm is about as long. Additions, comparisons and integer work run in other pipes.
template <class T>
double multiply_add_operations(primitive_id id) {
  const double exponential = sizeof(T) == sizeof(float) ? 9 : 14;
  const double logarithm = sizeof(T) == sizeof(float) ? 9 : 14;
  switch (id) {
    case primitive_id::softmax:
    case primitive_id::softmax_with_log_sum_exp:
      return exponential + 1;
    case primitive_id::log_softmax:
      return exponential + 2;
    case primitive_id::log_sum_exp:
    case primitive_id::cross_entropy_of_label:
      return exponential;
    case primitive_id::cross_entropy_of_target:
    case primitive_id::entropy_from_logits:
      return exponential + 1;
    case primitive_id::entropy:
    case primitive_id::cross_entropy:
      return logarithm + 1;
    case primitive_id::kl_divergence:
      return logarithm + 2;
    case primitive_id::kl_divergence_from_logits:
      return 2 * exponential + 2;
  }
  return 0;
}

struct library_result {
  std::string name;
  bench::samples seconds;
  double ulp = std::numeric_limits<double>::quiet_NaN();
};

struct cell {
  std::string primitive, type, variant;
  shape dimensions;
  double elements = 0;
  double traffic = 0;                     // bytes
  double memory_limit = 0;                // seconds
  double compute_limit = 0;               // seconds
  double copy_bandwidth = 0;              // bytes a second
  std::vector<library_result> libraries;  // the first is gibbs, the second the scalar code

  double limit() const { return (std::max)(memory_limit, compute_limit); }
};

std::vector<bench::peer> all_peers() {
  std::vector<bench::peer> found;
#ifdef GIBBS_BENCH_XNNPACK
  found.push_back(bench::xnnpack());
#endif
#ifdef GIBBS_BENCH_ONEDNN
  found.push_back(bench::onednn());
#endif
#ifdef GIBBS_BENCH_EIGEN
  found.push_back(bench::eigen());
#endif
#ifdef GIBBS_BENCH_TORCH
  found.push_back(bench::torch());
#endif
  return found;
}

template <class T>
cell measure(const primitive<T>& f, bench::workload<T>& work, variant v,
             const std::vector<bench::peer>& peers, double multiply_adds, const settings& options) {
  const shape s = work.dimensions();
  const std::size_t bytes = work.elements() * sizeof(T);
  const T* const source = work.first(f);

  auto arguments = work.arguments(f);
  const auto results = work.results(f);
  bench::problem<T> problem{
      f.name, s.rows, s.columns, source, work.second(f), work.labels().data(), work.out()};
  if (v == variant::in_place) {
    // The input of the next call is the output of the last; probabilities are ordinary logits too.
    arguments.first = results.rows;
    problem.a = work.out();
    std::copy(source, source + work.elements(), work.out());
  }

  std::vector<bench::contestant> contestants;
  std::vector<std::string> names;
  const auto enter = [&](std::string_view name, bench::job run) {
    names.emplace_back(name);
    contestants.push_back({std::move(run)});
  };
  enter("gibbs", [&] { f.on_matrix(arguments, results); });
  enter("scalar", [&] { f.baseline_on_matrix(arguments, results); });
  for (const auto& peer : peers)
    if (auto run = peer.prepare(problem)) enter(peer.name, std::move(run));

  cell result;
  result.libraries.resize(contestants.size());
  for (std::size_t i = 0; i < contestants.size(); ++i) result.libraries[i].name = names[i];

  if (options.errors && bench::can_measure_error<T> && v == variant::warm) {
    const std::size_t rows = (std::min)(s.rows, (std::size_t{1} << 17) / s.columns + 1);
    const std::size_t kept = f.writes_row() ? rows * s.columns : rows;
    std::vector<std::vector<T>> outputs;
    for (const auto& c : contestants) {
      std::fill_n(work.out(), kept, std::numeric_limits<T>::quiet_NaN());
      c.run();
      outputs.emplace_back(work.out(), work.out() + kept);
    }
    const auto errors = bench::worst_errors(problem, rows, outputs);
    for (std::size_t i = 0; i < errors.size(); ++i) result.libraries[i].ulp = errors[i];
  }

  std::vector<T> copy_target_storage;
  T* copy_target = work.out();
  if (v == variant::in_place) {
    copy_target_storage.resize(work.elements());
    copy_target = copy_target_storage.data();
  }
  contestants.push_back({[=] { std::memcpy(copy_target, source, bytes); }});
  if (v == variant::cold)
    for (auto& c : contestants)
      c.before = [&] {
        bench::evict(problem.a, bytes);
        if (problem.b) bench::evict(problem.b, bytes);
        bench::evict(work.out(), bytes);
      };

  bench::timing_options timing;
  timing.total_seconds = options.seconds;
  auto times = bench::interleave(contestants, timing);
  const double copy_seconds = bench::median(times.back());
  for (std::size_t i = 0; i < result.libraries.size(); ++i)
    result.libraries[i].seconds = std::move(times[i]);

  result.primitive = f.name;
  result.type = gibbs_support::type_name<T>();
  result.variant = name_of(v);
  result.dimensions = s;
  result.elements = static_cast<double>(work.elements());
  result.traffic = static_cast<double>(bench::least_traffic(f, s));
  result.copy_bandwidth = 2 * static_cast<double>(bytes) / copy_seconds;
  result.memory_limit = result.traffic / result.copy_bandwidth;
  result.compute_limit = multiply_add_operations<T>(f.id) * result.elements / multiply_adds;
  return result;
}

std::string format_ulp(double ulp) {
  char text[32];
  if (std::isnan(ulp)) return "";
  if (std::isinf(ulp)) return "inf";
  std::snprintf(text, sizeof text, ulp < 99.95 ? "%.1f" : ulp < 1e6 ? "%.0f" : "%.0e", ulp);
  return text;
}

double spread_of(const bench::samples& s) {
  return (bench::quantile(s, 0.75) - bench::quantile(s, 0.25)) / bench::median(s);
}

void print_header(const std::vector<bench::peer>& peers) {
  std::printf("%-37s%-7s%-12s%-10s%7s%7s%7s%7s%8s  ", "primitive", "type", "shape", "variant",
              "ns/el", "GB/s", "limit", "spread", "ulp");
  std::printf("%7s %-7s", "scalar", "(ulp)");
  for (const auto& p : peers)
    std::printf("%8.*s %-7s", static_cast<int>(p.name.size()), p.name.data(), "(ulp)");
  std::printf("\n");
}

void print(const cell& c, const std::vector<bench::peer>& peers) {
  const auto& own = c.libraries[0];
  const double seconds = bench::median(own.seconds);
  std::printf("%-37s%-7s%-12s%-10s%7.3f%7.1f%6.0f%%%6.1f%%%8s  ", c.primitive.c_str(),
              c.type.c_str(), c.dimensions.name().c_str(), c.variant.c_str(),
              seconds / c.elements * 1e9, c.traffic / seconds * 1e-9, 100 * c.limit() / seconds,
              100 * spread_of(own.seconds), format_ulp(own.ulp).c_str());
  const auto print_other = [&](const library_result& other, int width) {
    std::printf("%*.2fx %-7s", width - 1, bench::paired_ratio(other.seconds, own.seconds),
                format_ulp(other.ulp).c_str());
  };
  print_other(c.libraries[1], 7);
  for (const auto& p : peers) {
    const auto found = std::find_if(c.libraries.begin(), c.libraries.end(),
                                    [&](const auto& l) { return l.name == p.name; });
    if (found == c.libraries.end()) {
      std::printf("%8s %-7s", "-", "");
    } else {
      print_other(*found, 8);
    }
  }
  std::printf("\n");
  std::fflush(stdout);
}

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

void write_json(std::ostream& out, const std::vector<cell>& cells, double float_rate,
                double double_rate) {
  out << "{\"context\": {\"processor\": " << quoted(bench::processor_name())
      << ", \"architecture\": " << quoted(gibbs_support::architecture_name())
      << ", \"compiler\": " << quoted(__VERSION__)
      << ", \"multiply_adds_per_second\": {\"float\": " << number(float_rate)
      << ", \"double\": " << number(double_rate) << "}},\n\"results\": [";
  const char* separator = "\n";
  for (const auto& c : cells) {
    const double scale = 1e9 / c.elements;
    const double own = bench::median(c.libraries[0].seconds);
    out << separator << "{\"primitive\": " << quoted(c.primitive)
        << ", \"type\": " << quoted(c.type) << ", \"rows\": " << c.dimensions.rows
        << ", \"columns\": " << c.dimensions.columns
        << ", \"variant\": " << quoted(c.variant.empty() ? "warm" : c.variant)
        << ", \"limit_ns_per_element\": " << number(c.limit() * scale)
        << ", \"limited_by\": " << quoted(c.memory_limit > c.compute_limit ? "memory" : "compute")
        << ", \"percent_of_limit\": " << number(100 * c.limit() / own)
        << ", \"gigabytes_per_second\": " << number(c.traffic / own * 1e-9)
        << ", \"copy_gigabytes_per_second\": " << number(c.copy_bandwidth * 1e-9)
        << ",\n  \"libraries\": [";
    const char* comma = "";
    for (const auto& l : c.libraries) {
      out << comma << "{\"name\": " << quoted(l.name)
          << ", \"ns_per_element\": " << number(bench::median(l.seconds) * scale)
          << ", \"fastest\": " << number(bench::fastest(l.seconds) * scale) << ", \"quartiles\": ["
          << number(bench::quantile(l.seconds, 0.25) * scale) << ", "
          << number(bench::quantile(l.seconds, 0.75) * scale)
          << "], \"rounds\": " << l.seconds.size()
          << ", \"times_gibbs\": " << number(bench::paired_ratio(l.seconds, c.libraries[0].seconds))
          << ", \"worst_ulp\": " << number(l.ulp) << "}";
      comma = ",\n    ";
    }
    out << "]}";
    separator = ",\n";
  }
  out << "\n]}\n";
}

// Time an element of each number of columns from 1 on: where it jumps from one to the next, and
// where the scalar code is faster.
template <class T>
void scan(const settings& options) {
  const std::regex filter(options.filter);
  std::vector<const primitive<T>*> chosen;
  for (const auto& f : gibbs_support::primitives<T>()) {
    const auto name = std::string(f.name) + "/" + std::string(gibbs_support::type_name<T>());
    if (std::regex_search(name, filter)) chosen.push_back(&f);
  }
  bench::timing_options timing;
  timing.sample_seconds = 40e-6;
  timing.total_seconds = 1.5e-3;
  timing.least_rounds = 7;
  struct times {
    double gibbs, scalar;
  };
  std::vector<std::vector<times>> found(chosen.size());
  for (std::size_t columns = 1; columns <= options.scan; ++columns) {
    const std::size_t rows = std::clamp<std::size_t>((1 << 14) / columns, 1, 2048);
    bench::workload<T> work({rows, columns});
    const double elements = static_cast<double>(work.elements());
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const auto in = work.arguments(*chosen[i]);
      const auto out = work.results(*chosen[i]);
      const bench::contestant both[] = {{[&] { chosen[i]->on_matrix(in, out); }},
                                        {[&] { chosen[i]->baseline_on_matrix(in, out); }}};
      const auto seconds = bench::interleave(both, timing);
      found[i].push_back({bench::fastest(seconds[0]) / elements * 1e9,
                          bench::fastest(seconds[1]) / elements * 1e9});
    }
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    std::printf("%s/%s: ns an element at 1, 2, ... columns\n", std::string(chosen[i]->name).c_str(),
                std::string(gibbs_support::type_name<T>()).c_str());
    for (std::size_t n = 0; n < found[i].size(); ++n)
      std::printf("%s%6.2f", n % 16 == 0 ? (n == 0 ? "" : "\n") : " ", found[i][n].gibbs);
    std::printf("\n");
    for (std::size_t n = 0; n < found[i].size(); ++n) {
      const auto [own, scalar] = found[i][n];
      if (scalar < 0.97 * own)
        std::printf("  %zu columns: scalar code takes %.2f, gibbs %.2f\n", n + 1, scalar, own);
      if (n == 0) continue;
      const double before = found[i][n - 1].gibbs;
      if ((std::max)(own / before, before / own) > 1.3)
        std::printf("  %zu to %zu columns: %.2f to %.2f, a factor of %.2f\n", n, n + 1, before, own,
                    own / before);
    }
    std::fflush(stdout);
  }
}

class suite {
 public:
  explicit suite(settings options)
      : options_(std::move(options)),
        filter_(options_.filter),
        float_rate_(bench::multiply_add_throughput<float>()),
        double_rate_(bench::multiply_add_throughput<double>()) {}

  void run() {
    std::printf("%s, %s, compiler %s\n", bench::processor_name().c_str(),
                std::string(gibbs_support::architecture_name()).c_str(), __VERSION__);
    std::printf("multiply-add pipes: %.1f (float) and %.1f (double) elements a nanosecond\n\n",
                float_rate_ * 1e-9, double_rate_ * 1e-9);
    print_header(peers_);
    run_type<float>(float_rate_);
    run_type<double>(double_rate_);
    print_footer();
    if (options_.json.empty()) return;
    std::ofstream file(options_.json);
    write_json(file, cells_, float_rate_, double_rate_);
    if (!file) {
      std::fprintf(stderr, "cannot write %s\n", options_.json.c_str());
      std::exit(1);
    }
  }

 private:
  template <class T>
  void run_type(double multiply_adds) {
    // Shape outermost: one workload at a time is in memory. Rows are printed in that order too.
    for (const auto& s : bench::shapes)
      for (const auto v : {variant::warm, variant::cold, variant::unaligned, variant::in_place}) {
        std::unique_ptr<bench::workload<T>> work;
        for (const auto& f : gibbs_support::primitives<T>()) {
          if (!wanted(f, s, v)) continue;
          if (!work)
            work = std::make_unique<bench::workload<T>>(s, v == variant::unaligned ? 1 : 0);
          cells_.push_back(measure(f, *work, v, peers_, multiply_adds, options_));
          print(cells_.back(), peers_);
        }
      }
  }

  template <class T>
  bool wanted(const primitive<T>& f, const shape& s, variant v) const {
    if (v == variant::in_place && f.output != gibbs_support::output_kind::row) return false;
    const bool main_cell = (s.columns == 10 || s.columns == 1000 || s.columns == 128256) &&
                           (f.id == primitive_id::softmax || f.id == primitive_id::log_sum_exp ||
                            f.id == primitive_id::kl_divergence);
    if (v != variant::warm && !main_cell && !options_.all_variants) return false;
    std::string name =
        std::string(f.name) + "/" + std::string(gibbs_support::type_name<T>()) + "/" + s.name();
    if (v != variant::warm) name += "/" + std::string(name_of(v));
    return std::regex_search(name, filter_);
  }

  void print_footer() const {
    std::printf(
        "\nns/el   median nanoseconds an element; spread is the distance of its quartiles\n"
        "GB/s    each input and output counted once\n"
        "limit   share of what the machine allows: the larger of that traffic at the speed of "
        "memcpy\n"
        "        (same size, same rounds) and the multiply-adds of the plain recipe at full rate\n"
        "x       time of the other over time of gibbs, median over rounds; above 1, gibbs is "
        "faster\n"
        "ulp     worst error, in units in the last place of the exact result (log_sum_exp: of the\n"
        "        larger of the maximum and the log of the scaled sum)\n");
    std::size_t slower = 0;
    for (const auto& c : cells_) {
      const library_result* best = nullptr;
      double best_ratio = 0.98;  // less than that is noise
      for (std::size_t i = 1; i < c.libraries.size(); ++i) {
        const double ratio = bench::paired_ratio(c.libraries[i].seconds, c.libraries[0].seconds);
        if (ratio >= best_ratio) continue;
        best = &c.libraries[i];
        best_ratio = ratio;
      }
      if (!best) continue;
      if (slower++ == 0) std::printf("\nwhere another is faster:\n");
      std::printf("  %s %s %s %s: %s by %.2fx\n", c.primitive.c_str(), c.type.c_str(),
                  c.dimensions.name().c_str(), c.variant.c_str(), best->name.c_str(),
                  1 / best_ratio);
    }
    if (slower == 0 && !cells_.empty()) std::printf("\nno other is faster in any cell above\n");
  }

  settings options_;
  std::regex filter_;
  double float_rate_;
  double double_rate_;
  std::vector<bench::peer> peers_ = all_peers();
  std::vector<cell> cells_;
};

constexpr const char* usage =
    "usage: bench_peers [[--filter] REGEX] [--json FILE] [--seconds S] [--all-variants] "
    "[--no-errors]\n"
    "  --filter REGEX   cells whose name matches, e.g. softmax/float/4096x10 or ^softmax/.*cold\n"
    "  --json FILE      write everything that was measured there too\n"
    "  --seconds S      time for each cell (default 0.15)\n"
    "  --all-variants   cold, unaligned and in-place runs of every cell, not of the main ones "
    "only\n"
    "  --scan [N]       instead of the table: time an element at 1 to N columns (160), jumps "
    "between\n"
    "                   neighbours of more than 1.3, and where the scalar code is faster\n"
    "  --no-errors      leave out the errors: the slow part of large rows\n";

settings parse(int argc, char** argv) {
  settings result;
  for (int i = 1; i < argc; ++i) {
    std::string key = argv[i];
    if (key.empty()) continue;
    std::string value;
    const auto equals = key.find('=');
    const bool joined = equals != std::string::npos;
    if (joined) {
      value = key.substr(equals + 1);
      key.resize(equals);
    }
    const auto take_value = [&] {
      if (joined) return value;
      if (i + 1 < argc) return std::string(argv[++i]);
      std::fprintf(stderr, "%s needs a value\n%s", key.c_str(), usage);
      std::exit(2);
    };
    if (key == "--filter") {
      result.filter = take_value();
    } else if (key == "--json") {
      result.json = take_value();
    } else if (key == "--seconds") {
      result.seconds = std::strtod(take_value().c_str(), nullptr);
    } else if (key == "--scan") {
      const bool number_follows =
          i + 1 < argc && std::isdigit(static_cast<unsigned char>(argv[i + 1][0]));
      const std::string most = joined || number_follows ? take_value() : "160";
      result.scan = static_cast<std::size_t>(std::strtoul(most.c_str(), nullptr, 10));
    } else if (key == "--all-variants") {
      result.all_variants = true;
    } else if (key == "--no-errors") {
      result.errors = false;
    } else if (key == "--help") {
      std::printf("%s", usage);
      std::exit(0);
    } else if (key.front() != '-' && !joined) {
      result.filter = key;
    } else {
      std::fprintf(stderr, "unknown argument %s\n%s", argv[i], usage);
      std::exit(2);
    }
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const settings options = parse(argc, argv);
    if (options.scan == 0) {
      suite(options).run();
    } else {
      scan<float>(options);
      scan<double>(options);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
