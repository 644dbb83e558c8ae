// SPDX-License-Identifier: MIT
// Faults that this file catches: those that other libraries had. Each line of data/cases.jsonl is
// an input on which one of them was wrong, with the right result from outside of this library, a
// tolerance, where it was reported, and why it went wrong. Where the right answer is a matter of
// policy ("policy" in the data), the library's contract decides, see policy_result().
#include <doctest/doctest.h>

#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <gibbs/instantiate.hpp>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/check.hpp"

namespace {

using gibbs_support::same_bits;
using nlohmann::json;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double number(const json& value) {
  const std::string text = value.get<std::string>();
  if (text == "true") return 1;
  if (text == "false") return 0;
  char* end = nullptr;
  const double result = std::strtod(text.c_str(), &end);
  REQUIRE_MESSAGE(end == text.c_str() + text.size(), "not a number: " << text);
  return result;
}

// A list of numbers, or a generator of one.
std::vector<double> numbers(const json& value) {
  std::vector<double> result;
  if (value.is_array()) {
    for (const json& element : value) result.push_back(number(element));
  } else if (value.at("gen") == "constant") {
    result.assign(static_cast<std::size_t>(number(value.at("n"))), number(value.at("value")));
  } else if (value.at("gen") == "iota1_then") {
    const double n = number(value.at("n"));
    for (double i = 1; i <= n; ++i) result.push_back(i);
    result.push_back(number(value.at("dup")));
  } else {
    FAIL("unknown generator");
  }
  return result;
}

template <class T>
std::vector<T> numbers_as(const json& value) {
  std::vector<T> result;
  for (double x : numbers(value)) result.push_back(static_cast<T>(x));
  return result;
}

// What a case gives: numbers, or the library's message.
struct outcome {
  std::vector<double> values;
  std::optional<std::string> error;
};

template <class F>
outcome run(F f) {
  try {
    return {f(), std::nullopt};
  } catch (const std::invalid_argument& e) {
    return {{}, e.what()};
  }
}

template <class T>
std::vector<double> widened(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

gibbs::logit_options options_of(const json& params) {
  return {.temperature = params.contains("temperature") ? number(params["temperature"]) : 1};
}

// Masks are logits of -infinity.
template <class T>
std::vector<T> logits_of(const json& input) {
  std::vector<T> x = numbers_as<T>(input.at("x"));
  if (input.contains("mask")) {
    const std::vector<double> mask = numbers(input["mask"]);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (mask[i] == 0) x[i] = -std::numeric_limits<T>::infinity();
    }
  }
  return x;
}

// Runs f(in, out) out of place and in place; the caller compares both.
template <class T, class F>
std::vector<outcome> run_map(const std::vector<T>& x, F f) {
  return {run([&] {
            std::vector<T> out(x.size());
            f(x, out);
            return widened(out);
          }),
          run([&] {
            std::vector<T> row = x;
            f(row, row);
            return widened(row);
          })};
}

template <class T>
std::vector<outcome> run_softmax(const json& c) {
  const gibbs::logit_options options = options_of(c.at("params"));
  return run_map(logits_of<T>(c.at("input")),
                 [&](const auto& x, auto& out) { gibbs::softmax(x, out, options); });
}

template <class T>
std::vector<outcome> run_log_softmax(const json& c) {
  const gibbs::logit_options options = options_of(c.at("params"));
  return run_map(logits_of<T>(c.at("input")),
                 [&](const auto& x, auto& out) { gibbs::log_softmax(x, out, options); });
}

template <class T>
std::vector<outcome> run_log_sum_exp(const json& c) {
  const std::vector<T> x = logits_of<T>(c.at("input"));
  const gibbs::logit_options options = options_of(c.at("params"));
  std::vector<T> out(x.size());
  return {run([&] { return std::vector<double>{gibbs::log_sum_exp(x, options)}; }), run([&] {
            return std::vector<double>{gibbs::softmax_with_log_sum_exp(x, out, options)};
          })};
}

template <class T>
T in_base(T nats, const json& params) {
  return params.contains("base") && params["base"] == "2" ? gibbs::to_bits(nats) : nats;
}

template <class T>
std::vector<outcome> run_entropy(const json& c) {
  const json& params = c.at("params");
  if (params.at("space") == "logits") {
    const std::vector<T> x = numbers_as<T>(c.at("input").at("logits"));
    return {run([&] {
      return std::vector<double>{
          in_base(gibbs::entropy_from_logits(x, options_of(params)), params)};
    })};
  }
  const std::vector<T> p = numbers_as<T>(c.at("input").at("p"));
  return {run([&] { return std::vector<double>{in_base(gibbs::entropy(p), params)}; })};
}

// Reductions over rows are the caller's: the mean is taken here.
template <class T>
std::vector<outcome> run_cross_entropy(const json& c) {
  const json& input = c.at("input");
  const std::size_t rows = input.at("logits").size();
  std::vector<T> logits;
  for (const json& row : input["logits"]) {
    for (T x : numbers_as<T>(row)) logits.push_back(x);
  }
  const gibbs::matrix_view<const T> x(logits.data(), rows, logits.size() / rows);
  std::vector<T> losses(rows);
  outcome result = run([&] {
    if (input.contains("target")) {
      const auto labels = numbers_as<std::int64_t>(input["target"]);
      gibbs::cross_entropy_from_logits(x, labels, losses);
    } else {
      std::vector<T> target;
      for (const json& row : input.at("target_prob")) {
        for (T p : numbers_as<T>(row)) target.push_back(p);
      }
      gibbs::cross_entropy_from_logits(
          x, gibbs::matrix_view<const T>(target.data(), rows, x.columns()), losses);
    }
    return widened(losses);
  });
  if (!result.error && c.at("params").at("reduction") == "mean") {
    double sum = 0;
    for (double loss : result.values) sum += loss;
    result.values = {sum / static_cast<double>(rows)};
  }
  return {result};
}

template <class T>
std::vector<outcome> run_kl(const json& c) {
  const json& input = c.at("input");
  if (c.at("params").at("space") == "log") {
    const std::vector<T> p = numbers_as<T>(input.at("log_p"));
    const std::vector<T> q = numbers_as<T>(input.at("log_q"));
    return {run([&] { return std::vector<double>{gibbs::kl_divergence_from_logits(p, q)}; })};
  }
  const std::vector<T> p = numbers_as<T>(input.at("p"));
  const std::vector<T> q = numbers_as<T>(input.at("q"));
  return {run([&] { return std::vector<double>{gibbs::kl_divergence(p, q)}; })};
}

template <class T>
std::vector<outcome> run_find_duplicate(const json& c) {
  const std::vector<T> values = numbers_as<T>(c.at("input").at("a"));
  const std::vector<T> before = values;
  std::vector<outcome> result;
  for (auto method : {gibbs::duplicate_method::automatic, gibbs::duplicate_method::counting,
                      gibbs::duplicate_method::floyd, gibbs::duplicate_method::brent}) {
    // A chase does not see what is off its path.
    const bool chase =
        method == gibbs::duplicate_method::floyd || method == gibbs::duplicate_method::brent;
    if (chase && c.at("id") == "FD-OOR-3") continue;
    result.push_back(run([&] {
      return std::vector<double>{static_cast<double>(gibbs::find_duplicate(values, method))};
    }));
  }
  CHECK(values == before);
  return result;
}

// Cases about the instructions underneath, as far as a primitive shows them.
template <class T>
std::vector<outcome> run_simd(const json& c) {
  const std::string id = c.at("id");
  const std::vector<T> x = numbers_as<T>(c.at("input").at("x"));
  if (id == "SIMD-EXP-LO") {  // exp(x) = softmax({0, x})[1] where exp(x) is tiny
    std::vector<double> values;
    for (T v : x) {
      std::vector<T> row{0, v};
      gibbs::softmax(row, row);
      values.push_back(row[1]);
    }
    return {{values, std::nullopt}};
  }
  if (id == "SIMD-LOG-SUBN") {  // -log(x) = cross_entropy({1}, {x})
    std::vector<double> values;
    for (T v : x) values.push_back(-gibbs::cross_entropy(std::vector<T>{1}, std::vector<T>{v}));
    return {{values, std::nullopt}};
  }
  if (id == "SIMD-EXP-NAN") {
    std::vector<T> out(x.size());
    gibbs::softmax(x, out);
    return {{widened(out), std::nullopt}};
  }
  if (id == "SIMD-ALIGN-1") {
    alignas(64) T memory[32] = {};
    alignas(64) T aligned[32] = {};
    std::copy(x.begin(), x.end(), memory + 1);
    std::copy(x.begin(), x.end(), aligned);
    const std::span<T> off(memory + 1, x.size());
    const std::span<T> on(aligned, x.size());
    gibbs::softmax(off, off);
    gibbs::softmax(on, on);
    CHECK(std::equal(off.begin(), off.end(), on.begin(), same_bits<T>));
    return {};
  }
  if (id == "SIMD-FPFLAG-1") {
    std::vector<T> out(x.size());
    std::feclearexcept(FE_ALL_EXCEPT);
    gibbs::softmax(x, out);
    CHECK(std::fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW) == 0);
    return {};
  }
  FAIL("no way to run " << id);
  return {};
}

