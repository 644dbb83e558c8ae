// SPDX-License-Identifier: MIT
// The tool behind `./dev accuracy`: the worst error of each primitive on each family of rows,
// against MPFR, with the seed of the row it was found on, beside the error of scalar code with
// std::exp and std::log on the same rows. For the architecture that it was compiled for.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/kernels.hpp"
#include "support/survey.hpp"

// Other libraries, where the build defines which of them there are: see bench/peers.
#if defined(GIBBS_BENCH_EIGEN) || defined(GIBBS_BENCH_ONEDNN) || defined(GIBBS_BENCH_XNNPACK) || \
    defined(GIBBS_BENCH_TORCH)
#include "peers/peer.hpp"
#define GIBBS_ACCURACY_PEERS 1
#else
#define GIBBS_ACCURACY_PEERS 0
#endif

namespace {

using namespace gibbs_support;

constexpr char usage[] = R"(usage: accuracy [OPTION...]
  --quick              fewer rows
  --rows N             rows of each family (300); below 30 the kernels' inputs are fewer too
  --first-seed N       the first row's seed (1)
  --only TEXT          only what contains TEXT in "primitive type family"
  --row FAMILY SEED TYPE   print this one row and what each primitive makes of it
  --primitives         not the kernels
  --exhaustive         only the kernels, over every float of their domain (minutes)
  --json FILE          also write the table as JSON
)";

struct options {
  std::size_t rows = 300;
  std::uint64_t first_seed = 1;
  std::string only;
  bool exhaustive = false;
  bool kernels = true;
  std::string json;
  std::string row_family;
  std::uint64_t row_seed = 0;
  std::string row_type;
};

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "accuracy: %s\n%s", text.c_str(), usage);
  std::exit(2);
}

std::uint64_t integer(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail("not a number: " + std::string(text));
  }
  return value;
}

options parse(int argc, char** argv) {
  options result;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto value = [&]() -> std::string {
      if (++i >= argc) fail(std::string(name) + " needs a value");
      return argv[i];
    };
    if (name == "--quick") {
      result.rows = 60;
    } else if (name == "--rows") {
      result.rows = static_cast<std::size_t>(integer(value()));
    } else if (name == "--first-seed") {
      result.first_seed = integer(value());
    } else if (name == "--only") {
      result.only = value();
    } else if (name == "--primitives") {
      result.kernels = false;
    } else if (name == "--exhaustive") {
      result.exhaustive = true;
    } else if (name == "--json") {
      result.json = value();
    } else if (name == "--row") {
      result.row_family = value();
      result.row_seed = integer(value());
      result.row_type = value();
    } else if (name == "--help") {
      std::printf("%s", usage);
      std::exit(0);
    } else {
      fail("unknown option " + std::string(name));
    }
  }
  return result;
}

#if GIBBS_ACCURACY_PEERS
// They know no temperature.
template <class T, bench::peer (*Peer)()>
bool run_peer(const primitive<T>& f, const row_arguments<T>& in, std::span<T> out, T& scalar) {
  if (in.temperature != 1) return false;
  std::vector<T> result(in.first.size());
  const bench::problem<T> row{f.name,           1,         in.first.size(), in.first.data(),
                              in.second.data(), &in.label, result.data()};
  const bench::job job = Peer().prepare(row);
  if (!job) return false;
  job();
  std::copy_n(result.begin(), out.size(), out.begin());
  scalar = result[0];
  return f.output != output_kind::row_and_scalar;
}
#endif

template <class T>
std::span<const contender<T>> contenders() {
  static const std::vector<contender<T>> all{
      std_contender<T>,
#ifdef GIBBS_BENCH_EIGEN
      {"Eigen", run_peer<T, bench::eigen>},
#endif
#ifdef GIBBS_BENCH_TORCH
      {"PyTorch", run_peer<T, bench::torch>},
#endif
#ifdef GIBBS_BENCH_ONEDNN
      {"oneDNN", run_peer<T, bench::onednn>},
#endif
#ifdef GIBBS_BENCH_XNNPACK
      {"XNNPACK", run_peer<T, bench::xnnpack>},
#endif
  };
  return all;
}

struct line {
  std::string primitive;
  std::string type;
  std::string family;
  double bound = 0;
  finding found;
};

