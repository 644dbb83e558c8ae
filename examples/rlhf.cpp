// SPDX-License-Identifier: MIT
// How does RLHF's reward model come about, and what is the KL penalty for? Three phases in
// miniature for a policy that writes a line letter by letter: 1. fit it to a text; 2. fit a reward
// model to comparisons of its lines; 3. raise the expected reward less beta times the KL from
// phase 1.
#include <cmath>
#include <cstdio>
#include <gibbs/gibbs.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "letters.hpp"

constexpr std::size_t pairs = 400, batch = 200, line_size = 20;
using line = std::vector<std::size_t>;

double sum(const auto& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

// What the judge likes: vowels, but never three in a row. The policy and the reward model know only
// its choices.
double judge(const line& l) {
  double score = 0;
  int run = 0;
  for (const char c : shown(l)) {
    run = std::string("aeiou").find(c) == std::string::npos ? 0 : run + 1;
    score += run == 0 ? 0 : run < 3 ? 1 : -2;
  }
  return score;
}

double total(const table& values, const line& l) {  // of one value a letter, or one a place
  double r = 0;
  for (const std::size_t place : l) r += values[place % values.size()];
  return r;
}

// One step of policy gradient on lines that the policy writes itself.
void improve(table& logits, const table& reference, const table& reward, double beta) {
  table log_ratio(logits), policy(logits), gain, step(logits.size());
  gibbs::softmax(square(logits), square(policy));
  gibbs::log_softmax(square(logits), square(log_ratio));
  for (std::size_t i = 0; i < step.size(); ++i) log_ratio[i] -= reference[i];
  std::vector<line> lines;
  for (std::size_t n = 0; n < batch; ++n) {
    lines.push_back(write_line(policy, line_size));
    gain.push_back(total(reward, lines[n]) - beta * total(log_ratio, lines[n]));
  }
  const double usual = sum(gain) / batch;
  for (std::size_t n = 0; n < batch; ++n)
    for (const std::size_t place : lines[n]) step[place] += 0.3 * (gain[n] - usual) / batch;
  for (std::size_t i = 0; i < step.size(); ++i)  // the gradient of log p is 1 or 0, less p
    logits[i] += step[i] - policy[i] * sum(square(step).row(i / letters));
}

int main(int argc, char** argv) {
  const auto read = read_letters(argc == 2 ? argv[1] : "");
  if (read.size() < 1000) {
    std::fprintf(stderr, "usage: %s FILE\na readable text of at least 1000 letters\n", argv[0]);
    return 2;
  }
  table text = count_pairs(read, 0.01), logits(text.size()), policy(text.size());
  for (double& x : text) x = std::log(x);
  gibbs::softmax(square(text), square(text));  // from counts to shares of their row

  std::printf("1. Supervised: KL from the text, mean over the letters before.\n step  KL (bits)\n");
  for (int step = 0; step <= 1000; ++step) {
    table kl(letters);
    gibbs::softmax(square(logits), square(policy));
    gibbs::kl_divergence(square(text), square(policy), kl);
    if (step % 250 == 0) std::printf("%5d  %9.4f\n", step, gibbs::to_bits(sum(kl) / letters));
    for (std::size_t i = 0; i < text.size(); ++i) logits[i] += 2 * (text[i] - policy[i]);
  }
  table reference(logits);
  gibbs::log_softmax(square(logits), square(reference));

  std::printf("2. Reward model: which of two lines does the judge prefer? (Bradley-Terry)\n");
  std::printf(" step  loss (nats)  right on new pairs\n");
  std::vector<line> lines;  // pairs, the better one first; half to learn from, half to test
  for (std::size_t i = 0; i < 2 * pairs; ++i) {
    line a = write_line(policy, line_size), b = write_line(policy, line_size);
    if (judge(a) < judge(b) + 2 * uniform() - 1) std::swap(a, b);
    lines.insert(lines.end(), {a, b});
  }
  table reward(letters);
  for (int step = 0; step <= 200; ++step) {
    table p, loss(pairs);
    for (const line& l : lines) p.push_back(total(reward, l));
    const gibbs::matrix_view<double> learn(p.data(), pairs, 2), all(p.data(), 2 * pairs, 2);
    gibbs::cross_entropy_from_logits(learn, std::vector<int>(pairs), loss);  // of class 0 of two
    gibbs::softmax(all, all);
    double right = 0;
    for (std::size_t i = pairs; i < 2 * pairs; ++i)
      right += p[2 * i] > 0.5 ? 1 : p[2 * i] < 0.5 ? 0 : 0.5;
    if (step % 50 == 0)
      std::printf("%5d  %11.4f  %17.1f%%\n", step, sum(loss) / pairs, 100 * right / pairs);
    for (std::size_t i = 0; i < 2 * pairs; ++i)  // better lines up, worse ones down
      for (const std::size_t place : lines[i])
        reward[place % letters] += 0.1 / pairs * (i % 2 == 0 ? 1 - p[i] : -p[i]);
  }

  std::printf("3. Reinforcement: means over lines of 20 letters.\n");
  std::printf(" beta  step  reward       KL  judge  a line\n");
  for (const double beta : {3.0, 1.0, 0.3, 0.0}) {
    table better(logits), log_p(logits);
    int step = 0;
    for (const int until : {0, 10, 100, 1000}) {
      for (; step < until; ++step) improve(better, reference, reward, beta);
      gibbs::softmax(square(better), square(policy));
      gibbs::log_softmax(square(better), square(log_p));
      double rewarded = 0, kl = 0, judged = 0;
      for (int i = 0; i < 1000; ++i) {
        const line l = write_line(policy, line_size);
        rewarded += total(reward, l) / 1000;
        kl += (total(log_p, l) - total(reference, l)) / 1000;
        judged += judge(l) / 1000;
      }
      std::printf("%5.1f  %4d  %6.3f  %7.3f  %5.2f  %s\n", beta, step, rewarded, kl, judged,
                  shown(write_line(policy, line_size)).c_str());
    }
  }
  std::printf("Without the penalty the reward model is outwitted: its reward rises, the judge's\n");
  std::printf("falls, and nothing is left of the language of phase 1.\n");
}
