// SPDX-License-Identifier: MIT
// What does the temperature do to a sparse, peaked output distribution? The distribution: which
// character follows a given one in a real text. Characters that never follow it have the logit
// -inf, a mask, and keep probability 0 at every temperature.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>

// The temperature whose distribution has this entropy. The entropy only grows with the
// temperature, so halving the interval (of its logarithm) finds it.
double solve_temperature(const std::array<double, 256>& logits, double wanted_bits) {
  double low = 1e-3, high = 1e3;
  for (int i = 0; i < 60; ++i) {
    const double middle = std::sqrt(low * high);
    const double bits = gibbs::to_bits(gibbs::entropy_from_logits(logits, {.temperature = middle}));
    (bits < wanted_bits ? low : high) = middle;
  }
  return low;
}

int main(int argc, char** argv) {
  std::ifstream in(argc > 1 ? argv[1] : "", std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  const char* before = argc > 2 ? argv[2] : "h";
  if (argc < 2 || argc > 3 || text.empty() || std::strlen(before) != 1) {
    std::fprintf(stderr,
                 "usage: %s FILE [CHARACTER]\n"
                 "FILE: a readable text; CHARACTER: the one whose successors are shown (h)\n",
                 argv[0]);
    return 2;
  }
  std::array<double, 256> logits{};  // counts first, then their logarithms: log 0 = -inf
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i - 1] == *before) ++logits[static_cast<unsigned char>(text[i])];
  }
  const auto support = std::count_if(logits.begin(), logits.end(), [](double n) { return n > 0; });
  if (support == 0) {
    std::fprintf(stderr, "%s: '%s' is never followed by anything in %s\n", argv[0], before,
                 argv[1]);
    return 1;
  }
  for (double& x : logits) x = std::log(x);

  std::printf("What follows '%s': %td of 256 bytes ever do, so %.4f bits is the most entropy.\n",
              before, support, std::log2(static_cast<double>(support)));
  std::printf("temperature  entropy (bits)  perplexity   top 1   top 5  nucleus 90%%  possible\n");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double t : {0.0, 0.25, 0.5, 0.7, 1.0, 1.5, 2.0, 5.0, infinity}) {
    std::array<double, 256> p{};
    gibbs::softmax(logits, p, {.temperature = t});
    const double bits = gibbs::to_bits(gibbs::entropy(p));
    std::sort(p.begin(), p.end(), std::greater<>());
    double mass = 0;
    std::size_t nucleus = 0;  // the fewest characters that hold 90% of the mass
    while (mass < 0.9) mass += p[nucleus++];
    const auto possible = std::count_if(p.begin(), p.end(), [](double x) { return x > 0; });
    std::printf("%11.2f  %14.4f  %10.3f  %6.4f  %6.4f  %11zu  %8td\n", t, bits, std::exp2(bits),
                p[0], std::accumulate(p.begin(), p.begin() + 5, 0.0), nucleus, possible);
  }
  std::printf("The other way round, the temperature that gives a wanted entropy:\n");
  for (const double wanted : {0.5, 1.0, 2.0, 3.0, 4.0}) {
    if (wanted >= std::log2(static_cast<double>(support))) continue;
    const double t = solve_temperature(logits, wanted);
    std::printf("  %.1f bits at temperature %.6f: entropy is %.9f bits\n", wanted, t,
                gibbs::to_bits(gibbs::entropy_from_logits(logits, {.temperature = t})));
  }
}
