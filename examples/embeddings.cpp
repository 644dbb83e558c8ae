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
#include <sstream>
#include <string>
#include <utility>
#include <vector>

constexpr std::size_t dimensions = 256;
using vec = std::vector<double>;
using strings = std::span<const std::string>;

double dot(const vec& a, const vec& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

std::vector<std::string> read_sentences(const char* path) {  // lower case, letters and blanks
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> all{""};
  for (std::istreambuf_iterator<char> c(in), end; c != end; ++c) {
    const auto byte = static_cast<unsigned char>(*c);
    const bool letter = std::isalpha(byte) || byte >= 0x80 || byte == '\'';
    if (letter) all.back() += static_cast<char>(std::tolower(byte));
    if (!letter && !all.back().empty() && all.back().back() != ' ') all.back() += ' ';
    if (*c == '.' || *c == '!' || *c == '?') all.emplace_back();
  }
  std::erase_if(all, [](const std::string& s) { return s.size() < 40; });
  return all;
}

std::string half_of(const std::string& sentence, std::uint64_t& state) {  // a coin for each word
  std::istringstream words(sentence);
  std::string kept, word;
  for (bool keep = true; words >> word; keep = state >> 63) {
    if (keep) kept += word + ' ';
    state = state * 6364136223846793005u + 1442695040888963407u;
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

  batch(strings text, const vec& weight, std::uint64_t seed) {
    for (const std::string& s : text)
      for (auto* half : {&u, &v}) half->push_back(embed(half_of(s, seed), weight));
    for (const vec& a : u)
      for (const vec& b : v) cosine.push_back(dot(a, b));
  }
  gibbs::matrix_view<const double> logits() const { return {cosine.data(), u.size(), v.size()}; }

  double loss(double temperature) const {  // mean; the right answer to row i is column i
    vec rows(u.size());
    std::vector<std::size_t> labels(u.size());
    std::iota(labels.begin(), labels.end(), std::size_t{0});
    gibbs::cross_entropy_from_logits(logits(), labels, rows, {.temperature = temperature});
    return std::accumulate(rows.begin(), rows.end(), 0.0) / static_cast<double>(u.size());
  }
  vec gradient(double temperature) const {  // of the loss, by the logarithms of the weights
    vec p(cosine), g(dimensions);
    gibbs::softmax(logits(), {p.data(), u.size(), v.size()}, {.temperature = temperature});
    for (std::size_t i = 0, k = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < v.size(); ++j, ++k) {
        const double by_cosine = (p[k] - (i == j)) / (temperature * static_cast<double>(u.size()));
        for (std::size_t d = 0; d < dimensions; ++d)
          g[d] += by_cosine *
                  (2 * u[i][d] * v[j][d] - cosine[k] * (u[i][d] * u[i][d] + v[j][d] * v[j][d]));
      }
    return g;
  }
};

int main(int argc, char** argv) {
  const auto text = read_sentences(argc == 2 ? argv[1] : "");
  if (text.size() < 20) {
    std::fprintf(stderr, "usage: %s FILE\na readable text of 20 sentences or more\n", argv[0]);
    return 2;
  }
  const strings train(text.data(), text.size() / 2), test = strings(text).subspan(train.size());
  const auto tested = static_cast<double>(test.size());
  const auto temperatures = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0};
  std::printf("%zu sentences to train on, %zu others to test; guessing costs ln %zu = %.4f nats.\n",
              train.size(), test.size(), test.size(), std::log(tested));
  std::printf(
      "One weight a dimension is trained at temperature 0.05.\n"
      " step   found  held-out loss at temperature\n             ");
  for (const double t : temperatures) std::printf("  %6.2f", t);
  vec weight(dimensions, 1.0);
  for (std::size_t step = 0; step <= 60; ++step) {
    if (step % 20 == 0) {
      const batch now(test, weight, 1);
      double found = 0;
      for (std::size_t i = 0; i < test.size(); ++i)
        found += std::ranges::max(now.logits().row(i)) == now.logits().row(i)[i];
      std::printf("\n%5zu  %5.1f%%", step, 100 * found / tested);
      for (const double t : temperatures) std::printf("  %6.4f", now.loss(t));
    }
    const vec g = batch(train, weight, 2 + step).gradient(0.05);  // other halves at each step
    for (std::size_t d = 0; d < dimensions; ++d) weight[d] *= std::exp(-0.3 * g[d]);
  }

  std::uint64_t coins = 3;
  const std::string query = half_of(test[0], coins);
  std::printf("\nquery: %.70s\n", query.c_str());
  std::vector<std::pair<double, std::string>> nearest;
  for (const auto& s : test) nearest.emplace_back(dot(embed(query, weight), embed(s, weight)), s);
  std::sort(nearest.rbegin(), nearest.rend());
  nearest.resize(3);
  for (const auto& [cosine, s] : nearest) std::printf("%.4f %.70s\n", cosine, s.c_str());
}
