// SPDX-License-Identifier: MIT
// How is a loss computed when no machine has a whole row of logits? The classes (here 256 bytes)
// are split over the ranks. Each rank has the logits of its own classes only, makes one small state
// a row of them, and one MPI_Allreduce merges the states. The model: which byte follows which,
// learnt from the first nine tenths of a text; the loss: that of the last tenth.
#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gibbs/gibbs.hpp>
#include <iterator>
#include <string>
#include <vector>

constexpr std::size_t classes = 256;

// What a rank knows of one row. It goes over the wire as it is.
struct row_part {
  gibbs::log_sum_exp_state<float> state;
  float label_logit = -INFINITY;  // as long as another rank has it
};

void merge(void* in, void* into, int* count, MPI_Datatype*) {
  const auto* from = static_cast<const row_part*>(in);
  auto* to = static_cast<row_part*>(into);
  for (int i = 0; i < *count; ++i) {
    to[i].state.merge(from[i].state);
    to[i].label_logit = (std::max)(to[i].label_logit, from[i].label_logit);
  }
}

// Row: the byte before; columns: the classes from first on. Not normalised: that takes all columns.
std::vector<float> logits_of(const std::string& text, std::size_t first, std::size_t columns) {
  std::vector<float> logits(classes * columns, 0.01f);
  for (std::size_t i = 1; i < text.size(); ++i) {
    const std::size_t row = static_cast<unsigned char>(text[i - 1]);
    const std::size_t column = static_cast<unsigned char>(text[i]) - first;  // huge if before first
    if (column < columns) ++logits[row * columns + column];
  }
  for (float& x : logits) x = std::log(x);
  return logits;
}

int run(int argc, char** argv, int rank, int ranks) {
  std::ifstream in(argc > 1 ? argv[1] : "", std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  std::vector<std::size_t> begin{0};  // of each rank's classes: shares first, added up
  for (int r = 0; r < ranks; ++r) {
    const bool given = r + 2 < argc;
    const int share = given ? std::clamp(std::atoi(argv[r + 2]), 0, 1000) : argc == 2;
    begin.push_back(begin.back() + static_cast<std::size_t>(share));
  }
  const std::size_t total = begin.back();
  if (text.size() < 20 || (argc != 2 && argc != ranks + 2) || total == 0) {
    if (rank == 0) {
      std::fprintf(stderr,
                   "usage: mpirun -n RANKS %s FILE [SHARE...]\n"
                   "FILE: a readable text; SHARE: of the classes, a small number for each rank\n",
                   argv[0]);
    }
    return 2;
  }
  for (std::size_t& b : begin) b = b * classes / total;
  const auto at = begin.begin() + rank;
  const std::size_t first = *at, columns = at[1] - first;
  const std::size_t learnt = text.size() / 10 * 9, rows = text.size() - learnt;
  const std::string model = text.substr(0, learnt);

  const auto logits = logits_of(model, first, columns);
  const gibbs::matrix_view<const float> shard(logits.data(), classes, columns);
  std::vector<row_part> parts(rows);
  const auto row = [&](std::size_t i) { return static_cast<unsigned char>(text[learnt + i - 1]); };
  const auto label = [&](std::size_t i) { return static_cast<unsigned char>(text[learnt + i]); };
  for (std::size_t i = 0; i < rows; ++i) {
    const auto mine = shard.row(row(i));
    parts[i].state.add(mine);
    if (label(i) - first < columns) parts[i].label_logit = mine[label(i) - first];
  }
  MPI_Datatype type;
  MPI_Type_contiguous(sizeof(row_part), MPI_BYTE, &type);
  MPI_Type_commit(&type);
  MPI_Op op;
  MPI_Op_create(merge, /*commute=*/1, &op);
  MPI_Allreduce(MPI_IN_PLACE, parts.data(), static_cast<int>(rows), type, op, MPI_COMM_WORLD);
  if (rank != 0) return 0;  // the others know the same

  const auto whole = logits_of(model, 0, classes);  // for comparison
  double sum = 0, unsharded_sum = 0, largest = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double loss = parts[i].state.cross_entropy(parts[i].label_logit);
    const std::span<const float> all(&whole[row(i) * classes], classes);
    const double unsharded = gibbs::cross_entropy_from_logits(all, label(i));
    sum += loss;
    unsharded_sum += unsharded;
    largest = (std::max)(largest, std::abs(loss - unsharded) / unsharded);
  }
  const auto n = static_cast<double>(rows);
  std::printf("%zu classes on %d ranks:", classes, ranks);
  for (std::size_t r = 1; r < begin.size(); ++r) std::printf(" %zu", begin[r] - begin[r - 1]);
  std::printf(
      "\n%zu bytes predicted  cross-entropy  perplexity\nmerged states         %9.6f nats  "
      "%10.6f\n",
      rows, sum / n, std::exp(sum / n));
  std::printf("all in one place      %9.6f nats  %10.6f\n", unsharded_sum / n,
              std::exp(unsharded_sum / n));
  std::printf("largest difference of a loss: %.1e of it\n", largest);
  std::printf("bytes a row: %zu for a state and the label's logit, %zu for all logits\n",
              sizeof(row_part), classes * sizeof(float));
  return largest < 4e-7 ? 0 : 1;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const int code = run(argc, argv, rank, ranks);
  MPI_Finalize();
  return code;
}
