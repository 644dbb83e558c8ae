// SPDX-License-Identifier: MIT
// How do KL divergence and cross-entropy differ? H(p, q) = H(p) + KL(p || q): cross-entropy is the
// cost of coding p with q's code, KL is only the part that q is to blame for. Shown on the letters
// of real texts.
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

using letters = std::array<double, 27>;  // a to z, and every letter with an accent as one more

// The letters' shares in a UTF-8 text, each counted `add` times more than it occurs.
bool read_letters(const char* path, double add, letters& p) {
  std::ifstream in(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  p.fill(add);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte | 32) >= 'a' && (byte | 32) <= 'z') ++p[(byte | 32u) - 'a'];
    if (byte == 0xC3 || byte == 0xC5) ++p[26];  // first bytes of the accented Latin letters
  }
  const double total = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= total;
  return !text.empty();
}

double bits(double nats) { return gibbs::to_bits(nats); }

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s FILE FILE...\nFILE: a readable text\n", argv[0]);
    return 2;
  }
  std::vector<letters> smooth(static_cast<std::size_t>(argc) - 1), plain(smooth.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (!read_letters(argv[i + 1], 1, smooth[i]) || !read_letters(argv[i + 1], 0, plain[i])) {
      std::fprintf(stderr, "%s: cannot read %s, or it is empty\n", argv[0], argv[i + 1]);
      return 1;
    }
    std::printf("[%zu] %s\n", i + 1, argv[i + 1]);
  }
  std::printf("\n1. The identity, in bits a letter (every letter counted once more than seen).\n");
  std::printf(" p  q     H(p)  KL(p||q)    H(p,q)  H(p,q) - H(p) - KL\n");
  for (std::size_t i = 0; i < smooth.size(); ++i) {
    for (std::size_t j = 0; j < smooth.size(); ++j) {
      const double h = bits(gibbs::entropy(smooth[i]));
      const double kl = bits(gibbs::kl_divergence(smooth[i], smooth[j]));
      const double cross = bits(gibbs::cross_entropy(smooth[i], smooth[j]));
      std::printf("%2zu %2zu  %7.5f  %8.5f  %8.5f  %18.1e\n", i + 1, j + 1, h, kl, cross,
                  cross - h - kl);
    }
  }
  std::printf("KL is 0 where p is q, never negative, and not symmetric.\n");

  std::printf("\n2. Zeros (letters as seen): KL is inf where q excludes what p does.\n");
  for (std::size_t i = 1; i < plain.size(); ++i) {
    std::printf("KL(1||%zu) = %8.5f   KL(%zu||1) = %8.5f\n", i + 1,
                bits(gibbs::kl_divergence(plain[0], plain[i])), i + 1,
                bits(gibbs::kl_divergence(plain[i], plain[0])));
  }

  const letters &p = smooth[1], &start = smooth[0];
  std::printf(
      "\n3. Training q on samples of p minimises the cross-entropy, and with it KL: H(p) is\n"
      "out of q's reach. q starts as [1], p is [2].\n step    H(p,q)  KL(p||q)    H(p)\n");
  letters logits, q;
  for (std::size_t i = 0; i < q.size(); ++i) logits[i] = std::log(start[i]);
  for (int step = 0; step <= 1000; ++step) {
    gibbs::softmax(logits, q);
    if (step == 0 || step == 1 || step == 10 || step == 100 || step == 1000) {
      const double cross = bits(gibbs::cross_entropy_from_logits(logits, p));
      const double kl = bits(gibbs::kl_divergence(p, q));
      std::printf("%5d  %8.5f  %8.5f %7.5f\n", step, cross, kl, cross - kl);
    }
    for (std::size_t i = 0; i < q.size(); ++i) logits[i] -= 2 * (q[i] - p[i]);  // its gradient
  }

  std::printf(
      "\n4. Distillation: the student [1] learns from the teacher [2], both at temperature\n"
      "T. The gradient q - p turns towards the plain difference of the logits as T grows.\n"
      "    T  KL(p||q), bits   T^2 KL  cosine of gradient and logit difference\n");
  letters teacher, difference;
  for (std::size_t i = 0; i < p.size(); ++i) {
    teacher[i] = std::log(p[i]);
    logits[i] = std::log(start[i]);
    difference[i] = logits[i] - teacher[i];
  }
  const double mean = std::accumulate(difference.begin(), difference.end(), 0.0) / 27;
  for (double& x : difference) x -= mean;  // a shift of all logits changes nothing
  for (const double t : {0.5, 1.0, 2.0, 5.0, 20.0, 100.0}) {
    letters pt, gradient;
    gibbs::softmax(teacher, pt, {.temperature = t});
    gibbs::softmax(logits, gradient, {.temperature = t});
    for (std::size_t i = 0; i < p.size(); ++i) gradient[i] -= pt[i];
    const auto dot = [](const letters& a, const letters& b) {
      return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const double kl = bits(gibbs::kl_divergence_from_logits(teacher, logits, {.temperature = t}));
    std::printf("%5.1f  %14.7f  %7.4f  %.6f\n", t, kl, t * t * kl,
                dot(gradient, difference) /
                    std::sqrt(dot(gradient, gradient) * dot(difference, difference)));
  }
}
