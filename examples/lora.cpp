// SPDX-License-Identifier: MIT
// How are LoRA's matrices initialised, and why? A linear softmax classifier that predicts the next
// letter, W x, is learnt from one text and then frozen; only the low-rank update (alpha / r) B A is
// trained on another text, in another language.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <gibbs/gibbs.hpp>
#include <span>
#include <tuple>
#include <vector>

#include "letters.hpp"

constexpr std::size_t rank = 4;
constexpr double alpha = 8;

using matrix = std::vector<double>;

// The shares of all pairs of letters.
matrix shares(std::span<const std::size_t> text, double add) {
  matrix m = count_pairs(text, add);
  for (double& x : m) x /= static_cast<double>(text.size() - 1);
  return m;
}

struct adapter {
  matrix w, b, a;  // w: one row of logits for each previous letter; b: letters x r; a: r x letters

  matrix logits() const {
    matrix m = w;
    for (std::size_t i = 0; i < letters; ++i)
      for (std::size_t k = 0; k < rank; ++k)
        for (std::size_t j = 0; j < letters; ++j)
          m[i * letters + j] += alpha / rank * b[i * rank + k] * a[k * letters + j];
    return m;
  }
  double loss(const matrix& target) const {  // bits a letter: rows weighted by their own mass
    std::vector<double> rows(letters);
    const matrix m = logits();
    gibbs::cross_entropy_from_logits(square(m), square(target), rows);
    double sum = 0;
    for (const double x : rows) sum += x;
    return gibbs::to_bits(sum);
  }
  double kl_to_base() const {  // the largest of all rows
    std::vector<double> rows(letters);
    const matrix m = logits();
    gibbs::kl_divergence_from_logits(square(w), square(m), rows);
    return *std::max_element(rows.begin(), rows.end());
  }
  void step(const matrix& target, double rate) {  // gradient descent on B and A; W stays
    matrix g = logits(), gb(b.size()), ga(a.size());
    gibbs::softmax(square(g), square(g));
    for (std::size_t i = 0; i < letters; ++i) {
      double mass = 0;
      for (std::size_t j = 0; j < letters; ++j) mass += target[i * letters + j];
      for (std::size_t j = 0; j < letters; ++j) {
        const double d = alpha / rank * (mass * g[i * letters + j] - target[i * letters + j]);
        for (std::size_t k = 0; k < rank; ++k) {
          gb[i * rank + k] += d * a[k * letters + j];
          ga[k * letters + j] += d * b[i * rank + k];
        }
      }
    }
    for (std::size_t i = 0; i < b.size(); ++i) b[i] -= rate * gb[i];
    for (std::size_t i = 0; i < a.size(); ++i) a[i] -= rate * ga[i];
  }
};

matrix random_normal(std::size_t size, double deviation) {
  matrix m(size);
  for (double& x : m) {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    x = deviation * radius * std::cos(6.283185307179586 * uniform());
  }
  return m;
}

int main(int argc, char** argv) {
  const auto base = read_letters(argc == 3 ? argv[1] : "");
  const auto other = read_letters(argc == 3 ? argv[2] : "");
  if (base.size() < 1000 || other.size() < 1000) {
    std::fprintf(stderr, "usage: %s BASE OTHER\ntwo readable texts of at least 1000 letters\n",
                 argv[0]);
    return 2;
  }
  matrix w = shares(base, 1e-5);
  for (double& x : w) x = std::log(x);
  const std::size_t cut = other.size() / 5 * 4;
  const matrix train = shares(std::span(other).first(cut), 0);
  const matrix test = shares(std::span(other).subspan(cut), 0);

  std::printf("W has %zu numbers and is frozen; B and A have %zu (rank %zu).\n", w.size(),
              2 * letters * rank, rank);
  const matrix normal = random_normal(rank * letters, 1 / std::sqrt(28.0)), zero(normal.size());
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
