// SPDX-License-Identifier: MIT
// A character model in miniature: counts of character pairs become logits, and the softmax
// temperature decides how sure of itself the model is. Nine tenths of the text teach, the rest
// tests.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

struct table {  // row: the previous character, column: the next one
  std::size_t size;
  std::vector<double> cells;
  gibbs::matrix_view<double> view() { return {cells.data(), size, size}; }
};

// How often each pair occurs among symbols[first, last), plus `add`.
table count_pairs(const std::vector<std::size_t>& symbols, std::size_t size, std::size_t first,
                  std::size_t last, double add) {
  table t{size, std::vector<double>(size * size, add)};
  for (std::size_t i = first + 1; i < last; ++i) t.view().row(symbols[i - 1])[symbols[i]] += 1;
  return t;
}

std::string sample(table& logits, const std::string& alphabet, std::size_t start, double t) {
  std::vector<double> p(logits.size);
  std::string line;
  std::uint64_t state = 1;
  for (std::size_t symbol = start; line.size() < 70;) {
    line += alphabet[symbol] < ' ' ? ' ' : alphabet[symbol];
    gibbs::softmax(logits.view().row(symbol), p, {.temperature = t});
    state = state * 6364136223846793005u + 1442695040888963407u;
    double u = static_cast<double>(state >> 11) / 9007199254740992.0;
    for (symbol = 0; symbol + 1 < p.size() && u >= p[symbol]; ++symbol) u -= p[symbol];
  }
  return line;
}

int main(int argc, char** argv) {
  std::ifstream in(argc == 2 ? argv[1] : "", std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  if (argc != 2 || text.size() < 1000) {
    std::fprintf(stderr, "usage: %s FILE\nFILE: a readable text of at least 1000 bytes\n", argv[0]);
    return 2;
  }
  std::string alphabet = text;
  std::sort(alphabet.begin(), alphabet.end());
  alphabet.erase(std::unique(alphabet.begin(), alphabet.end()), alphabet.end());
  std::vector<std::size_t> symbols;
  for (const char c : text) symbols.push_back(alphabet.find(c));

  const std::size_t size = alphabet.size(), cut = symbols.size() / 10 * 9;
  table logits = count_pairs(symbols, size, 0, cut, 0.1);  // a pair never seen is rare, not
  for (double& x : logits.cells) x = std::log(x);          // impossible

  // The rest: how often each previous character occurs, and what follows it.
  table next = count_pairs(symbols, size, cut, symbols.size(), 0);
  std::vector<double> weight(size), rows(size);
  for (std::size_t r = 0; r < size; ++r) {
    const auto row = next.view().row(r);
    const double total = std::accumulate(row.begin(), row.end(), 0.0);
    weight[r] = total / static_cast<double>(symbols.size() - cut - 1);
    if (total > 0) {
      for (double& x : row) x /= total;
    }
  }
  const auto mean_bits = [&] {  // of one result a row, over the rest of the text
    return gibbs::to_bits(std::inner_product(rows.begin(), rows.end(), weight.begin(), 0.0));
  };
  const auto loss = [&](double t) {
    gibbs::cross_entropy_from_logits(logits.view(), next.view(), rows, {.temperature = t});
    return mean_bits();
  };
  double low = 0.2, high = 5;  // the loss falls to one minimum and rises again
  for (int i = 0; i < 40; ++i) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    (loss(a) < loss(b) ? high : low) = loss(a) < loss(b) ? b : a;
  }
  const double best = (low + high) / 2;

  std::printf("%zu characters, %zu different ones; tested on the last tenth.\n", text.size(), size);
  std::printf("temperature  bits/char  perplexity  entropy of predictions  KL to temperature 1\n");
  table at_one = logits, at_t = logits;
  gibbs::softmax(logits.view(), at_one.view());
  for (const double t : {0.25, 0.5, 1.0, best, 1.5, 2.0, 4.0}) {
    const double bits = loss(t);
    gibbs::entropy_from_logits(logits.view(), rows, {.temperature = t});
    const double entropy = mean_bits();
    gibbs::softmax(logits.view(), at_t.view(), {.temperature = t});
    gibbs::kl_divergence(at_t.view(), at_one.view(), rows);
    std::printf("%11.3f  %9.4f  %10.3f  %22.4f  %19.4f%s\n", t, bits, std::exp2(bits), entropy,
                mean_bits(), t == best ? "  <- best" : "");
  }
  std::printf("At the best temperature the model is as sure as it is right: bits = entropy.\n");
  for (const double t : {0.3, best, 3.0}) {
    std::printf("at %.2f: %s\n", t, sample(logits, alphabet, symbols[0], t).c_str());
  }
}
