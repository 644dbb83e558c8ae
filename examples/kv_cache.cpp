// SPDX-License-Identifier: MIT
// What is a key-value cache for, and how does generation go one token at a time? Three layers of
// causal attention over a real text, once recomputed whole for each new token, once with the keys
// and values of the earlier tokens kept, and the attention over them merged from blocks.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

constexpr std::size_t width = 32, layers = 3, tokens = 128;
using vec = std::vector<double>;

unsigned long long operations = 0;  // multiplications with an addition

vec random_numbers(std::size_t size, double scale) {
  static std::uint64_t state = 1;
  vec v(size);
  for (double& x : v) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = scale * (static_cast<double>(state >> 11) / 4503599627370496.0 - 1);
  }
  return v;
}

double dot(const double* a, const vec& b) {
  double sum = 0;
  for (std::size_t i = 0; i < width; ++i) sum += a[i] * b[i];
  operations += width;
  return sum;
}

vec times(const vec& matrix, const vec& x) {
  vec y;
  for (std::size_t i = 0; i < width; ++i) y.push_back(dot(&matrix[i * width], x));
  return y;
}

struct layer {
  vec query, key, value;  // weights
  vec keys, values;       // of the tokens so far, a row each: the cache

  // The output for the token x: x plus the mean of the values so far, weighted by the softmax of
  // the keys' products with x's query. In blocks, each with a state of its own, as if several
  // machines had a part of the cache each; the states are merged.
  vec next(vec x, std::size_t block) {
    for (const double k : times(key, x)) keys.push_back(k);
    for (const double v : times(value, x)) values.push_back(v);
    const vec q = times(query, x);
    const std::size_t n = keys.size() / width;
    const gibbs::logit_options scaled{.temperature = std::sqrt(static_cast<double>(width))};
    vec memory(2 * width), part_memory(2 * width);
    gibbs::weighted_mean_state<double> all(memory, scaled);
    for (std::size_t first = 0; first < n; first += block) {
      const std::size_t size = (std::min)(block, n - first);
      vec scores;
      for (std::size_t i = 0; i < size; ++i) scores.push_back(dot(&keys[(first + i) * width], q));
      gibbs::weighted_mean_state<double> part(part_memory, scaled);
      part.add(scores, {&values[first * width], size, width});
      all.merge(part);
      operations += size * width + width;
    }
    for (std::size_t i = 0; i < width; ++i) x[i] += all.mean()[i];
    return x;
  }
};

// One token through all layers: the output of one is the input of the next.
vec generate(std::vector<layer>& model, vec x, std::size_t block) {
  for (layer& l : model) x = l.next(x, block);
  return x;
}

int main(int argc, char** argv) {
  std::ifstream in(argc == 2 ? argv[1] : "", std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  if (text.size() < tokens) {
    std::fprintf(stderr, "usage: %s FILE\na readable text of at least %zu bytes\n", argv[0],
                 tokens);
    return 2;
  }
  std::vector<vec> embedding(256 + tokens);  // of each byte, and of each position
  for (vec& v : embedding) v = random_numbers(width, 1);
  std::vector<layer> empty(layers);
  for (layer& l : empty) {
    for (vec* w : {&l.query, &l.key, &l.value}) *w = random_numbers(width * width, 0.5);
  }

  std::printf("%zu layers, width %zu; multiply-adds for the next token.\n", layers, width);
  std::printf("token  recomputed    cached  ratio  cached numbers  largest difference\n");
  std::vector<layer> cached = empty;
  std::vector<vec> inputs;
  double worst = 0;
  for (std::size_t n = 1; n <= tokens; ++n) {
    inputs.push_back(embedding[static_cast<unsigned char>(text[n - 1])]);
    for (std::size_t i = 0; i < width; ++i) inputs.back()[i] += embedding[255 + n][i];

    operations = 0;
    std::vector<layer> fresh = empty;  // everything that is known of the text is computed again
    vec whole;                         // the last token's
    for (const vec& x : inputs) whole = generate(fresh, x, tokens);
    const auto recomputed = std::exchange(operations, 0);
    const vec one = generate(cached, inputs.back(), 16);

    double largest = 0, difference = 0;
    for (std::size_t i = 0; i < width; ++i) {
      largest = (std::max)(largest, std::abs(whole[i]));
      difference = (std::max)(difference, std::abs(one[i] - whole[i]));
    }
    worst = (std::max)(worst, difference / largest);
    if ((n & (n - 1)) == 0) {
      std::printf("%5zu  %10llu  %8llu  %5.1f  %14zu  %18.1e\n", n, recomputed, operations,
                  static_cast<double>(recomputed) / static_cast<double>(operations),
                  2 * layers * n * width, worst);
    }
  }
  std::printf("The cache trades memory that grows with each token for work that hardly does.\n");
}