// What cannot be expressed with the library, or is shown elsewhere.
const std::map<std::string, std::string>& skipped() {
  static const std::map<std::string, std::string> reasons{
      {"SM-F16-1", "no half precision"},
      {"LSE-F16-1", "no half precision"},
      {"LSE-F16-2", "no half precision"},
      {"LSE-W-1", "no weights"},
      {"LSE-W-3", "no weights"},
      {"CE-IGN-1", "no ignored label, class weights or label smoothing"},
      {"CE-IGN-3", "no ignored label"},
      {"JS-DEF-3", "no Jensen-Shannon divergence"},
      {"JS-NEG-1", "no Jensen-Shannon divergence"},
      {"JS-NEG-2", "no Jensen-Shannon divergence"},
      {"JS-SUBN-1", "no Jensen-Shannon divergence"},
      {"SIMD-EXP-HI", "no exponential of a positive number anywhere"},
      {"SIMD-MAX-NAN", "about xsimd's max; NaN in each lane is in the sweep"},
      {"SIMD-NEQ-NAN", "about xsimd's comparison; NaN in each lane is in the sweep"},
      {"SIMD-REDMAX-I8", "about xsimd's reduce_max for bytes, which is not used"},
      {"SIMD-FASTMATH-1", "a compilation with such flags is refused"},
      {"SIMD-OOB-1", "see test_guard_pages.cpp"},
      {"SIMD-ISA-1", "bits may differ between architectures, bounds may not: test_accuracy.cpp"},
      {"SIMD-INT32-1", "needs 8 GiB"},
  };
  return reasons;
}

