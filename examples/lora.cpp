// SPDX-License-Identifier: MIT
// How are LoRA's matrices initialised, and why? A linear softmax classifier that predicts the next
// letter, W x, is learnt from one text and then frozen; only the low-rank update (alpha / r) B A is
// trained on another text, in another language.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <string>
#include <tuple>
#include <vector>

constexpr std::size_t symbols = 28;  // a to z, any accented letter, anything between words
constexpr std::size_t rank = 4;
constexpr double alpha = 8;

std::vector<std::size_t> read(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::size_t> s{27};
  for (std::istreambuf_iterator<char> c(in), end; c != end; ++c) {
    const auto byte = static_cast<unsigned char>(*c);
    const bool letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
    const bool accented = byte == 0xC3 || byte == 0xC5;  // its first byte in UTF-8
    const std::size_t symbol = letter ? (byte | 32u) - 'a' : accented ? 26 : 27;
    if (byte < 0x80 || accented) {
      if (symbol != 27 || s.back() != 27) s.push_back(symbol);
    }
  }
  return s;
}

using matrix = std::vector<double>;
gibbs::matrix_view<const double> square(const matrix& m) { return {m.data(), symbols, symbols}; }

// The shares of all pairs (previous letter: row) in s[first, last).
matrix pairs(const std::vector<std::size_t>& s, std::size_t first, std::size_t last, double add) {
  matrix m(symbols * symbols, add);
  for (std::size_t i = first + 1; i < last; ++i) m[s[i - 1] * symbols + s[i]] += 1;
  for (double& x : m) x /= static_cast<double>(last - first - 1);
  return m;
}

struct adapter {
  matrix w, b, a;  // w: one row of logits for each previous letter; b: symbols x r; a: r x symbols

  matrix logits() const {
    matrix m = w;
    for (std::size_t i = 0; i < symbols; ++i)
      for (std::size_t k = 0; k < rank; ++k)
        for (std::size_t j = 0; j < symbols; ++j)
          m[i * symbols + j] += alpha / rank * b[i * rank + k] * a[k * symbols + j];
    return m;
  }
  double loss(const matrix& target) const {  // bits a letter: rows weighted by their own mass
    std::vector<double> rows(symbols);
    const matrix m = logits();
    gibbs::cross_entropy_from_logits(square(m), square(target), rows);
    double sum = 0;
    for (const double x : rows) sum += x;
    return gibbs::to_bits(sum);
  }
  double kl_to_base() const {  // the largest of all rows
    std::vector<double> rows(symbols);
    const matrix m = logits();
    gibbs::kl_divergence_from_logits(square(w), square(m), rows);
    return *std::max_element(rows.begin(), rows.end());
  }
  void step(const matrix& target, double rate) {  // gradient descent on B and A; W stays
    matrix g = logits(), gb(b.size()), ga(a.size());
    gibbs::softmax(square(g), gibbs::matrix_view(g.data(), symbols, symbols));
    for (std::size_t i = 0; i < symbols; ++i) {
      double mass = 0;
      for (std::size_t j = 0; j < symbols; ++j) mass += target[i * symbols + j];
      for (std::size_t j = 0; j < symbols; ++j) {
        const double d = alpha / rank * (mass * g[i * symbols + j] - target[i * symbols + j]);
        for (std::size_t k = 0; k < rank; ++k) {
          gb[i * rank + k] += d * a[k * symbols + j];
          ga[k * symbols + j] += d * b[i * rank + k];
        }
      }
    }
    for (std::size_t i = 0; i < b.size(); ++i) b[i] -= rate * gb[i];
    for (std::size_t i = 0; i < a.size(); ++i) a[i] -= rate * ga[i];
  }
};

matrix random_normal(std::size_t size, double deviation) {
  std::uint64_t state = 1;
  const auto uniform = [&state] {  // in (0, 1)
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (static_cast<double>(state >> 11) + 0.5) / 9007199254740992.0;
  };
  matrix m(size);
  for (double& x : m) {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    x = deviation * radius * std::cos(6.283185307179586 * uniform());
  }
  return m;
}

int main(int argc, char** argv) {
  const auto base = read(argc == 3 ? argv[1] : ""), other = read(argc == 3 ? argv[2] : "");
  if (base.size() < 1000 || other.size() < 1000) {
    std::fprintf(stderr, "usage: %s BASE OTHER\ntwo readable texts of at least 1000 letters\n",
                 argv[0]);
    return 2;
  }
  matrix w = pairs(base, 0, base.size(), 1e-5);
  for (double& x : w) x = std::log(x);
  const std::size_t cut = other.size() / 5 * 4;
  const matrix train = pairs(other, 0, cut, 0), test = pairs(other, cut, other.size(), 0);

  std::printf("W has %zu numbers and is frozen; B and A have %zu (rank %zu).\n", w.size(),
              2 * symbols * rank, rank);
  const matrix normal = random_normal(rank * symbols, 1 / std::sqrt(28.0)), zero(normal.size());
  for (const auto& [name, b, a] : {std::tuple("B = 0, A random normal (LoRA)", zero, normal),
                                   std::tuple("B = 0, A = 0", zero, zero),
                                   std::tuple("B and A random normal", normal, normal)}) {
    adapter m{w, b, a};
    std::printf("%s\n   step  bits/letter, trained on  held out  largest KL to the base\n", name);
    for (int step = 0; step <= 2000; ++step) {
      if (step == 0 || step == 20 || step == 200 || step == 2000) {
        std::printf("  %5d  %23.5f  %8.5f  %22.6g\n", step, m.loss(train), m.loss(test),
                    m.kl_to_base());
      }
      m.step(train, 1);
    }
    std::printf("  W unchanged: %s\n", m.w == w ? "yes" : "no");
  }
}
