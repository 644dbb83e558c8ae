// SPDX-License-Identifier: MIT
// How does RLHF's reward model come about, and what is the KL penalty for? Three phases in
// miniature for a policy that writes a line letter by letter: 1. fit it to a text; 2. fit a reward
// model to comparisons of its lines; 3. raise the expected reward less beta times the KL from
// phase 1.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

constexpr std::size_t symbols = 27, blank = 26;  // a to z, and anything between words
constexpr std::size_t pairs = 400, batch = 200;
using table = std::vector<double>;         // row: the letter before, column: the next one
using line = std::array<std::size_t, 20>;  // symbols
using letter_row = std::array<double, symbols>;

gibbs::matrix_view<double> square(table& t) { return {t.data(), symbols, symbols}; }
double sum(const auto& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

double uniform() {
  static std::uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<double>(state >> 11) / 9007199254740992.0;
}

line write_line(table& policy) {
  line l;
  std::size_t s = blank;
  for (std::size_t& place : l) {
    const auto p = square(policy).row(s);
    double u = uniform();
    for (s = 0; s + 1 < symbols && u >= p[s]; ++s) u -= p[s];
    place = s;
  }
  return l;
}

std::string shown(const line& l) {
  std::string text;
  for (const std::size_t s : l) text += "abcdefghijklmnopqrstuvwxyz "[s];
  return text;
}

// What the judge likes: vowels, but never three in a row. The policy and the reward model know only
// its choices.
double judge(const line& l) {
  double score = 0;
  int run = 0;
  for (const std::size_t s : l) {
    run = s == 0 || s == 4 || s == 8 || s == 14 || s == 20 ? run + 1 : 0;
    score += run == 0 ? 0 : run < 3 ? 1 : -2;
  }
  return score;
}

double score(const letter_row& reward, const line& l) {  // what the reward model thinks
  return std::accumulate(l.begin(), l.end(), 0.0,
                         [&](double r, std::size_t s) { return r + reward[s]; });
}

// One step of policy gradient on lines that the policy writes itself. Returns the mean reward and
// KL of a line.
std::array<double, 2> improve(table& logits, table& policy, table& reference,
                              const letter_row& reward, double beta) {
  std::vector<double> kl(symbols), gain;
  std::vector<line> lines;
  gibbs::softmax(square(logits), square(policy));
  gibbs::kl_divergence(square(policy), square(reference), kl);
  std::array<double, 2> mean{};
  for (std::size_t n = 0; n < batch; ++n) {
    lines.push_back(write_line(policy));
    gain.push_back(score(reward, lines[n]));
    mean[0] += gain[n] / batch;
    std::size_t before = blank;
    for (const std::size_t s : lines[n]) {
      const std::size_t pair = before * symbols + s;
      if (beta > 0) gain[n] -= beta * std::log(policy[pair] / reference[pair]);
      mean[1] += kl[before] / batch;
      before = s;
    }
  }
  const double usual = sum(gain) / batch;
  for (std::size_t n = 0; n < batch; ++n) {
    const double step = 0.3 * (gain[n] - usual) / batch;
    std::size_t before = blank;
    for (const std::size_t s : lines[n]) {  // the gradient of log p is 1 or 0, less p
      logits[before * symbols + s] += step;
      for (std::size_t k = 0; k < symbols; ++k) {
        logits[before * symbols + k] -= step * policy[before * symbols + k];
      }
      before = s;
    }
  }
  return mean;
}

int main(int argc, char** argv) {
  std::ifstream in(argc == 2 ? argv[1] : "", std::ios::binary);
  table text(symbols * symbols, 0.01), logits(text.size()), policy(text.size());
  std::size_t letters = 0, before = blank;
  for (std::istreambuf_iterator<char> c(in), end; c != end; ++c) {
    const unsigned lower = static_cast<unsigned char>(*c) | 32u;
    const std::size_t s = lower >= 'a' && lower <= 'z' ? lower - 'a' : blank;
    letters += s != blank;
    if (s != blank || before != blank) ++text[before * symbols + s];
    before = s;
  }
  if (letters < 1000) {
    std::fprintf(stderr, "usage: %s FILE\na readable text of at least 1000 letters\n", argv[0]);
    return 2;
  }
  for (std::size_t s = 0; s < symbols; ++s) {
    const double total = sum(square(text).row(s));
    for (double& x : square(text).row(s)) x /= total;
  }

  std::printf("1. Supervised: KL from the text, mean over the letters before.\n step  KL (bits)\n");
  std::vector<double> kl(symbols);
  for (int step = 0; step <= 1000; ++step) {
    gibbs::softmax(square(logits), square(policy));
    gibbs::kl_divergence(square(text), square(policy), kl);
    if (step % 250 == 0) std::printf("%5d  %9.4f\n", step, gibbs::to_bits(sum(kl) / symbols));
    for (std::size_t i = 0; i < text.size(); ++i) logits[i] += 2 * (text[i] - policy[i]);
  }
  table reference = policy;

  std::printf("2. Reward model: which of two lines does the judge prefer? (Bradley-Terry)\n");
  std::printf(" step  loss (nats)  right on new pairs\n");
  std::vector<std::array<line, 2>> seen;
  std::vector<int> choice;
  for (std::size_t i = 0; i < 2 * pairs; ++i) {  // the first half to learn from, the rest to test
    seen.push_back({write_line(reference), write_line(reference)});
    choice.push_back(judge(seen[i][1]) + uniform() > judge(seen[i][0]) + uniform());
  }
  letter_row reward{};
  for (int step = 0; step <= 200; ++step) {
    std::vector<double> scores, p(4 * pairs), loss(2 * pairs);
    for (const auto& two : seen) {
      for (const line& l : two) scores.push_back(score(reward, l));
    }
    const gibbs::matrix_view<const double> rows(scores.data(), 2 * pairs, 2);
    gibbs::cross_entropy_from_logits(rows, choice, loss);  // of two classes: this line or that
    gibbs::softmax(rows, gibbs::matrix_view(p.data(), 2 * pairs, 2));
    double right = 0;
    for (std::size_t i = 0; i < 2 * pairs; ++i) {
      const double gradient = p[2 * i] - (choice[i] == 0);
      if (i >= pairs) {
        right += std::abs(gradient) < 0.5 ? 1 : std::abs(gradient) > 0.5 ? 0 : 0.5;
        continue;
      }
      for (const std::size_t s : seen[i][0]) reward[s] -= 0.1 / pairs * gradient;
      for (const std::size_t s : seen[i][1]) reward[s] += 0.1 / pairs * gradient;
    }
    if (step % 50 == 0) {
      std::printf("%5d  %11.4f  %17.1f%%\n", step,
                  std::accumulate(loss.begin(), loss.begin() + pairs, 0.0) / pairs,
                  100 * right / pairs);
    }
  }

  std::printf("3. Reinforcement: means over lines of 20 letters.\n");
  std::printf(" beta  step  reward       KL  judge  a line\n");
  for (const double beta : {3.0, 1.0, 0.3, 0.0}) {
    table x = logits, better = policy;
    for (int step = 0; step <= 1000; ++step) {
      const auto [mean, divergence] = improve(x, better, reference, reward, beta);
      if (step != 0 && step != 10 && step != 100 && step != 1000) continue;
      double judged = 0;
      for (int i = 0; i < 1000; ++i) judged += judge(write_line(better)) / 1000;
      std::printf("%5.1f  %4d  %6.3f  %7.3f  %5.2f  %s\n", beta, step, mean, divergence, judged,
                  shown(write_line(better)).c_str());
    }
  }
  std::printf(
      "Without the penalty the reward model is outwitted: its reward rises, the judge's\n"
      "falls, and nothing is left of the language of phase 1.\n");
}