bool is_skipped(const json& c) {
  return c.at("fn") == "packaging" || skipped().count(c.at("id")) > 0;
}

template <class T>
std::vector<outcome> run_case(const json& c) {
  const std::string fn = c.at("fn");
  if (fn == "softmax") return run_softmax<T>(c);
  if (fn == "log_softmax") return run_log_softmax<T>(c);
  if (fn == "logsumexp") return run_log_sum_exp<T>(c);
  if (fn == "entropy") return run_entropy<T>(c);
  if (fn == "cross_entropy") return run_cross_entropy<T>(c);
  if (fn == "kl") return run_kl<T>(c);
  if (fn == "simd") return run_simd<T>(c);
  FAIL("unknown function " << fn);
  return {};
}

std::vector<outcome> run_case(const json& c) {
  const std::string type = c.at("dtype");
  if (c.at("fn") == "find_duplicate") {
    if (type == "i8") return run_find_duplicate<std::int8_t>(c);
    if (type == "u8") return run_find_duplicate<std::uint8_t>(c);
    if (type == "i32") return run_find_duplicate<std::int32_t>(c);
    if (type == "u32") return run_find_duplicate<std::uint32_t>(c);
  } else {
    if (type == "f32") return run_case<float>(c);
    if (type == "f64") return run_case<double>(c);
  }
  FAIL("unknown type " << type);
  return {};
}

// The contract's answer where several are defensible; nothing where the data has it.
std::optional<double> policy_result(const json& params) {
  if (!params.contains("policy")) return std::nullopt;
  const std::string policy = params["policy"];
  if (policy == "all_masked" || policy == "pos_inf" || policy == "negative_probability") return nan;
  if (policy == "negative_temperature" || policy == "bad_label") return std::nullopt;  // an error
  if (policy == "unnormalised") return std::nullopt;  // the sum as it stands: 0
  FAIL("unknown policy " << policy);
  return std::nullopt;
}

bool close(double got, double wanted, const json& tolerance) {
  if (std::isnan(wanted)) return std::isnan(got);
  if (std::isinf(wanted)) return got == wanted;
  if (tolerance.contains("min") && !(got >= number(tolerance["min"]))) return false;
  return std::abs(got - wanted) <=
         number(tolerance.at("abs")) + number(tolerance.at("rel")) * std::abs(wanted);
}

}  // namespace

TEST_CASE("inputs on which others were wrong") {
  std::ifstream file(GIBBS_TEST_DATA "/cases.jsonl");
  REQUIRE(file);
  std::size_t driven = 0;
  std::size_t packaging = 0;
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) {
    const json c = json::parse(line);
    const std::string id = c.at("id");
    CHECK_MESSAGE(seen.insert(id).second, "twice: " << id);
    if (is_skipped(c)) {
      if (c.at("fn") == "packaging") ++packaging;
      continue;
    }
    ++driven;
    CAPTURE(id);
    const std::string why = c.at("why");
    CAPTURE(why);
    const json& expected = c.at("expected");
    const bool is_error = expected == "error:invalid_argument";
    for (const outcome& got : run_case(c)) {
      if (is_error) {
        CHECK(got.error.has_value());
        if (got.error) CHECK(got.error->rfind("gibbs::", 0) == 0);
        continue;
      }
      CHECK_MESSAGE(!got.error, "unexpected: " << got.error.value_or(""));
      if (got.error) continue;
      std::vector<double> wanted =
          expected.is_string() ? std::vector<double>{number(expected)} : numbers(expected);
      if (const auto policy = policy_result(c.at("params"))) {
        for (double& value : wanted) value = *policy;
      }
      REQUIRE(got.values.size() == wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        CHECK_MESSAGE(close(got.values[i], wanted[i], c.at("tolerance")),
                      "element " << i << ": " << gibbs_support::text(got.values[i]) << ", expected "
                                 << gibbs_support::text(wanted[i]));
      }
    }
  }
  for (const auto& entry : skipped()) {
    const auto& id = entry.first;
    CHECK_MESSAGE(seen.count(id) == 1, "skipped but not in the data: " << id);
  }
  // If one of these changes, cases were added or lost: say so here on purpose.
  CHECK(driven == 109);
  CHECK(skipped().size() == 19);
  CHECK(packaging == 13);  // build systems: tests/consumers
}