std::string shortest(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string title(std::string_view primitive, std::string_view type, std::string_view family) {
  return std::string(primitive) + " " + std::string(type) + " " + std::string(family);
}

template <class T>
bool is_wanted(const scenario<T>& from, std::string_view only) {
  const auto all = primitives<T>();
  return std::any_of(all.begin(), all.end(), [&](const primitive<T>& f) {
    return f.first_is_logits() == from.logits &&
           contains(title(f.name, type_name<T>(), from.name), only);
  });
}

// A line for each family, primitive by primitive.
template <class T>
std::vector<line> survey(const options& o) {
  surveyor<T> measure;
  std::vector<line> result;
  std::map<std::pair<primitive_id, std::string>, finding> cells;
  const auto all = scenarios<T>();
  for (const scenario<T>& from : all) {
    if (!is_wanted(from, o.only)) continue;
    for (std::uint64_t seed = o.first_seed; seed < o.first_seed + o.rows; ++seed) {
      measure.measure(from, seed, contenders<T>(),
                      [&](const primitive<T>& f, const finding& found) {
                        cells[{f.id, from.name}].add(found);
                      });
    }
  }
  for (const primitive<T>& f : primitives<T>()) {
    for (const scenario<T>& from : all) {
      const auto cell = cells.find({f.id, from.name});
      if (cell == cells.end()) continue;
      result.push_back(
          {std::string(f.name), std::string(type_name<T>()), from.name, f.bound, cell->second});
    }
  }
  return result;
}

// In one column: the error in ulp, or nothing where it was not measured.
std::string cell(double error) {
  char text[24];
  std::snprintf(text, sizeof text, "%12.4g", error);
  return error < 0 ? std::string(12, ' ') : text;
}

void print(const std::vector<line>& lines, std::string_view only) {
  const std::string architecture(architecture_name());
  const auto others = contenders<float>();
  std::string last;
  for (const line& x : lines) {
    if (!contains(title(x.primitive, x.type, x.family), only)) continue;
    if (x.primitive + x.type != last) {
      std::printf("\n%s, %s, %s: %g ulp promised\n  %-22s %10s %10s", x.primitive.c_str(),
                  x.type.c_str(), architecture.c_str(), x.bound, "family", "worst ulp", "allowed");
      for (const auto& other : others) std::printf(" %12s", std::string(other.name).c_str());
      std::printf("  %-6s %s\n", "seed", "length, temperature, place");
    }
    last = x.primitive + x.type;
    const verdict& w = x.found.worst;
    std::printf("  %-22s %10.4g %10.4g", x.family.c_str(), w.error, w.allowed);
    for (std::size_t i = 0; i < others.size(); ++i) {
      std::printf(" %s", cell(x.found.contender_error[i]).c_str());
    }
    std::printf("  %-6llu %zu, %.9g, %s", static_cast<unsigned long long>(x.found.seed),
                x.found.length, x.found.temperature,
                w.in_scalar ? "result" : ("[" + std::to_string(w.index) + "]").c_str());
    if (x.found.failed > 0) std::printf("  FAILED %zu of %zu", x.found.failed, x.found.rows);
    std::printf("\n");
  }
}

// The number of rows beyond the promised bounds.
std::size_t print_summary(const std::vector<line>& lines) {
  std::printf("\n%-38s %-7s %-10s %10s %10s %8s %8s\n", "over all families", "type", "arch",
              "worst ulp", "allowed", "rows", "failed");
  std::size_t failed = 0;
  for (std::size_t i = 0; i < lines.size();) {
    finding all;
    const line& first = lines[i];
    for (; i < lines.size() && lines[i].primitive == first.primitive && lines[i].type == first.type;
         ++i) {
      all.add(lines[i].found);
    }
    std::printf("%-38s %-7s %-10s %10.4g %10.4g %8zu %8zu\n", first.primitive.c_str(),
                first.type.c_str(), std::string(architecture_name()).c_str(), all.worst.error,
                all.worst.allowed, all.rows, all.failed);
    failed += all.failed;
  }
  std::printf("%zu rows beyond the promised bounds\n", failed);
  return failed;
}

void write_json(const std::vector<line>& lines, const std::string& path) {
  std::ofstream out(path);
  if (!out) fail("cannot write " + path);
  const auto number = [](double x) { return std::isfinite(x) ? shortest(x) : std::string("null"); };
  out << "[\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const line& x = lines[i];
    out << "  {\"architecture\": \"" << architecture_name() << "\", \"primitive\": \""
        << x.primitive << "\", \"type\": \"" << x.type << "\", \"family\": \"" << x.family
        << "\", \"worst_ulp\": " << number(x.found.worst.error)
        << ", \"allowed_ulp\": " << number(x.found.worst.allowed) << ", \"seed\": " << x.found.seed
        << ", \"length\": " << x.found.length
        << ", \"temperature\": " << number(x.found.temperature) << ", \"rows\": " << x.found.rows
        << ", \"failed\": " << x.found.failed;
    const auto others = contenders<float>();
    for (std::size_t k = 0; k < others.size(); ++k) {
      const double error = x.found.contender_error[k];
      if (error >= 0) out << ", \"" << others[k].name << "\": " << number(error);
    }
    out << "}" << (i + 1 < lines.size() ? "," : "") << "\n";
  }
  out << "]\n";
}

template <class T>
void print_numbers(const char* name, const std::vector<T>& values) {
  std::printf("%s = {", name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::printf("%s%a", i > 0 ? ", " : "", static_cast<double>(values[i]));
  }
  std::printf("}\n");
}

