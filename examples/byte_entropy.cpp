// SPDX-License-Identifier: MIT
// How many bits does a byte of a file carry, and what would it cost to code the file with the byte
// statistics of another one?
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <vector>

using distribution = std::array<double, 256>;

// The share of each byte value in the file. False if it cannot be read or is empty.
bool read_distribution(const char* path, distribution& p) {
  std::ifstream in(path, std::ios::binary);
  std::array<unsigned long long, 256> count{};
  unsigned long long total = 0;
  std::vector<char> block(1 << 16);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    for (std::streamsize i = 0; i < in.gcount(); ++i) {
      ++count[static_cast<unsigned char>(block[static_cast<std::size_t>(i)])];
    }
    total += static_cast<unsigned long long>(in.gcount());
  }
  if (total == 0) return false;
  for (std::size_t b = 0; b < p.size(); ++b) {
    p[b] = static_cast<double>(count[b]) / static_cast<double>(total);
  }
  return true;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FILE...\n", argv[0]);
    return 2;
  }
  distribution first{};
  std::printf("In bits a byte. p: the file's bytes, q: the first file's.\n");
  std::printf("%9s %10s %9s %9s  %s\n", "entropy", "perplexity", "KL(p||q)", "H(p,q)", "file");
  for (int i = 1; i < argc; ++i) {
    distribution p{};
    if (!read_distribution(argv[i], p)) {
      std::fprintf(stderr, "%s: cannot read %s, or it is empty\n", argv[0], argv[i]);
      return 1;
    }
    if (i == 1) first = p;
    const double entropy = gibbs::to_bits(gibbs::entropy(p));
    const double kl = gibbs::to_bits(gibbs::kl_divergence(p, first));
    const double cross_entropy = gibbs::to_bits(gibbs::cross_entropy(p, first));
    std::printf("%9.6f %10.4f %9.6f %9.6f  %s\n", entropy, std::exp2(entropy), kl, cross_entropy,
                argv[i]);
  }
  std::printf(
      "KL is the extra cost a byte of using q's code: H(p,q) = entropy + KL. It is inf\n"
      "where the file has a byte that the first file lacks.\n");
}
