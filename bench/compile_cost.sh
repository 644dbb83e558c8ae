#!/bin/sh
# SPDX-License-Identifier: MIT
# What it costs to compile one file that includes gibbs and calls each primitive once, with its kernels and
# with those in another file (gibbs/instantiate.hpp), beside one that includes xsimd alone: seconds and
# megabytes, the least of five. They take turns.
#
# usage: compile_cost.sh [FLAG...]       CXX names the compiler; FLAGs default to -O2 -march=native
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cxx=${CXX:-g++}
[ $# -gt 0 ] || set -- -O2 -march=native
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo '#include <xsimd/xsimd.hpp>' > "$work/xsimd.cpp"
cat > "$work/gibbs.cpp" <<'END'
#include <gibbs/gibbs.hpp>

float each_once(std::span<const float> x, std::span<const float> y, std::span<float> out) {
  const gibbs::logit_options options{.temperature = 0.7};
  gibbs::softmax(x, out, options);
  gibbs::log_softmax(x, out, options);
  float sum = gibbs::log_sum_exp(x, options);
  sum += gibbs::entropy(x) + gibbs::entropy_from_logits(x, options);
  sum += gibbs::cross_entropy(x, y) + gibbs::cross_entropy_from_logits(x, 0, options);
  sum += gibbs::kl_divergence(x, y) + gibbs::kl_divergence_from_logits(x, y, options);
  return gibbs::to_bits(sum);
}
END
sed 's|gibbs/gibbs.hpp|gibbs/instantiate.hpp|' "$work/gibbs.cpp" > "$work/extern.cpp"

# one NAME FLAG...: prints seconds and megabytes of one compilation
one() {
  name=$1
  shift
  python3 - "$cxx" -std=c++20 "$@" -I "$root/include" -c "$work/$name.cpp" -o "$work/$name.o" <<'END'
import resource, subprocess, sys, time
start = time.monotonic()
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{time.monotonic() - start:.3f} {used.ru_maxrss / 1024:.0f}")
END
}

for _ in 1 2 3 4 5; do
  for name in xsimd gibbs extern; do
    one "$name" "$@" >> "$work/$name.txt"
  done
done

echo "$("$cxx" --version | head -n 1), $*"
awk -v OFMT=%.2f '
  { file = FILENAME; sub(/.*\//, "", file); sub(/\.txt$/, "", file)
    if (!(file in s) || $1 < s[file]) s[file] = $1
    if (!(file in m) || $2 < m[file]) m[file] = $2 }
  END {
    printf "%-36s%8s%8s%8s\n", "", "seconds", "MB", "ratio"
    n = split("xsimd gibbs extern", files, " ")
    split("xsimd alone|each primitive once|the same, kernels in another file", text, "|")
    for (i = 1; i <= n; ++i) {
      f = files[i]
      printf "%-36s%8.2f%8d%7.2fx\n", text[i], s[f], m[f], s[f] / s["xsimd"]
    }
  }' "$work/xsimd.txt" "$work/gibbs.txt" "$work/extern.txt"
