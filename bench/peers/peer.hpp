// SPDX-License-Identifier: MIT
// What the comparison asks of another library: given one problem, a callable that solves it once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace bench {

/// Row-major without gaps. `b` is the second matrix of those that have two;
/// `out` holds rows x columns elements, of which reductions use the first `rows`.
template <class T>
struct problem {
  std::string_view primitive;  // as named in the registry
  std::size_t rows;
  std::size_t columns;
  const T* a;
  const T* b;
  const std::int32_t* labels;
  T* out;
};

/// Solves the problem once. Empty where the library has no such primitive or type.
using job = std::function<void()>;

struct peer {
  std::string_view name;
  job (*prepare_float)(const problem<float>&);
  job (*prepare_double)(const problem<double>&);

  job prepare(const problem<float>& p) const { return prepare_float ? prepare_float(p) : job{}; }
  job prepare(const problem<double>& p) const { return prepare_double ? prepare_double(p) : job{}; }
};

#ifdef GIBBS_BENCH_XNNPACK
peer xnnpack();
#endif
#ifdef GIBBS_BENCH_ONEDNN
peer onednn();
#endif
#ifdef GIBBS_BENCH_EIGEN
peer eigen();
#endif
#ifdef GIBBS_BENCH_TORCH
peer torch();
#endif

}  // namespace bench
