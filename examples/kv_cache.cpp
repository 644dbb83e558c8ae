// SPDX-License-Identifier: MIT
// What is a key-value cache for, and how does generation go one token at a time? Three layers of
// causal attention over a real text, once recomputed whole for each new token, once with the keys
// and values of the earlier tokens kept, and the attention over them done in blocks.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <string>
#include <vector>

constexpr std::size_t width = 32, layers = 3, tokens = 128;
using vec = std::vector<double>;

unsigned long long operations = 0;  // multiplications with an addition

vec random_numbers(std::size_t size, double scale, std::uint64_t& state) {
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

void add(vec& sum, double factor, const vec& x) {
  for (std::size_t i = 0; i < width; ++i) sum[i] += factor * x[i];
  operations += width;
}

struct layer {
  vec query, key, value;          // weights
  std::vector<vec> keys, values;  // of the tokens so far: the cache

  // The output for the token x: x plus the mean of the values so far, weighted by the softmax of
  // the keys' products with x's query. In blocks: the log-sum-exp of a block's scores is all that
  // is needed to weigh its mean against those of the others, by a softmax again.
  vec next(const vec& x, std::size_t block) {
    keys.push_back(times(key, x));
    values.push_back(times(value, x));
    const vec q = times(query, x);
    std::vector<vec> means;
    vec log_sums;
    for (std::size_t first = 0; first < keys.size(); first += block) {
      const std::size_t last = (std::min)(first + block, keys.size());
      vec p;
      for (std::size_t i = first; i < last; ++i) p.push_back(dot(keys[i].data(), q));
      const gibbs::logit_options scaled{.temperature = std::sqrt(static_cast<double>(width))};
      log_sums.push_back(gibbs::softmax_with_log_sum_exp(p, p, scaled));
      means.emplace_back(width);
      for (std::size_t i = first; i < last; ++i) add(means.back(), p[i - first], values[i]);
    }
    gibbs::softmax(log_sums, log_sums);
    vec out = x;
    for (std::size_t b = 0; b < means.size(); ++b) add(out, log_sums[b], means[b]);
    return out;
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
    std::fprintf(stderr, "usage: %s FILE\nFILE: a readable text of at least %zu bytes\n", argv[0],
                 tokens);
    return 2;
  }
  std::uint64_t state = 1;
  std::vector<vec> embedding;  // of each byte, and of each position
  for (std::size_t i = 0; i < 256 + tokens; ++i) {
    embedding.push_back(random_numbers(width, 1, state));
  }
  std::vector<layer> empty(layers);
  for (layer& l : empty) {
    for (vec* weights : {&l.query, &l.key, &l.value}) {
      *weights = random_numbers(width * width, 0.5, state);
    }
  }

  std::printf("%zu layers, width %zu; multiply-adds for the next token.\n", layers, width);
  std::printf("token  recomputed    cached  ratio  cached numbers  largest difference\n");
  std::vector<layer> cached = empty;
  std::vector<vec> inputs;
  double worst = 0;
  for (std::size_t n = 1; n <= tokens; ++n) {
    inputs.push_back(embedding[static_cast<unsigned char>(text[n - 1])]);
    add(inputs.back(), 1, embedding[256 + n - 1]);

    operations = 0;
    std::vector<layer> fresh = empty;  // everything that is known of the text is computed again
    vec whole;
    for (const vec& x : inputs) whole = generate(fresh, x, tokens);
    const auto recomputed = operations;

    operations = 0;
    const vec one = generate(cached, inputs.back(), 16);

    double largest = 0;
    for (const double x : whole) largest = (std::max)(largest, std::abs(x));
    for (std::size_t i = 0; i < width; ++i) {
      worst = (std::max)(worst, std::abs(one[i] - whole[i]) / largest);
    }
    if ((n & (n - 1)) == 0) {
      std::printf("%5zu  %10llu  %8llu  %5.1f  %14zu  %18.1e\n", n, recomputed, operations,
                  static_cast<double>(recomputed) / static_cast<double>(operations),
                  2 * layers * n * width, worst);
    }
  }
  std::printf("The cache trades memory that grows with each token for work that hardly does.\n");
}
