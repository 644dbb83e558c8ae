// SPDX-License-Identifier: MIT
// How are text embeddings compared and trained? A sentence's character trigrams are hashed into a
// vector; the cosine compares vectors; the contrastive loss (InfoNCE) is the cross-entropy of
// cosines / temperature. The task: two halves of each sentence's words must find each other.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

constexpr std::size_t dimensions = 256;
using vec = std::vector<double>;

double dot(const vec& a, const vec& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

std::vector<std::string> read_sentences(const char* path) {  // lower case, letters and blanks
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> all;
  std::string sentence;
  for (std::istreambuf_iterator<char> c(in), end; c != end; ++c) {
    const auto byte = static_cast<unsigned char>(*c);
    const bool letter = std::isalpha(byte) || byte >= 0x80 || byte == '\'';
    if (letter) sentence += static_cast<char>(std::tolower(byte));
    if (!letter && !sentence.empty() && sentence.back() != ' ') sentence += ' ';
    if (*c != '.' && *c != '!' && *c != '?') continue;
    if (sentence.size() >= 40) all.push_back(sentence);
    sentence.clear();
  }
  return all;
}

std::string half_of(const std::string& sentence, std::uint64_t& state) {  // a coin for each word
  std::string kept;
  bool keep = true;
  for (const char c : sentence) {
    if (keep) kept += c;
    if (c != ' ') continue;
    state = state * 6364136223846793005u + 1442695040888963407u;
    keep = state >> 63;
  }
  return kept;
}

vec embed(const std::string& text, const vec& weight) {  // of length 1
  vec v(dimensions);
  for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
    std::uint32_t hash = 2166136261u;
    for (const char c : text.substr(i, 3))
      hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    v[hash % dimensions] += weight[hash % dimensions];
  }
  const double norm = std::sqrt(dot(v, v) + 1e-30);
  for (double& x : v) x /= norm;
  return v;
}

struct batch {
  std::vector<vec> u, v;  // the embeddings of the two halves of each sentence
  vec cosine;             // of all first (rows) with all second halves (columns)
  std::size_t size;

  batch(std::span<const std::string> text, const vec& weight, std::uint64_t seed)
      : size(text.size()) {
    for (const std::string& s : text) {
      u.push_back(embed(half_of(s, seed), weight));
      v.push_back(embed(half_of(s, seed), weight));
    }
    for (const vec& a : u) {
      for (const vec& b : v) cosine.push_back(dot(a, b));
    }
  }
  gibbs::matrix_view<const double> logits() const { return {cosine.data(), size, size}; }
  double loss(double temperature) const {  // the right answer to row i is column i
    std::vector<std::size_t> labels(size);
    std::iota(labels.begin(), labels.end(), std::size_t{0});
    vec rows(size);
    gibbs::cross_entropy_from_logits(logits(), labels, rows, {.temperature = temperature});
    return std::accumulate(rows.begin(), rows.end(), 0.0) / static_cast<double>(size);
  }
  double accuracy() const {
    double hits = 0;
    for (std::size_t i = 0; i < size; ++i)
      hits += std::ranges::max(logits().row(i)) == logits().row(i)[i];
    return hits / static_cast<double>(size);
  }
  // The loss falls along the negative of this, its gradient by the logarithms of the weights.
  vec gradient(double temperature) const {
    vec p(cosine), g(dimensions);
    gibbs::softmax(logits(), gibbs::matrix_view(p.data(), size, size),
                   {.temperature = temperature});
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < size; ++j) {
        const double s = cosine[i * size + j], by_s = (p[i * size + j] - (i == j)) /
                                                      (temperature * static_cast<double>(size));
        for (std::size_t d = 0; d < dimensions; ++d) {
          const double x = u[i][d], y = v[j][d];
          g[d] += by_s * (2 * x * y - s * (x * x + y * y));
        }
      }
    }
    return g;
  }
};

int main(int argc, char** argv) {
  const auto text = read_sentences(argc == 2 ? argv[1] : "");
  if (text.size() < 20) {
    std::fprintf(stderr, "usage: %s FILE\nFILE: a readable text of at least 20 sentences\n",
                 argv[0]);
    return 2;
  }
  const std::span all(text), train = all.first(text.size() / 2), test = all.subspan(train.size());
  vec weight(dimensions, 1.0);
  const batch before(test, weight, 1);
  constexpr double t = 0.05;
  std::printf("%zu sentences to train on, %zu others to test; guessing costs ln %zu = %.4f nats.\n",
              train.size(), test.size(), test.size(), std::log(static_cast<double>(test.size())));
  std::printf(
      "One weight a dimension is trained at temperature %.2f.\n step  held-out loss  found\n", t);
  for (std::uint64_t step = 0; step <= 60; ++step) {
    if (step % 20 == 0) {
      const batch now(test, weight, 1);
      std::printf("%5d  %13.4f  %4.1f%%\n", static_cast<int>(step), now.loss(t),
                  100 * now.accuracy());
    }
    const vec g = batch(train, weight, 2 + step).gradient(t);  // other halves at each step
    for (std::size_t d = 0; d < dimensions; ++d) weight[d] *= std::exp(-0.3 * g[d]);
  }
  const batch after(test, weight, 1);
  std::printf("temperature  loss before  loss after\n");
  for (const double x : {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0})
    std::printf("%11.2f  %11.4f  %10.4f\n", x, before.loss(x), after.loss(x));

  std::uint64_t coins = 3;
  const std::string query = half_of(test[0], coins);
  std::printf("query: %.70s\n", query.c_str());
  std::vector<std::pair<double, std::string>> nearest;
  for (const std::string& s : test)
    nearest.emplace_back(dot(embed(query, weight), embed(s, weight)), s);
  std::sort(nearest.rbegin(), nearest.rend());
  for (std::size_t i = 0; i < 3; ++i)
    std::printf("%.4f %.70s\n", nearest[i].first, nearest[i].second.c_str());
}
