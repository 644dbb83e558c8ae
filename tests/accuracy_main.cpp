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

namespace {

using namespace gibbs_support;

constexpr char usage[] = R"(usage: accuracy [OPTION...]
  --quick              fewer rows
  --rows N             rows of each family (300)
  --first-seed N       the first row's seed (1)
  --only TEXT          only primitives, families and types whose name contains TEXT
  --row FAMILY SEED TYPE   print this one row and what each primitive makes of it
  --exhaustive         only the kernels, over every float of their domain (minutes)
  --json FILE          also write the table as JSON
)";

struct options {
  std::size_t rows = 300;
  std::uint64_t first_seed = 1;
  std::string only;
  bool exhaustive = false;
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
      result.rows = integer(value());
    } else if (name == "--first-seed") {
      result.first_seed = integer(value());
    } else if (name == "--only") {
      result.only = value();
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

// A line for each family, primitive by primitive.
template <class T>
std::vector<line> survey(const options& o) {
  surveyor<T> measure;
  std::vector<line> result;
  std::map<std::pair<primitive_id, std::string>, finding> cells;
  const auto all = scenarios<T>();
  for (const scenario<T>& from : all) {
    for (std::uint64_t seed = o.first_seed; seed < o.first_seed + o.rows; ++seed) {
      measure.measure(from, seed, true, [&](const primitive<T>& f, const finding& found) {
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

void print(const std::vector<line>& lines, std::string_view only) {
  const std::string architecture(architecture_name());
  std::string last;
  for (const line& x : lines) {
    if (!contains(x.primitive + " " + x.type + " " + x.family, only)) continue;
    if (x.primitive != last) {
      std::printf("\n%s, %s, %s: %g ulp promised\n", x.primitive.c_str(), x.type.c_str(),
                  architecture.c_str(), x.bound);
      std::printf("  %-22s %10s %10s  %-6s %12s  %s\n", "family", "worst ulp", "allowed", "seed",
                  "std:: ulp", "length, temperature, place");
    }
    last = x.primitive;
    const verdict& w = x.found.worst;
    std::printf("  %-22s %10.4g %10.4g  %-6llu %12.4g  %zu, %.9g, %s%s\n", x.family.c_str(),
                w.error, w.allowed, static_cast<unsigned long long>(x.found.seed),
                x.found.baseline_error, x.found.length, x.found.temperature,
                w.in_scalar ? "result" : ("[" + std::to_string(w.index) + "]").c_str(),
                x.found.failed ? ("  FAILED " + std::to_string(x.found.failed) + " of " +
                                  std::to_string(x.found.rows))
                                     .c_str()
                               : "");
  }
}

void print_summary(const std::vector<line>& lines) {
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
        << ", \"temperature\": " << number(x.found.temperature)
        << ", \"std_ulp\": " << number(x.found.baseline_error) << ", \"rows\": " << x.found.rows
        << ", \"failed\": " << x.found.failed << "}" << (i + 1 < lines.size() ? "," : "") << "\n";
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

// The kernels, every step-th float. False if one is beyond its bound.
bool print_kernels(std::uint32_t step) {
  const std::string architecture(architecture_name());
  bool good = true;
  const auto print_one = [&](const char* name, const kernel_error& found, double bound,
                             const char* unit) {
    const bool in_bound = found.worst <= bound;
    std::printf("%-22s %-10s %8.5f %s at %a, %g allowed, %llu inputs%s\n", name,
                architecture.c_str(), found.worst, unit, found.at, bound,
                static_cast<unsigned long long>(found.count), in_bound ? "" : "  FAILED");
    good = good && in_bound;
  };
  print_one("2^r - 1, float", exp2_error_in_float(step), exp2_kernel_bound, "ulp of 1");
  print_one("2^r - 1, double", exp2_error_in_double(300'000), exp2_kernel_bound, "ulp of 1");
  print_one("log(x), float", log_error_in_float(step), log_kernel_bound, "ulp");
  print_one("log(x), double", log_error_in_double(300'000), log_kernel_bound, "ulp");
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  const options o = parse(argc, argv);
  if (o.exhaustive) return print_kernels(1) ? 0 : 1;
  if (!o.row_family.empty()) {
    o.row_type == "double" ? print_row<double>(o) : print_row<float>(o);
    return 0;
  }
  std::vector<line> lines = survey<float>(o);
  for (line& x : survey<double>(o)) lines.push_back(std::move(x));
  print(lines, o.only);
  print_summary(lines);
  print_kernels(1009);
  if (!o.json.empty()) write_json(lines, o.json);
}