template <class T>
void print_row(const options& o) {
  for (const scenario<T>& from : scenarios<T>()) {
    if (from.name != o.row_family) continue;
    const survey_row<T> x = draw_survey_row(from, o.row_seed);
    print_numbers("first", x.first);
    print_numbers("second", x.second);
    print_numbers("target", x.target);
    std::printf("label = %lld, temperature = %a\n", static_cast<long long>(x.label), x.temperature);
    reference<T> exact_result;
    for (const primitive<T>& f : primitives<T>()) {
      if (f.first_is_logits() != from.logits) continue;
      const row_arguments<T> in = x.arguments(f);
      exact_result.assign(in);
      const row_reference<T>& wanted = exact_result(f.id);
      std::vector<T> out(f.writes_row() ? x.first.size() : 0);
      const T scalar = f.on_row(in, out);
      const verdict v = judge<T>(f, wanted, out, scalar);
      const bool in_scalar = v.in_scalar || !f.writes_row();
      const double got = static_cast<double>(in_scalar ? scalar : out[v.index]);
      const exact& right = in_scalar ? wanted.scalar : wanted.row[v.index];
      std::printf("%s: %.4g ulp (%g allowed) at %s %zu: got %.17g, exact %.17g\n", f.name.data(),
                  v.error, v.allowed, in_scalar ? "result" : "element", v.index, got,
                  right.to_double());
    }
    return;
  }
  fail("unknown family " + o.row_family);
}

// The kernels, every step-th float and so many doubles. False if one is beyond its bound.
bool print_kernels(std::uint32_t step, std::size_t doubles) {
  const std::string architecture(architecture_name());
  const kernel_bounds& bounds = step == 1 ? over_all_floats : over_samples;
  bool good = true;
  const auto print_one = [&](const char* name, const kernel_error& found, double bound,
                             const char* unit) {
    const bool in_bound = found.worst <= bound;
    std::printf("%-22s %-10s %8.5f %s at %a, %g allowed, %llu inputs%s\n", name,
                architecture.c_str(), found.worst, unit, found.at, bound,
                static_cast<unsigned long long>(found.count), in_bound ? "" : "  FAILED");
    good = good && in_bound;
  };
  print_one("2^r - 1, float", exp2_error_in_float(step), most_exp2_error<float>(bounds),
            "ulp of 1");
  print_one("2^r - 1, double", exp2_error_in_double(doubles), most_exp2_error<double>(bounds),
            "ulp of 1");
  const auto print_weights = [&](const char* name, auto type) {
    using T = decltype(type);
    using enum weight_form;
    const std::string of = std::string(", ") + name;
    print_one(("weight" + of).c_str(), weight_error<T, rounded>(doubles),
              most_weight_error<T, rounded>, "ulp");
    print_one(("to be added" + of).c_str(), weight_error<T, to_be_added>(doubles / 3),
              most_weight_error<T, to_be_added>, "ulp");
    print_one(("in parts" + of).c_str(), weight_error<T, in_parts>(doubles / 3),
              most_weight_error<T, in_parts>, "ulp");
  };
  print_weights("float", 0.0f);
  print_weights("double", 0.0);
  print_one("log(x), float", log_error_in_float(step), bounds.log, "ulp");
  print_one("log(x), double", log_error_in_double(doubles), bounds.log, "ulp");
  print_one("atanh series, float", series_error_in_float<series::atanh_tail>(step),
            bounds.atanh_tail, "ulp");
  print_one("atanh series, double", series_error_in_double<series::atanh_tail>(doubles),
            bounds.atanh_tail, "ulp");
  print_one("exp(-d)-1+d, float", series_error_in_float<series::exp_remainder>(step),
            bounds.exp_remainder, "ulp");
  print_one("exp(-d)-1+d, double", series_error_in_double<series::exp_remainder>(doubles),
            bounds.exp_remainder, "ulp");
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  const options o = parse(argc, argv);
  constexpr std::size_t most = 300'000;
  if (o.exhaustive) return print_kernels(1, most) ? 0 : 1;
  if (!o.row_family.empty()) {
    o.row_type == "double" ? print_row<double>(o) : print_row<float>(o);
    return 0;
  }
  std::vector<line> lines = survey<float>(o);
  for (line& x : survey<double>(o)) lines.push_back(std::move(x));
  print(lines, o.only);
  const bool rows_good = print_summary(lines) == 0;
  const std::size_t part = 30 / (std::clamp<std::size_t>)(o.rows, 1, 30);
  const bool kernels_good =
      !o.kernels || print_kernels(static_cast<std::uint32_t>(1009 * part) | 1, most / part);
  if (!o.json.empty()) write_json(lines, o.json);
  return rows_good && kernels_good ? 0 : 1;
}
